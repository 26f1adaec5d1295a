"""Rosters are put right in the background, whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from component.core.facts import Status, StatusChosen
from component.core.roster import Roster, RosterItem
from component.rosters.privilege import Privilege
from component.services.ports import RosterError, RosterWay
from component.services.provisioning import Provisioning
from tests.unit.fake_privileges import FakePrivileges
from tests.unit.fakes import DOMAIN, FakeWay, World, employee, until

PETROV = "petrov@example.test"


class Rig:
    """A world with employees ivanov and petrov, and the worker that fills their rosters."""

    def __init__(self, roster: Roster, retry_after: float = 0.001) -> None:
        self.world = World(employee("ivanov"), employee("petrov"), roster=roster)
        self.way = FakeWay(self.world.store.log)
        self.asked: list[str] = []
        self.pauses: list[float] = []

        self.found: RosterWay | None = self.way
        self.refuses: RosterError | None = None
        self.chosen = 0

        async def choose() -> tuple[RosterWay | None, str]:
            self.chosen += 1
            if self.refuses:
                raise self.refuses
            return self.found, "it works" if self.found else "it does not work"

        async def pause(took: float) -> None:
            self.pauses.append(took)

        world = self.world
        self.worker = Provisioning(
            world.company, world.publisher, world.store, choose, pause, self.asked.append, retry_after=retry_after
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.worker.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def done(self) -> None:
        """Wait until nothing is left to do."""
        await until(lambda: not self.worker.waiting and self.worker.method != "handshake")
        for _ in range(20):
            await asyncio.sleep(0)

    def items(self, account: str = PETROV) -> set[str]:
        return set(self.way.rosters.get(account, {}))


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
