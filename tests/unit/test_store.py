"""The store on real SQLite files: what is kept comes back, and nothing else does."""

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from component.core.directory import Employee
from component.core.facts import CHOOSABLE, Choice, Mode, Panel, Phone, Report, Session, State, Status
from component.core.roster import Roster
from component.services.ports import Lease, Store, StoreError
from component.store.database import Database

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def employee(id: str) -> Employee:
    return Employee(id, id, f"{id}@example.test", f"Name of {id}")


def chosen(status: Status, at: datetime = NOW) -> State:
    return State(choice=Choice(status, at), launched_at=at)


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(url_of(tmp_path / "store.db"), busy_timeout=0.05)
    await opened.replace_directory([employee("ivanov"), employee("petrov"), employee("sidorov")], [])
    yield opened
    await opened.close()


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
zones = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=zones)
choices = st.builds(Choice, st.sampled_from(CHOOSABLE), moments, st.none() | texts, st.none() | moments)
reports = st.builds(Report, st.sampled_from(Phone), moments, texts, st.none() | moments)
panels = st.builds(Panel, st.sampled_from(Mode), st.none() | st.sampled_from(Phone), moments)
sessions = st.builds(Session, st.none() | moments, st.booleans(), st.none() | panels)
states = st.builds(
    State,
    st.none() | choices,
    st.none() | moments,
    st.none() | moments,
    st.none() | st.sampled_from(Mode),
    st.none() | moments,
    st.none() | reports,
    st.dictionaries(texts.map(lambda resource: f"ivanov@example.test/{resource}"), sessions, max_size=4),
)
ids = st.frozensets(texts, max_size=4)
rosters = st.builds(Roster, st.booleans(), ids, ids, st.booleans(), st.none() | moments, ids)
employees = st.builds(
    Employee,
    id=texts.filter(bool),
    localpart=texts,
    account=texts,
    name=texts,
    extension=texts,
    groups=st.lists(texts, max_size=3).map(tuple),
    mode=st.none() | st.sampled_from(Mode),
    language=st.sampled_from([None, "ru", "en"]),
    timezone=st.none() | texts,
)


@settings(deadline=None, max_examples=25)
@given(kept=st.lists(st.tuples(employees, states, rosters), max_size=4, unique_by=lambda one: one[0].id))
async def test_everything_survives_a_restart(kept: list[tuple[Employee, State, Roster]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = url_of(Path(folder) / "store.db")
        first = await Database.open(url)
        await first.replace_directory([one for one, _, _ in kept], [])
        for one, state, roster in kept:
            first.keep_state(one.id, state)
            first.keep_roster(one.id, roster)
        await first.close()
        second = await Database.open(url)
        snapshot = await second.load()
        await second.close()
    assert list(snapshot.employees) == sorted((one for one, _, _ in kept), key=lambda one: one.id.encode())
    assert snapshot.states == {one.id: state for one, state, _ in kept}
    assert snapshot.rosters == {one.id: roster for one, _, roster in kept}
    for one, state, _ in kept:
        assert list(snapshot.states[one.id].sessions) == list(state.sessions)


async def test_it_is_a_store(database: Database) -> None:
    store: Store = database
    assert (await store.load()).subscriptions == {}


async def test_instants_come_back_in_utc(database: Database) -> None:
    database.keep_state("ivanov", chosen(Status.BUSY, NOW.astimezone(timezone(timedelta(hours=3)))))
    await database.committed()
    choice = (await database.load()).states["ivanov"].choice
    assert choice is not None
    assert (choice.at, choice.at.tzinfo) == (NOW, UTC)


async def test_the_last_one_wins(database: Database) -> None:
    for status in (Status.BUSY, Status.DND):
        database.keep_state("ivanov", chosen(status))
    await database.committed()
    database.keep_state("petrov", chosen(Status.BUSY))
    await database.committed()
    database.keep_state("petrov", State())
    await database.committed()
    assert (await database.load()).states == {"ivanov": chosen(Status.DND), "petrov": State()}


async def test_sessions_that_ended_are_gone(database: Database) -> None:
    one, other = Session(NOW, True), Session(None)
    database.keep_state("ivanov", State(sessions={"ivanov@example.test/a": one, "ivanov@example.test/b": other}))
    await database.committed()
    database.keep_state("ivanov", State(sessions={"ivanov@example.test/b": other}))
    await database.committed()
    assert (await database.load()).states["ivanov"].sessions == {"ivanov@example.test/b": other}


async def test_two_employees_may_hold_the_same_session(database: Database) -> None:
    """An account may move from one employee to another one while its session lasts."""
    state = State(sessions={"shared@example.test/a": Session(None)})
    database.keep_state("ivanov", state)
    database.keep_state("petrov", state)
    await database.committed()
    assert (await database.load()).states == {"ivanov": state, "petrov": state}


async def test_exceptions_come_and_go(database: Database) -> None:
    database.keep_subscription("ivanov", "petrov", "deleted")
    database.keep_subscription("ivanov", "sidorov", "approved")
    database.keep_subscription("petrov", "ivanov", "deleted")
    await database.committed()
    database.keep_subscription("ivanov", "petrov", None)
    database.keep_subscription("petrov", "ivanov", "approved")
    await database.committed()
    kept = (await database.load()).subscriptions
    assert kept == {("ivanov", "sidorov"): "approved", ("petrov", "ivanov"): "approved"}


async def test_an_import_renames_swaps_and_keeps_the_facts(database: Database) -> None:
    database.keep_state("ivanov", chosen(Status.DND))
    await database.committed()
    ivanov = Employee("ivanov", "ivanov", "petrov@example.test", "Renamed", "101", ("Sales", "Board"))
    petrov = Employee("petrov", "petrov", "ivanov@example.test", "Пётр", mode=Mode.DESKPHONE, language="ru")
    await database.replace_directory([ivanov, petrov, employee("sidorov")], [])
    snapshot = await database.load()
    assert list(snapshot.employees) == [ivanov, petrov, employee("sidorov")]
    assert snapshot.states == {"ivanov": chosen(Status.DND)}


async def test_all_of_a_removed_employee_is_forgotten(database: Database) -> None:
    for one in ("ivanov", "petrov"):
        database.keep_state(one, State(sessions={f"{one}@example.test/a": Session(None)}))
        database.keep_roster(one, Roster(pending=frozenset({"sidorov"})))
    database.keep_subscription("ivanov", "petrov", "deleted")
    database.keep_subscription("petrov", "ivanov", "deleted")
    database.keep_subscription("petrov", "sidorov", "deleted")
    await database.committed()
    await database.replace_directory([employee("petrov"), employee("sidorov")], ["ivanov"])
    snapshot = await database.load()
    assert [one.id for one in snapshot.employees] == ["petrov", "sidorov"]
    assert list(snapshot.states) == list(snapshot.rosters) == ["petrov"]
    assert snapshot.subscriptions == {("petrov", "sidorov"): "deleted"}
    await database.replace_directory([employee("ivanov"), employee("petrov"), employee("sidorov")], [])
    assert list((await database.load()).states) == ["petrov"]


async def test_what_is_queued_does_not_bring_a_removed_employee_back(database: Database) -> None:
    def keep() -> None:
        database.keep_state("ivanov", State(sessions={"ivanov@example.test/a": Session(None)}))
        database.keep_roster("ivanov", Roster())
        database.keep_subscription("petrov", "ivanov", "deleted")

    async def keep_meanwhile() -> None:
        keep()

    keep()
    rest = [employee("petrov"), employee("sidorov")]
    await asyncio.gather(database.replace_directory(rest, ["ivanov"]), keep_meanwhile())
    keep()
    await database.committed()
    snapshot = await database.load()
    assert not snapshot.states
    assert not snapshot.rosters
    assert not snapshot.subscriptions
    assert database.pending == 0


async def test_many_callers_share_few_commits(database: Database) -> None:
    async def keep(number: int) -> None:
        database.keep_state("ivanov", chosen(Status.BUSY, NOW + timedelta(seconds=number)))
        await database.committed()

    await asyncio.gather(*(keep(number) for number in range(100)))
    assert database.commits <= 3
    assert (await database.load()).states["ivanov"] == chosen(Status.BUSY, NOW + timedelta(seconds=99))


async def test_a_locked_file_loses_nothing(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "component.store")
    other = sqlite3.connect(tmp_path / "store.db")
    other.execute("BEGIN EXCLUSIVE")
    database.keep_state("ivanov", chosen(Status.BUSY))
    for _ in range(2):
        with pytest.raises(StoreError, match=r"store\.db is locked by another process"):
            await database.committed()
    with pytest.raises(StoreError, match="locked"):
        await database.replace_directory([], ["petrov"])
    database.keep_state("petrov", chosen(Status.BUSY))
    database.keep_state("ivanov", chosen(Status.DND))
    assert "locked" in str(database.failing)
    assert database.pending == 2
    other.execute("ROLLBACK")
    other.close()
    await database.committed()
    assert (database.pending, database.failing) == (0, None)
    assert (await database.load()).states == {"ivanov": chosen(Status.DND), "petrov": chosen(Status.BUSY)}
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_closing_is_bounded_and_says_what_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = await Database.open(url_of(tmp_path / "store.db"), busy_timeout=0.5)
    other = sqlite3.connect(tmp_path / "store.db")
    other.execute("BEGIN EXCLUSIVE")
    database.keep_state("ivanov", State())
    await database.close(within=0.05)
    other.close()
    assert "1 rows could not be written" in caplog.text
    with pytest.raises(StoreError, match="closed"):
        await database.committed()


@pytest.mark.parametrize(
    "bad", [chosen(Status.BUSY, NOW.replace(tzinfo=None)), State(sessions={"\ud800": Session(None)})]
)
async def test_a_row_that_can_never_be_stored_does_not_hold_up_the_others(database: Database, bad: State) -> None:
    database.keep_state("ivanov", chosen(Status.DND))
    database.keep_state("petrov", bad)
    database.keep_roster("sidorov", Roster(domain_item=True))
    with pytest.raises(StoreError):
        await database.committed()
    snapshot = await database.load()
    assert snapshot.states == {"ivanov": chosen(Status.DND)}
    assert snapshot.rosters == {"sidorov": Roster(domain_item=True)}
    assert (database.pending, database.failing) == (0, None)


async def test_an_unknown_value_is_named(database: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.db")
    with other:
        other.execute("UPDATE employees SET mode = 'satellite'")
    other.close()
    with pytest.raises(StoreError, match=r"store\.db holds a value .*'satellite'"):
        await database.load()


async def test_a_big_company(database: Database) -> None:
    company = [employee(f"e{number:05}") for number in range(10_000)]
    await database.replace_directory(company, ["ivanov", "petrov", "sidorov"])
    for one in company:
        database.keep_state(one.id, State(launched_at=NOW, sessions={f"{one.account}/a": Session(NOW)}))
    await database.committed()
    snapshot = await database.load()
    assert list(snapshot.employees) == company
    assert len(snapshot.states) == 10_000
    assert database.commits == 1


async def test_what_was_told_and_blocked_comes_back(database: Database) -> None:
    database.keep_told("ivanov", "digest")
    database.keep_told("petrov", None)
    database.keep_block("ivanov", "petrov")
    database.keep_block("petrov", "sidorov")
    await database.committed()
    database.keep_block("petrov", "sidorov", ends=True)
    database.keep_block("ivanov", "petrov")
    await database.committed()
    snapshot = await database.load()
    assert snapshot.told == {"ivanov": "digest", "petrov": None}
    assert snapshot.blocks == {("ivanov", "petrov")}
    await database.replace_directory([employee("ivanov")], ["petrov", "sidorov"])
    snapshot = await database.load()
    assert (snapshot.told, snapshot.blocks) == ({"ivanov": "digest"}, frozenset())


async def test_one_instance_holds_the_lease(database: Database) -> None:
    first, second = Lease("one", "host", 1, NOW, NOW), Lease("two", "host", 2, NOW + timedelta(seconds=1))
    assert await database.renew_lease(first, lambda _: False) is None
    assert await database.renew_lease(second, lambda held: held != first) == first
    assert (await database.load()).lease == first
    assert await database.renew_lease(second, lambda held: held == first) is None
    second = replace(second, linked_at=NOW)  # a new instance leaves it until its own link holds
    assert (await database.load()).lease == second
    assert await database.renew_lease(first, lambda _: False) == second


async def test_what_hangs_on_an_account_goes_with_it_in_the_same_commit(database: Database) -> None:
    shared = State(launched_at=NOW, sessions={"ivanov@example.test/a": Session(None)})
    for one in ("ivanov", "petrov"):
        database.keep_state(one, shared)
        database.keep_roster(one, Roster(provisioned=True))
        database.keep_subscription(one, "sidorov", "deleted")
        database.keep_subscription("sidorov", one, "approved")
    await database.committed()
    moved = replace(employee("ivanov"), account="ivanov.i@example.test")
    await database.replace_directory([moved, employee("petrov"), employee("sidorov")], [])
    snapshot = await database.load()
    assert snapshot.states == {"ivanov": State(launched_at=NOW), "petrov": shared}
    assert snapshot.rosters == {"petrov": Roster(provisioned=True)}
    assert snapshot.subscriptions == {
        ("petrov", "sidorov"): "deleted",
        ("sidorov", "ivanov"): "approved",
        ("sidorov", "petrov"): "approved",
    }


async def test_whoever_is_cancelled_keeps_no_lock(database: Database) -> None:
    mine = Lease("one", "host", 1, NOW)
    for turns in range(200):
        renewing = asyncio.create_task(database.renew_lease(mine, lambda _: False))
        for _ in range(turns):
            await asyncio.sleep(0)
        renewing.cancel()
        await asyncio.wait([renewing])
        database.keep_state("ivanov", chosen(Status.BUSY))
        await database.committed()
