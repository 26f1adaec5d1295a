"""The store on a database: `Store` of component.services.ports."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Self

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from component.core.directory import Employee
from component.core.facts import State
from component.core.roster import Roster
from component.services.ports import Lease, Snapshot, StoreError, SubscriptionException
from component.store.errors import explain, name, refuses_row, without_secrets
from component.store.group_commit import GroupCommit
from component.store.opening import identity, make_engine, migrate, parse, prepare_file
from component.store.statements import Batch, Key, read_all, renew_lease, write_batch, write_directory
from component.store.whole import whole

_log = logging.getLogger(__name__)


class Database:
    """Everything that must survive a restart, in SQLite or PostgreSQL; made by `open`, ended by `close`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._file = identity(engine.url)
        self._commits = GroupCommit(self._write)

    @classmethod
    async def open(cls, url: str, *, busy_timeout: float = 5.0) -> Self:
        """Open a database, make or migrate its tables, and start writing.

        `url` is SQLAlchemy's (https://docs.sqlalchemy.org/core/engines.html), `busy_timeout` how many seconds
        SQLite waits for a lock of another process. Raises StoreError, which names the file and what to do.
        """
        parsed = parse(url)
        prepare_file(parsed)
        engine = make_engine(parsed, busy_timeout)
        database = cls(engine)
        try:
            await database._migrate()
        except BaseException:  # cancelled too, the engine must be disposed of; it is raised again
            await engine.dispose()
            raise
        database._commits.start()
        return database

    @whole
    async def intact(self) -> bool:
        """Say whether the file of SQLite is the one that was opened; a lost one was made anew, with empty tables.

        What is written to a deleted file is lost without an error. Raises StoreError when there is no file and none
        can be made.
        """
        if identity(self._engine.url) == self._file:
            return True
        async with self._commits.lock:
            await self._engine.dispose()
            prepare_file(self._engine.url)
            await self._migrate()
            self._file = identity(self._engine.url)
        return False

    async def _migrate(self) -> None:
        with self._explained():
            async with self._engine.begin() as connection:
                await connection.run_sync(migrate)

    async def close(self, within: float = 10.0) -> None:
        """Commit what is queued, within so many seconds, and close; what could not be written is logged."""
        await self._commits.close(within)
        await self._engine.dispose()

    @property
    def url(self) -> str:
        """The database's URL without its password and options."""
        return without_secrets(self._engine.url)

    @property
    def failing(self) -> str | None:
        """Why nothing can be committed at present, and what to do; None while commits succeed."""
        return self._commits.failing

    @property
    def pending(self) -> int:
        """How many rows are queued and not yet committed."""
        return len(self._commits)

    @property
    def commits(self) -> int:
        """How many group commits were made."""
        return self._commits.commits

    @whole
    async def load(self) -> Snapshot:
        """Read everything that is committed; raises StoreError."""
        async with self._commits.lock:
            with self._explained():
                async with self._engine.begin() as connection:
                    try:
                        return await read_all(connection)
                    except ValueError as error:
                        raise StoreError(
                            f"{name(self._engine.url)} holds a value that this version does not know ({error}):"
                            " correct it by hand, or restore a backup"
                        ) from error

    @whole
    async def replace_directory(self, employees: Sequence[Employee], removed: Sequence[str]) -> None:
        """Write the directory as it will be, and forget all of those removed, in one transaction.

        What is still queued of the removed ids is dropped. Raises StoreError; then nothing has changed.
        """
        async with self._commits.lock:
            with self._explained():
                async with self._engine.begin() as connection:
                    await write_directory(connection, employees, removed)
            self._commits.forget(removed)

    def keep_state(self, employee: str, state: State) -> None:
        """Queue an employee's facts; of ids that are not in the directory nothing is written."""
        self._commits.put(Key("state", employee), state)

    def keep_roster(self, employee: str, roster: Roster) -> None:
        """Queue what is known of an employee's roster."""
        self._commits.put(Key("roster", employee), roster)

    def keep_subscription(self, employee: str, contact: str, exception: SubscriptionException | None) -> None:
        """Queue an exception, or with None its end; both are ids."""
        self._commits.put(Key("subscription", employee, contact), exception)

    def keep_told(self, contact: str, digest: str | None) -> None:
        """Queue what a contact's watchers hold; None while that is in doubt."""
        self._commits.put(Key("told", contact), digest)

    def keep_block(self, employee: str, blocked: str, *, ends: bool = False) -> None:
        """Queue that one employee blocks another one, or the end of it."""
        self._commits.put(Key("block", employee, blocked), None if ends else "blocked")

    @whole
    async def renew_lease(self, mine: Lease, may_take: Callable[[Lease], bool]) -> Lease | None:
        """Write an instance's lease, unless another instance's stands that `may_take` does not give away.

        Returns that other lease, or None. Raises StoreError.
        """
        async with self._commits.lock:
            with self._explained():
                async with self._engine.begin() as connection:
                    return await renew_lease(connection, mine, may_take)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back when all that is queued is committed, or could not be."""
        self._commits.after_commit(callback)

    async def committed(self) -> None:
        """Wait until all that is queued is committed.

        Raises StoreError when it could not be: it stays queued and is tried again. A row that the database
        refuses for its values is logged and dropped, since it would keep all others from being committed.
        """
        await self._commits.committed()

    async def _write(self, batch: Batch) -> list[str]:
        try:
            with self._explained():
                async with self._engine.begin() as connection:
                    await write_batch(connection, batch)
        except StoreError as error:
            if error.__cause__ is None or not refuses_row(error.__cause__):
                raise
            if len(batch) > 1:
                half = len(batch) // 2
                return [
                    *await self._write(dict(islice(batch.items(), half))),
                    *await self._write(dict(islice(batch.items(), half, None))),
                ]
            (key,) = batch
            _log.error("the %s of %s cannot be stored and is dropped: %s", key.kind, key.employee, error)
            return [str(error)]
        return []

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, UnicodeError) as error:
            raise StoreError(explain(error, self._engine.url)) from error
