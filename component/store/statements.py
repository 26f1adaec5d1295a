"""What is read and written, in SQL, inside a transaction that the caller has begun."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby, islice
from typing import Any, Literal, NamedTuple, TypeVar

from sqlalchemy import Executable, Table, bindparam, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from component.core.directory import Employee
from component.core.facts import State
from component.core.roster import Roster
from component.services.ports import Lease, Snapshot
from component.store import rows
from component.store.rows import Values
from component.store.schema import blocks, employees, lease, rosters, sessions, states, subscriptions, told

T = TypeVar("T")

DIALECTS = ("sqlite", "postgresql")
_AT_ONCE = 500  # rows a statement, so that converting them never holds the event loop for long


class Key(NamedTuple):
    """What is queued of an employee; a subscription's and a block's key names another one, too."""

    kind: Literal["state", "roster", "subscription", "told", "block"]
    employee: str
    contact: str = ""


Value = State | Roster | str | None
"""The row's new content; None of a subscription or a block ends it, of what was told it means "in doubt"."""
Batch = Mapping[Key, Value]


@cache
def ignoring(table: Table, dialect: str) -> Executable:
    """Return INSERT … ON CONFLICT DO NOTHING, for a table that is all key."""
    statement = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    return statement.on_conflict_do_nothing()


@cache
def upsert(table: Table, dialect: str) -> Executable:
    """Return INSERT … ON CONFLICT (primary key) DO UPDATE of all other columns."""
    statement = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    key = [column.name for column in table.primary_key]
    changed = {column.name: column for column in statement.excluded if column.name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=changed)


_FORGET_SESSIONS = delete(sessions).where(sessions.c.employee == bindparam("of"))
_FORGET_EXCEPTION = delete(subscriptions).where(
    subscriptions.c.employee == bindparam("of"), subscriptions.c.contact == bindparam("to")
)
_FORGET_BLOCK = delete(blocks).where(blocks.c.employee == bindparam("of"), blocks.c.blocked == bindparam("to"))
# The foreign keys would cascade too, but not in a database whose checks are switched off.
_REMOVE = (
    delete(subscriptions).where(
        or_(subscriptions.c.employee == bindparam("of"), subscriptions.c.contact == bindparam("of"))
    ),
    delete(blocks).where(or_(blocks.c.employee == bindparam("of"), blocks.c.blocked == bindparam("of"))),
    delete(told).where(told.c.contact == bindparam("of")),
    delete(rosters).where(rosters.c.employee == bindparam("of")),
    _FORGET_SESSIONS,
    delete(states).where(states.c.employee == bindparam("of")),
    delete(employees).where(employees.c.id == bindparam("of")),
)

_FORGET_ACCOUNT = (
    _FORGET_SESSIONS,
    delete(rosters).where(rosters.c.employee == bindparam("of")),
    delete(subscriptions).where(subscriptions.c.employee == bindparam("of")),
)


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while chunk := list(islice(rest, _AT_ONCE)):
        yield chunk


async def _many(connection: AsyncConnection, statement: Executable, values: Iterable[Values]) -> None:
    for chunk in _chunks(values):
        await connection.execute(statement, chunk)


async def _known(connection: AsyncConnection, ids: Iterable[str]) -> set[str]:
    known: set[str] = set()
    for chunk in _chunks(ids):
        known.update(await connection.scalars(select(employees.c.id).where(employees.c.id.in_(chunk))))
    return known


async def write_directory(connection: AsyncConnection, directory: Sequence[Employee], removed: Sequence[str]) -> None:
    """Delete all that is known of the removed ids and of accounts that change, then write the directory's employees.

    A crash right after must not leave what is known of one account with another one.
    """
    known = await connection.execute(select(employees.c.id, employees.c.account))
    accounts = {row.id: row.account for row in known}
    moved = [one.id for one in directory if accounts.get(one.id, one.account) != one.account]
    for statement in _FORGET_ACCOUNT:
        await _many(connection, statement, ({"of": one} for one in moved))
    for statement in _REMOVE:
        await _many(connection, statement, ({"of": one} for one in removed))
    insert = upsert(employees, connection.dialect.name)
    await _many(connection, insert, (rows.employee_row(one) for one in directory))


async def write_batch(connection: AsyncConnection, batch: Batch) -> None:
    """Write what was queued. Rows of ids that are not in the directory (any more) are left out."""
    known = await _known(connection, {one for key in batch for one in (key.employee, key.contact) if one})
    kept = [
        (key, value)
        for key, value in batch.items()
        if key.employee in known and (not key.contact or key.contact in known)
    ]
    dialect = connection.dialect.name
    await _write_states(connection, [(key.employee, one) for key, one in kept if isinstance(one, State)])
    of_rosters = (rows.roster_row(key.employee, one) for key, one in kept if isinstance(one, Roster))
    await _many(connection, upsert(rosters, dialect), of_rosters)
    of_told = ({"contact": key.employee, "digest": one} for key, one in kept if key.kind == "told")
    await _many(connection, upsert(told, dialect), of_told)
    exceptions = [(key, one) for key, one in kept if key.kind == "subscription"]
    await _pairs(connection, _FORGET_EXCEPTION, upsert(subscriptions, dialect), "contact", "exception", exceptions)
    blocked = [(key, one) for key, one in kept if key.kind == "block"]
    await _pairs(connection, _FORGET_BLOCK, ignoring(blocks, dialect), "blocked", None, blocked)


async def _pairs(
    connection: AsyncConnection,
    forget: Executable,
    keep: Executable,
    second: str,
    value: str | None,
    kept: Sequence[tuple[Key, Value]],
) -> None:
    await _many(connection, forget, ({"of": key.employee, "to": key.contact} for key, one in kept if one is None))
    present = ((key, one) for key, one in kept if one is not None)
    rest = ({"employee": key.employee, second: key.contact} | ({value: one} if value else {}) for key, one in present)
    await _many(connection, keep, rest)


async def _write_states(connection: AsyncConnection, kept: Sequence[tuple[str, State]]) -> None:
    await _many(
        connection,
        upsert(states, connection.dialect.name),
        (rows.state_row(employee, state) for employee, state in kept),
    )
    # Which sessions ended is not known here, so all of an employee's are written anew.
    await _many(connection, _FORGET_SESSIONS, ({"of": employee} for employee, _ in kept))
    await _many(
        connection,
        sessions.insert(),
        (row for employee, state in kept for row in rows.session_rows(employee, state)),
    )


async def read_all(connection: AsyncConnection) -> Snapshot:
    """Read everything; raises ValueError for a value that this version does not know."""
    ordered = select(sessions).order_by(sessions.c.employee, sessions.c.position)
    of_employee: dict[str, list[Any]] = {
        employee: list(group)
        for employee, group in groupby(await connection.execute(ordered), key=lambda row: row.employee)
    }
    return Snapshot(
        employees=[
            rows.employee_of(row) for row in await connection.execute(select(employees).order_by(employees.c.id))
        ],
        states={
            row.employee: rows.state_of(row, of_employee.get(row.employee, ()))
            for row in await connection.execute(select(states))
        },
        rosters={row.employee: rows.roster_of(row) for row in await connection.execute(select(rosters))},
        subscriptions={
            (row.employee, row.contact): rows.exception_of(row)
            for row in await connection.execute(select(subscriptions))
        },
        told={row.contact: row.digest for row in await connection.execute(select(told))},
        blocks=frozenset((row.employee, row.blocked) for row in await connection.execute(select(blocks))),
        lease=await _read_lease(connection),
    )


async def _read_lease(connection: AsyncConnection) -> Lease | None:
    row = (await connection.execute(select(lease))).one_or_none()
    return None if row is None else Lease(row.instance, row.host, row.pid, row.renewed_at, row.linked_at)


async def renew_lease(connection: AsyncConnection, mine: Lease, may_take: Callable[[Lease], bool]) -> Lease | None:
    """Write an instance's lease unless another one's stands that may not be taken; that one is returned."""
    held = await _read_lease(connection)
    if held is not None and held.instance != mine.instance and not may_take(held):
        return held
    values = {name: getattr(mine, name) for name in Lease.__dataclass_fields__}
    if mine.linked_at is None and held is not None:
        values["linked_at"] = held.linked_at
    await connection.execute(upsert(lease, connection.dialect.name), [values | {"id": 1}])
    return None
