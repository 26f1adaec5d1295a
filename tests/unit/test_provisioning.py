"""Rosters are put right in the background, whatever happens in between."""

from dataclasses import replace

import pytest

from component.core.facts import Status, StatusChosen
from component.core.roster import Roster, RosterItem
from tests.unit.fakes import DOMAIN, employee, until
from tests.unit.provisioning_rig import PETROV, Rig


@pytest.fixture
def rig() -> Rig:
    return Rig(Roster())


async def test_an_empty_roster_is_filled_and_each_contact_shown(rig: Rig) -> None:
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.items() == {DOMAIN, f"ivanov@{DOMAIN}"}
    assert rig.world.company.roster("petrov") == Roster(provisioned=True, domain_item=True)
    assert rig.world.stream.shown(PETROV) | rig.world.stream.shown(f"{PETROV}/pc") == {}  # nobody is online
    assert rig.asked == [PETROV]
    assert len(rig.pauses) == 3


async def test_a_session_that_is_online_is_shown_the_contact_after_its_item(rig: Rig) -> None:
    watcher = rig.world.client("petrov")
    rig.world.stream.presences.clear()
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.world.stream.shown(watcher) == {"ivanov": "online"}


async def test_interrupted_in_the_middle_it_goes_on_later(rig: Rig) -> None:
    rig.way.calls_until_broken = 2
    rig.worker.request(["petrov"])
    async with rig.running():
        await until(lambda: rig.worker.failing is not None)
        assert rig.worker.failing == "the API is down"
        assert rig.items() == {DOMAIN}
        rig.way.calls_until_broken = -1
        await rig.done()
    assert rig.items() == {DOMAIN, f"ivanov@{DOMAIN}"}
    assert rig.worker.failing is None


async def test_a_missing_account_is_told_and_holds_nobody_up(rig: Rig) -> None:
    rig.way.missing.add("ivanov@example.test")
    rig.worker.request(["ivanov", "petrov"])
    async with rig.running():
        await rig.done()
        assert rig.worker.problems == {"ivanov": "ivanov@example.test does not exist"}
        assert rig.items() == {DOMAIN, f"ivanov@{DOMAIN}"}
        rig.way.missing.clear()
        rig.worker.request(["ivanov"])
        await rig.done()
    assert rig.worker.problems == {}


async def test_a_request_made_while_it_works_is_not_lost(rig: Rig) -> None:
    def request_again() -> None:
        rig.way.before_add = lambda: None
        rig.way.rosters[PETROV].clear()
        rig.worker.request(["petrov"])

    rig.way.before_add = request_again
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.items() == {DOMAIN, f"ivanov@{DOMAIN}"}


async def test_our_own_removals_are_recorded_before_they_are_made() -> None:
    rig = Rig(Roster(provisioned=True, domain_item=True))
    gone = RosterItem(f"gone@{DOMAIN}")
    known = {jid: RosterItem(jid) for jid in (DOMAIN, f"ivanov@{DOMAIN}")}
    rig.way.rosters[PETROV] = {**known, DOMAIN: RosterItem(DOMAIN, subscription="from"), gone.jid: gone}
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.world.store.log == [f"removing ['{gone.jid}'] queued", "committed", f"removed {gone.jid}"]
    assert rig.items() == {DOMAIN, f"ivanov@{DOMAIN}"}
    assert rig.world.company.roster("petrov").removing == frozenset()


async def test_what_is_to_be_set_is_recorded_before_it_is_set(rig: Rig) -> None:
    recorded: list[tuple[int, bool]] = []

    def look() -> None:
        pending = rig.world.store.rosters["petrov"].pending
        recorded.append((rig.world.store.log.count("committed"), "ivanov" in pending))

    rig.way.before_add = look
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert recorded == [(1, True), (1, True)]


async def test_an_import_that_comes_before_the_first_item_is_set_has_the_roster_planned_again(rig: Rig) -> None:
    def remove_ivanov() -> None:
        rig.world.store.on_commit = lambda: None
        rig.world.company.set_directory((employee("petrov"), employee("sidorov")))

    rig.world.store.on_commit = remove_ivanov
    added: list[int] = []
    rig.way.before_add = lambda: added.append(1)
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.items() == {DOMAIN, f"sidorov@{DOMAIN}"}
    assert len(added) == 2, "ivanov's item was never set"


async def test_a_contact_missing_from_a_kept_roster_was_deleted_by_hand() -> None:
    rig = Rig(Roster(provisioned=True, domain_item=True))
    rig.way.rosters[PETROV] = {DOMAIN: RosterItem(DOMAIN, subscription="from")}
    rig.world.client("petrov")
    rig.world.stream.presences.clear()
    rig.worker.choose_again()  # after a reconnection every roster is looked at
    async with rig.running():
        await rig.done()
    assert rig.items() == {DOMAIN}
    assert rig.world.company.exception("petrov", "ivanov") == "deleted"
    assert not rig.world.company.subscribed("petrov", "ivanov")
    assert rig.world.stream.shown("petrov@example.test/pc") == {"ivanov": "offline"}


async def test_who_comes_in_sight_is_shown_though_his_item_is_there_already() -> None:
    rig = Rig(Roster(provisioned=True, domain_item=True, pending=frozenset({"ivanov", "left meanwhile"})))
    rig.way.rosters[PETROV] = {
        DOMAIN: RosterItem(DOMAIN, subscription="from"),
        f"ivanov@{DOMAIN}": RosterItem(f"ivanov@{DOMAIN}", "Ivanov", ("Телефония",)),
    }
    rig.way.before_add = pytest.fail
    rig.world.client("petrov")
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.world.stream.shown("petrov@example.test/pc") == {"ivanov": "online"}


async def test_who_gets_a_new_name_is_shown_on_and_not_again() -> None:
    rig = Rig(Roster(provisioned=True, domain_item=True))
    rig.way.rosters[PETROV] = {
        DOMAIN: RosterItem(DOMAIN, subscription="from"),
        f"ivanov@{DOMAIN}": RosterItem(f"ivanov@{DOMAIN}"),
    }
    rig.world.client("ivanov")
    rig.world.client("petrov")
    rig.world.clock.pass_by(seconds=2)
    rig.world.company.set_directory((replace(employee("ivanov"), name="New Name"), employee("petrov")))
    rig.world.company.set_roster("petrov", renewed=frozenset({"ivanov"}))
    rig.world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    assert rig.world.stream.shown("petrov@example.test/pc")["ivanov"] == "busy"
    rig.world.stream.presences.clear()
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.way.rosters[PETROV][f"ivanov@{DOMAIN}"].name == "New Name"
    assert rig.world.company.roster("petrov") == Roster(provisioned=True, domain_item=True)
    assert rig.world.stream.presences == []


async def test_who_was_hidden_before_his_new_name_was_set_is_shown_again() -> None:
    ivanov = frozenset({"ivanov"})
    rig = Rig(Roster(provisioned=True, domain_item=True, pending=ivanov, renewed=ivanov))
    rig.way.rosters[PETROV] = {
        DOMAIN: RosterItem(DOMAIN, subscription="from"),
        f"ivanov@{DOMAIN}": RosterItem(f"ivanov@{DOMAIN}", "Old Name"),
    }
    rig.world.client("petrov")
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.way.rosters[PETROV][f"ivanov@{DOMAIN}"].name == "Ivanov"
    assert rig.world.stream.shown("petrov@example.test/pc") == {"ivanov": "online"}


async def test_the_roster_of_one_who_left_is_cleared(rig: Rig) -> None:
    rig.way.rosters["left@example.test"] = {f"ivanov@{DOMAIN}": RosterItem(f"ivanov@{DOMAIN}")}
    rig.worker.request_clearing([employee("left")])
    async with rig.running():
        await rig.done()
    assert rig.items("left@example.test") == set()


async def test_a_directory_that_changes_while_it_works_is_not_missed(rig: Rig) -> None:
    def rename() -> None:
        rig.way.before_add = lambda: None
        rig.world.company.set_directory((replace(employee("ivanov"), name="New Name"), employee("petrov")))
        rig.world.company.set_roster("petrov", pending=frozenset({"ivanov"}))
        rig.worker.request(["petrov"])

    rig.world.company.set_roster("petrov", provisioned=True)
    rig.way.rosters[PETROV] = {DOMAIN: RosterItem(DOMAIN, subscription="from")}
    rig.world.company.set_roster("petrov", pending=frozenset({"ivanov"}))
    rig.way.before_add = rename
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.way.rosters[PETROV][f"ivanov@{DOMAIN}"].name == "New Name"
    assert rig.world.company.roster("petrov").pending == frozenset()


async def test_what_an_import_has_just_noted_is_not_forgotten_by_the_work_before_it(rig: Rig) -> None:
    rig.world.company.set_roster("petrov", provisioned=True, pending=frozenset({"new"}))  # noted, not yet in force
    rig.way.rosters[PETROV] = {f"ivanov@{DOMAIN}": RosterItem(f"ivanov@{DOMAIN}")}
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
        rig.world.company.set_directory((employee("ivanov"), employee("petrov"), employee("new")))
        rig.worker.request(["petrov"])
        await rig.done()
    assert rig.items() == {DOMAIN, f"ivanov@{DOMAIN}", f"new@{DOMAIN}"}
    assert rig.world.company.deleted_by_hand("petrov") == set()


async def test_what_was_deleted_by_hand_stays_so_and_a_restored_account_gets_the_rest() -> None:
    rig = Rig(Roster(provisioned=True, domain_item=True))
    rig.world.company.set_directory((employee("ivanov"), employee("petrov"), employee("sidorov")))
    rig.way.rosters[PETROV] = {jid: RosterItem(jid) for jid in (f"sidorov@{DOMAIN}",)}
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
        assert rig.items() == {DOMAIN, f"sidorov@{DOMAIN}"}
        rig.way.rosters[PETROV].clear()
        rig.worker.request(["petrov"])
        await rig.done()
    assert rig.items() == {DOMAIN, f"sidorov@{DOMAIN}"}
    assert rig.world.company.deleted_by_hand("petrov") == {"ivanov"}


async def test_nothing_is_removed_that_could_not_be_recorded() -> None:
    rig = Rig(Roster(provisioned=True, domain_item=True))
    gone = f"gone@{DOMAIN}"
    rig.way.rosters[PETROV] = {DOMAIN: RosterItem(DOMAIN, subscription="from"), gone: RosterItem(gone)}
    rig.world.company.set_exception("petrov", "ivanov", "deleted")
    rig.world.store.failing = "the disk is full"
    rig.worker.request(["petrov"])
    async with rig.running():
        await until(lambda: rig.worker.failing == "the disk is full")
        assert rig.items() == {DOMAIN, gone}
        rig.world.store.failing = None
        await rig.done()
        assert rig.items() == {DOMAIN}


async def test_what_a_crash_left_as_being_removed_is_forgotten_when_it_is_not() -> None:
    rig = Rig(Roster(provisioned=True, domain_item=True, removing=frozenset({f"ivanov@{DOMAIN}"})))
    rig.way.rosters[PETROV] = {
        DOMAIN: RosterItem(DOMAIN, subscription="from"),
        f"ivanov@{DOMAIN}": RosterItem(f"ivanov@{DOMAIN}"),
    }
    rig.worker.request(["petrov"])
    async with rig.running():
        await rig.done()
    assert rig.world.company.roster("petrov").removing == frozenset()


async def test_clearing_is_tried_again_and_an_account_that_is_gone_is_clear(rig: Rig) -> None:
    rig.way.rosters["left@example.test"] = {f"ivanov@{DOMAIN}": RosterItem(f"ivanov@{DOMAIN}")}
    rig.way.missing.add("nobody@example.test")
    rig.way.calls_until_broken = 1
    rig.worker.request_clearing([employee("left"), employee("nobody")])
    async with rig.running():
        await until(lambda: rig.worker.failing is not None)
        rig.way.calls_until_broken = -1
        await rig.done()
    assert rig.items("left@example.test") == set()
    assert rig.worker.problems == {}


async def test_one_who_left_before_his_turn_is_no_problem(rig: Rig) -> None:
    rig.worker.problems["left"] = "left@example.test does not exist"
    rig.worker.request(["left"])
    async with rig.running():
        await rig.done()
    assert rig.worker.problems == {}
    assert rig.way.rosters == {}
