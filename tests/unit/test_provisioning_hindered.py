"""What hinders the rosters' worker: ways that do not work, people who leave or move while it is at their rosters."""

from dataclasses import replace

import pytest

from component.core.roster import Roster, RosterItem
from component.rosters.privilege import Privilege
from component.services.ports import RosterError
from tests.unit.fake_privileges import FakePrivileges
from tests.unit.fakes import DOMAIN, FakeWay, employee, until
from tests.unit.provisioning_rig import PETROV, Rig


@pytest.fixture
def rig() -> Rig:
    return Rig(Roster())


async def test_without_a_way_nothing_waits_and_a_better_one_is_looked_for_with_each_request(rig: Rig) -> None:
    rig.found = None
    rig.worker.request(["petrov"])
    async with rig.running():
        await until(lambda: rig.worker.reason == "it does not work")
        assert (rig.worker.method, rig.worker.waiting) == ("handshake", 0)
        rig.found = rig.way
        rig.worker.request([])
        await rig.done()
    assert (rig.worker.method, rig.worker.reason) == ("fake", "it works")
    assert rig.items() == {DOMAIN, f"ivanov@{DOMAIN}"}


async def test_a_way_that_is_configured_and_does_not_work_is_told_and_tried_again(rig: Rig) -> None:
    rig.refuses = RosterError("the password is wrong")
    rig.worker.request(["petrov"])
    async with rig.running():
        await until(lambda: rig.worker.failing == "the password is wrong")
        rig.refuses = None
        await rig.done()
    assert rig.worker.failing is None
    assert rig.items() == {DOMAIN, f"ivanov@{DOMAIN}"}


async def test_the_way_is_chosen_again_when_it_is_in_doubt(rig: Rig) -> None:
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
        other = FakeWay(rig.world.store.log)
        other.name = "other"
        rig.found = other
        rig.worker.request(["petrov"])
        await rig.done()
        assert (rig.worker.method, rig.chosen) == ("fake", 1)
        rig.worker.choose_again()
        await until(lambda: rig.worker.method == "other")
        rig.refuses = RosterError("nothing is granted any more")
        rig.worker.choose_again()
        await until(lambda: rig.chosen > 4)
        assert rig.worker.failing == "nothing is granted any more"
        rig.refuses = None
        await until(lambda: rig.worker.failing is None)
    assert rig.worker.method == "other"


async def test_an_account_whose_lack_only_a_set_tells_is_told_and_filled_once_it_is_there(rig: Rig) -> None:
    """A roster that is read as empty may be of nobody (Prosody): the first `add` says so."""
    server = FakePrivileges("ivanov@example.test")
    server.grant()
    rig.found = Privilege(server, server, DOMAIN)
    rig.worker.request(["petrov", "ivanov"])
    async with rig.running():
        await rig.done()
        assert list(rig.worker.problems) == ["petrov"]
        assert "no account petrov@example.test" in rig.worker.problems["petrov"]
        assert set(server.rosters) == {"ivanov@example.test"}
        assert not rig.world.company.subscribed("petrov", "ivanov")
        assert not rig.world.company.roster("petrov").domain_item
        server.accounts.add(PETROV)
        rig.worker.request(["petrov"])
        await rig.done()
    assert set(server.rosters[PETROV]) == {DOMAIN, f"ivanov@{DOMAIN}"}
    assert rig.worker.problems == {}
    assert rig.world.company.deleted_by_hand("petrov") == set()
    assert rig.world.company.subscribed("petrov", "ivanov")


async def test_a_reconnection_ends_the_wait_after_a_failure() -> None:
    rig = Rig(Roster(), retry_after=60)
    rig.refuses = RosterError("not connected")
    rig.worker.request(["petrov"])
    async with rig.running():
        await until(lambda: rig.worker.failing is not None)
        rig.refuses = None
        rig.worker.choose_again()
        await rig.done()
    assert rig.items() == {DOMAIN, f"ivanov@{DOMAIN}"}


async def test_one_who_leaves_while_his_roster_is_read_holds_nobody_up(rig: Rig) -> None:
    def leave() -> None:
        rig.way.before_read = lambda: None
        rig.world.company.set_directory((employee("ivanov"),))

    rig.way.before_read = leave
    rig.worker.request(["petrov", "ivanov"])
    async with rig.running():
        await rig.done()
    assert rig.items("ivanov@example.test") == {DOMAIN}
    assert rig.items() == set()
    assert rig.world.company.roster("petrov") == Roster()


async def test_a_roster_read_from_the_former_account_says_nothing_of_the_new_one() -> None:
    rig = Rig(Roster(provisioned=True, domain_item=True))
    rig.way.rosters[PETROV] = {
        DOMAIN: RosterItem(DOMAIN, subscription="from"),
        f"ivanov@{DOMAIN}": RosterItem(f"ivanov@{DOMAIN}"),
    }

    def move() -> None:
        rig.way.before_read = lambda: None
        rig.world.company.forget_account("petrov")
        rig.world.company.set_directory((employee("ivanov"), replace(employee("petrov"), account="p@example.test")))
        rig.worker.request(["petrov"])

    rig.way.before_read = move
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.items("p@example.test") == {DOMAIN, f"ivanov@{DOMAIN}"}
    assert rig.asked == ["p@example.test"]


async def test_one_who_leaves_while_items_are_removed_gets_no_new_ones() -> None:
    rig = Rig(Roster(provisioned=True))
    rig.way.rosters[PETROV] = {f"gone@{DOMAIN}": RosterItem(f"gone@{DOMAIN}")}
    rig.world.company.set_roster("petrov", pending=frozenset({"ivanov"}))

    def leave() -> None:
        rig.way.before_remove = lambda: None
        rig.world.company.set_directory((employee("ivanov"),))

    rig.way.before_remove = leave
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.items() == set()
    assert rig.world.company.roster("petrov") == Roster()
    assert rig.asked == []


async def test_what_nobody_has_foreseen_in_one_roster_ends_no_work() -> None:
    rig = Rig(Roster())
    rig.way.fails = ValueError("an answer that no server gives")
    rig.worker.request(["petrov", "ivanov"])
    async with rig.running():
        await until(lambda: rig.worker.failing is not None)
        rig.way.fails = None
        await rig.done()
    assert rig.worker.failing is None
    assert rig.items() == {DOMAIN, f"ivanov@{DOMAIN}"}


async def test_an_account_that_changed_hands_is_cleared_before_it_is_filled(rig: Rig) -> None:
    def swap() -> None:
        rig.way.before_add = lambda: None
        former = [employee("ivanov"), employee("petrov")]
        for one, account in (("ivanov", PETROV), ("petrov", "ivanov@example.test")):
            rig.world.company.forget_account(one)
            former.append(replace(employee(one), account=account))
        rig.world.company.set_directory(former[2:])
        rig.worker.request_clearing(former[:2])
        rig.worker.request(["ivanov", "petrov"])

    rig.way.before_add = swap
    rig.worker.request(["sidorov", "ivanov", "petrov"])
    async with rig.running():
        await rig.done()
    assert rig.items("ivanov@example.test") == {DOMAIN, f"ivanov@{DOMAIN}"}
    assert rig.items(PETROV) == {DOMAIN, f"petrov@{DOMAIN}"}
