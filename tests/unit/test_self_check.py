"""One roster is looked at when there is a sign that it has drifted, and none without."""

from component.core.roster import Roster
from component.services.self_check import SelfCheck
from tests.unit.fakes import World, employee

PETROV = "petrov@example.test"


class Rig:
    """Two employees whose rosters are kept."""

    def __init__(self) -> None:
        self.world = World(employee("ivanov"), employee("petrov"))
        self.repaired: list[str] = []
        self.check = SelfCheck(self.world.company, self.world.clock, self.world.clock, self.repaired.append)


def test_a_login_of_which_the_server_does_not_tell_is_a_sign() -> None:
    rig = Rig()
    for _ in range(3):
        rig.check.probed(f"{PETROV}/pc", "petrov")
    rig.world.clock.pass_by(seconds=2)
    assert rig.repaired == []
    rig.world.clock.pass_by(seconds=2)
    assert rig.repaired == ["petrov"]
    rig.check.probed(f"{PETROV}/pc", "petrov")
    rig.world.clock.pass_by(seconds=4)
    assert rig.repaired == ["petrov", "petrov"]


def test_a_login_of_which_the_server_tells_before_or_after_is_none() -> None:
    rig = Rig()
    rig.check.probed(rig.world.client("petrov"), "petrov")
    rig.check.probed(f"{PETROV}/phone", "petrov")
    rig.world.client("petrov", "phone")
    rig.world.clock.pass_by(seconds=10)
    assert rig.repaired == []


def test_where_the_server_tells_nothing_anyway_nothing_is_a_sign() -> None:
    rig = Rig()
    rig.world.set_roster("petrov", Roster())
    rig.check.probed(f"{PETROV}/pc", "petrov")
    rig.check.probed("ivanov@example.test", "ivanov")  # a server asks once with the bare JID, for the account
    rig.world.clock.pass_by(seconds=10)
    assert rig.repaired == []
