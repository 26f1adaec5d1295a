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


def test_sessions_that_are_not_found_again_after_a_handshake_are_a_sign() -> None:
    rig = Rig()
    for one, resource in (("ivanov", "pc"), ("petrov", "pc"), ("petrov", "phone")):
        rig.world.client(one, resource)
    rig.check.link_back()
    for session in (f"{PETROV}/pc", "ivanov@example.test/pc"):
        rig.world.attendance.gone(session)
    rig.world.clock.pass_by(seconds=30)
    assert rig.repaired == []
    rig.world.clock.pass_by(seconds=4)
    assert rig.repaired == ["ivanov"]
    rig.check.link_back()
    rig.world.clock.pass_by(seconds=60)
    assert rig.repaired == ["ivanov"]


def test_a_roster_that_is_not_kept_is_not_looked_at_after_a_handshake() -> None:
    rig = Rig()
    rig.world.client("ivanov")
    rig.check.link_back()
    rig.world.attendance.gone("ivanov@example.test/pc")
    rig.world.set_roster("ivanov", Roster())
    rig.world.clock.pass_by(seconds=60)
    assert rig.repaired == []
