"""`rosters sync`: what has drifted is found and repaired, without a fight with anybody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest

from component.core.roster import RosterItem
from component.services.operations import OperationError, Progress, SyncReport
from component.services.ports import RosterError, RosterWay
from component.services.provisioning import Provisioning
from component.services.syncing import Syncing
from tests.unit.fakes import DOMAIN, FakeWay, World, employee, until

PETROV = "petrov@example.test"
NONE = {"domain-item": 0, "missing": 0, "subscription": 0, "renamed": 0, "surplus": 0}
PEOPLE = ("ivanov", "petrov", "sidorov")


class Rig:
    """Three employees whose rosters are as they should be, and the worker."""

    def __init__(self) -> None:
        self.world = World(*(employee(one) for one in PEOPLE))
        self.way = FakeWay(self.world.store.log)
        self.found: RosterWay | None = self.way
        self.refuses: RosterError | None = None
        world = self.world
        self.worker = Provisioning(
            world.company, world.publisher, world.store, self._choose, self._pause, lambda _: None, retry_after=0.001
        )
        self.syncing = Syncing(world.company, self.worker, still_here_every=0.01)
        self.steps: list[Progress] = []
        for one in PEOPLE:
            items = [RosterItem(f"{other}@{DOMAIN}", other.title(), ("Телефония",)) for other in PEOPLE if other != one]
            domain = RosterItem(DOMAIN, "Статусы телефонии", ("Телефония",), "from")
            self.way.rosters[f"{one}@example.test"] = {item.jid: item for item in (domain, *items)}

    async def _choose(self) -> tuple[RosterWay | None, str]:
        if self.refuses:
            raise self.refuses
        return self.found, "it works" if self.found else "handshake: no API is configured"

    async def _pause(self, took: float) -> None:
        await asyncio.sleep(0)

    @property
    def petrov(self) -> dict[str, RosterItem]:
        return self.way.rosters[PETROV]

    async def survey(self, restore: str | None = None) -> SyncReport:
        return await self.syncing.survey(restore, self.steps.append)

    async def sync(self, restore: str | None = None, *, yes: bool = False) -> SyncReport:
        found = await self.survey(restore)
        async with asyncio.timeout(5):
            return await self.syncing.sync(found.drifted, restore, yes=yes, tell=self.steps.append)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    task = asyncio.create_task(rig.worker.run())
    yield rig
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def drift(rig: Rig) -> None:
    """One of each kind in petrov's roster."""
    ivanov, sidorov = f"ivanov@{DOMAIN}", f"sidorov@{DOMAIN}"
    rig.petrov[DOMAIN] = replace(rig.petrov[DOMAIN], subscription="none")
    rig.petrov[ivanov] = RosterItem(ivanov, "Ваня", ("Друзья",), "none")
    rig.petrov[f"gone@{DOMAIN}"] = RosterItem(f"gone@{DOMAIN}")
    rig.petrov[sidorov] = replace(rig.petrov[sidorov], name="Old")
    rig.world.company.set_roster("petrov", pending=frozenset({"sidorov"}))


async def test_rosters_that_are_right_need_nothing(rig: Rig) -> None:
    before = {account: dict(items) for account, items in rig.way.rosters.items()}
    report = await rig.sync()
    assert (report.dry_run, report.rosters, report.drifted, report.kinds) == (False, 0, {}, NONE)
    assert rig.way.rosters == before


async def test_a_survey_names_all_drift_and_touches_nothing(rig: Rig) -> None:
    drift(rig)
    del rig.way.rosters["sidorov@example.test"][f"ivanov@{DOMAIN}"]
    before = {account: dict(items) for account, items in rig.way.rosters.items()}
    roster, rig.world.store.log[:] = rig.world.company.roster("petrov"), []
    report = await rig.survey()
    assert (report.dry_run, report.method, report.rosters) == (True, "fake", 3)
    assert report.drifted == {"petrov": 4}
    assert report.kinds == {"domain-item": 1, "missing": 0, "subscription": 1, "renamed": 1, "surplus": 1}
    assert report.deleted_by_hand == 1
    assert report.examples[0] == f"petrov: gone@{DOMAIN} is surplus"
    assert report.seconds > 0
    assert rig.steps == [Progress(number, 3, "rosters read") for number in range(4)]
    assert rig.way.rosters == before
    assert rig.world.company.roster("petrov") == roster
    assert rig.world.company.deleted_by_hand("sidorov") == set()
    assert rig.world.store.log == []


async def test_a_sync_repairs_each_kind_and_leaves_the_users_names(rig: Rig) -> None:
    drift(rig)
    report = await rig.sync()
    assert (report.dry_run, report.drifted) == (False, {"petrov": 4})
    assert report.kinds == {"domain-item": 1, "missing": 0, "subscription": 1, "renamed": 1, "surplus": 1}
    assert rig.petrov == {
        DOMAIN: RosterItem(DOMAIN, "Статусы телефонии", ("Телефония",), "from"),
        f"ivanov@{DOMAIN}": RosterItem(f"ivanov@{DOMAIN}", "Ваня", ("Друзья",)),
        f"sidorov@{DOMAIN}": RosterItem(f"sidorov@{DOMAIN}", "Sidorov", ("Телефония",)),
    }
    assert rig.steps[-1] == Progress(4, 4, "changes made")
    assert (await rig.sync()).drifted == {}


async def test_what_was_deleted_by_hand_stays_deleted(rig: Rig) -> None:
    rig.petrov.pop(f"ivanov@{DOMAIN}")  # while nobody listened
    rig.world.subscriptions.received("unsubscribe", PETROV, "sidorov")
    rig.petrov.pop(f"sidorov@{DOMAIN}")
    rig.petrov.pop(DOMAIN)
    del rig.way.rosters["ivanov@example.test"][DOMAIN]
    rig.petrov[f"other@{DOMAIN}"] = RosterItem(f"other@{DOMAIN}", subscription="none")  # so it is no restored account
    report = await rig.sync()
    assert (report.drifted, report.deleted_by_hand) == ({"ivanov": 1, "petrov": 1}, 2)
    assert set(rig.petrov) == {DOMAIN, f"other@{DOMAIN}"}


async def test_restore_brings_back_what_one_employee_deleted_by_hand(rig: Rig) -> None:
    rig.petrov.pop(f"ivanov@{DOMAIN}")  # not noticed yet
    rig.world.subscriptions.received("unsubscribe", PETROV, "sidorov")
    rig.petrov[f"sidorov@{DOMAIN}"] = RosterItem(f"sidorov@{DOMAIN}", "Сидор", (), "none")  # only unsubscribed
    rig.way.rosters["ivanov@example.test"].pop(f"petrov@{DOMAIN}")
    watcher = rig.world.client("petrov")
    rig.world.stream.presences.clear()
    found = await rig.survey("petrov")
    assert (found.rosters, found.drifted, found.deleted_by_hand) == (1, {"petrov": 2}, 0)
    report = await rig.sync("petrov")
    assert (report.drifted, report.kinds["missing"], report.kinds["subscription"]) == ({"petrov": 2}, 1, 1)
    assert rig.petrov[f"ivanov@{DOMAIN}"].name == "Ivanov"
    assert rig.petrov[f"sidorov@{DOMAIN}"] == RosterItem(f"sidorov@{DOMAIN}", "Сидор", (), "to")
    assert rig.world.company.deleted_by_hand("petrov") == set()
    assert rig.world.stream.shown(watcher) == {"ivanov": "online", "sidorov": "online"}
    assert f"petrov@{DOMAIN}" not in rig.way.rosters["ivanov@example.test"], "only the one who was named"


async def test_an_interrupted_command_leaves_the_work_to_the_worker(rig: Rig) -> None:
    for one in ("ivanov", "petrov"):
        rig.way.rosters[f"{one}@example.test"].pop(DOMAIN)
    found = await rig.survey()
    tasks: list[asyncio.Task[SyncReport]] = []

    def interrupt() -> None:
        tasks[0].cancel()

    rig.way.before_add = interrupt
    tasks.append(asyncio.create_task(rig.syncing.sync(found.drifted, None, yes=False, tell=rig.steps.append)))
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    rig.way.before_add = lambda: None
    await until(lambda: all(DOMAIN in items for items in rig.way.rosters.values()))
    assert rig.worker.followers == set()


async def test_a_server_that_goes_away_is_waited_for(rig: Rig) -> None:
    for one in ("ivanov", "petrov"):
        rig.way.rosters[f"{one}@example.test"].pop(DOMAIN)
    found = await rig.survey()
    rig.way.calls_until_broken = 3
    task = asyncio.create_task(rig.syncing.sync(found.drifted, None, yes=False, tell=rig.steps.append))
    await until(lambda: rig.steps[-1].what == "waiting, the API is down")
    assert rig.steps[-1] == Progress(1, 2, "waiting, the API is down")
    rig.way.calls_until_broken = -1
    assert (await task).drifted == {"ivanov": 1, "petrov": 1}
    assert all(DOMAIN in items for items in rig.way.rosters.values())


async def test_a_way_that_is_lost_meanwhile_is_waited_for(rig: Rig) -> None:
    for one in ("ivanov", "petrov"):
        rig.way.rosters[f"{one}@example.test"].pop(DOMAIN)
    found = await rig.survey()

    def lose() -> None:
        rig.way.before_add = lambda: None
        rig.found = None
        rig.worker.choose_again()
        raise RosterError("the link is down")

    rig.way.before_add = lose
    task = asyncio.create_task(rig.syncing.sync(found.drifted, None, yes=False, tell=rig.steps.append))
    await until(lambda: rig.steps[-1].what == "waiting, handshake: no API is configured")
    rig.found = rig.way
    rig.worker.choose_again()
    async with asyncio.timeout(5):
        assert (await task).drifted == {"ivanov": 1, "petrov": 1}


async def test_what_the_worker_does_for_others_meanwhile_is_not_counted(rig: Rig) -> None:
    for one in ("ivanov", "petrov"):
        rig.way.rosters[f"{one}@example.test"].pop(DOMAIN)
    rig.worker.request(["ivanov"])
    async with asyncio.timeout(5):
        report = await rig.syncing.sync({"petrov": 1}, None, yes=False, tell=rig.steps.append)
    assert (report.rosters, report.drifted) == (1, {"petrov": 1})
    assert DOMAIN in rig.way.rosters["ivanov@example.test"]


async def test_a_contact_deleted_while_the_roster_is_put_right_is_not_brought_back(rig: Rig) -> None:
    jid = f"sidorov@{DOMAIN}"
    rig.petrov[DOMAIN] = replace(rig.petrov[DOMAIN], subscription="none")
    rig.petrov[jid] = replace(rig.petrov[jid], subscription="none")

    def delete() -> None:
        rig.way.before_add = lambda: None
        rig.petrov.pop(jid)
        rig.world.subscriptions.received("unsubscribe", PETROV, "sidorov")

    rig.way.before_add = delete
    report = await rig.sync()
    assert (report.drifted, report.deleted_by_hand) == ({"petrov": 1}, 1)
    assert jid not in rig.petrov
    assert rig.world.company.roster("petrov").pending == frozenset()


async def test_accounts_that_are_missing_are_named(rig: Rig) -> None:
    rig.way.missing.add(PETROV)
    assert (await rig.survey()).unreadable == (f"{PETROV} does not exist",)
    async with asyncio.timeout(5):
        report = await rig.syncing.sync({"petrov": 3}, None, yes=False, tell=rig.steps.append)
    assert (report.unreadable, report.drifted) == ((f"{PETROV} does not exist",), {})


async def test_who_left_meanwhile_is_passed_over(rig: Rig) -> None:
    rig.petrov.pop(DOMAIN)
    found = await rig.survey()
    rig.world.company.set_directory((employee("ivanov"), employee("sidorov")))
    async with asyncio.timeout(5):
        report = await rig.syncing.sync(found.drifted, None, yes=False, tell=rig.steps.append)
    assert (report.rosters, report.drifted) == (0, {})


async def test_one_who_leaves_while_rosters_are_read_is_passed_over(rig: Rig) -> None:
    def tell(step: Progress) -> None:
        if step.done == 1:
            rig.world.company.set_directory((employee("ivanov"), employee("sidorov")))

    report = await rig.syncing.survey(None, tell)
    assert report.drifted == {"sidorov": 1}, "petrov's item is surplus now"


@pytest.mark.parametrize("restore", [None, "petrov"])
async def test_rosters_that_cannot_be_reached_are_an_error_that_says_so(rig: Rig, restore: str | None) -> None:
    await until(lambda: rig.worker.method == "fake")
    rig.way.calls_until_broken = 0
    for call in (rig.survey(restore), rig.syncing.sync({}, "petrov", yes=False, tell=rig.steps.append)):
        with pytest.raises(OperationError, match="the rosters cannot be reached: the API is down") as error:
            await call
        assert error.value.hint


async def test_over_the_handshake_nothing_can_be_synced_and_the_reason_is_given() -> None:
    rig = Rig()
    rig.found = None
    for call in (rig.survey(), rig.syncing.sync({}, None, yes=True, tell=rig.steps.append)):
        with pytest.raises(OperationError, match=r"colleagues themselves \(handshake: no API") as error:
            await call
        assert error.value.code == "handshake"
    rig.refuses = RosterError("the password is wrong")
    with pytest.raises(OperationError, match="the password is wrong"):
        await rig.survey()


async def test_a_way_that_works_by_now_is_found_at_once() -> None:
    rig = Rig()
    assert rig.worker.method == "handshake"
    assert (await rig.survey()).method == "fake"


async def test_an_unknown_employee_is_named(rig: Rig) -> None:
    with pytest.raises(OperationError, match="no employee 'nobody'"):
        await rig.survey("nobody")


async def test_big_rosters_are_changed_only_on_request() -> None:
    rig = Rig()
    rig.world.company.set_directory(employee(f"e{number}") for number in range(502))
    task = asyncio.create_task(rig.worker.run())
    with pytest.raises(OperationError, match="have more than 500 contacts, the largest 501; nothing was changed"):
        await rig.syncing.sync({"e7": 1}, "e7", yes=False, tell=rig.steps.append)
    assert "e7@example.test" not in rig.way.rosters
    async with asyncio.timeout(30):
        report = await rig.syncing.sync({"e7": 1}, None, yes=True, tell=rig.steps.append)
    assert report.kinds == NONE | {"domain-item": 1, "missing": 501}
    assert rig.steps[-1] == Progress(502, 502, "changes made")
    assert len(report.examples) == 10
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
