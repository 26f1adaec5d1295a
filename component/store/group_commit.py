"""Write-behind: what is queued is committed by one task, all of it in one transaction, and kept until it is."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection

from component.services.ports import StoreError
from component.store.statements import Batch, Key, Value

_log = logging.getLogger(__name__)

Write = Callable[[Batch], Awaitable[list[str]]]
"""Commits a batch; returns what of it was refused for good, one text a row; raises StoreError when nothing was."""


class GroupCommit:
    """The queue and the task that commits it.

    `lock` is held during a commit, so that whoever holds it finds everything uncommitted in the queue.
    While commits fail they are tried again after `backoff` (first, last) seconds, or at the next `committed()`.
    """

    def __init__(self, write: Write, *, backoff: tuple[float, float] = (0.2, 5.0)) -> None:
        self.lock = asyncio.Lock()
        self.failing: str | None = None
        self.commits = 0
        self._write = write
        self._backoff = backoff
        self._queue: dict[Key, Value] = {}
        self._waiters: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._queue)

    def start(self) -> None:
        """Start the task."""
        self._task = asyncio.create_task(self._run(), name="store")

    def put(self, key: Key, value: Value) -> None:
        """Queue a row; the last one of a key wins."""
        self._queue[key] = value
        self._wake.set()

    def forget(self, employees: Collection[str]) -> None:
        """Drop what is queued of these employees; the caller holds `lock`."""
        gone = set(employees)
        self._queue = {key: value for key, value in self._queue.items() if gone.isdisjoint((key.employee, key.contact))}

    async def committed(self) -> None:
        """Wait until all that is queued is committed.

        Raises StoreError when this commit failed (all stays queued), or when it refused a row of the batch.
        """
        if self._closed:
            raise StoreError("the store is closed")
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._asked.set()
        self._wake.set()
        await waiter

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back when all that is queued is committed, or could not be."""

        def done(waiter: asyncio.Future[None]) -> None:
            waiter.exception()  # the store has logged it
            callback()

        waiter = asyncio.get_running_loop().create_future()
        waiter.add_done_callback(done)
        self._waiters.append(waiter)
        self._wake.set()

    async def close(self, within: float) -> None:
        """Commit the queue within that many seconds and end the task; what could not be is logged and lost."""
        with contextlib.suppress(TimeoutError, StoreError):
            async with asyncio.timeout(within):
                await self.committed()
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._queue:
            _log.error("the store is closed, but %d rows could not be written and are lost", len(self._queue))
        self._answer(self._waiters, "the store is closed")

    async def _run(self) -> None:
        first, last = self._backoff
        delay = first
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._asked.clear()
            if await self._commit():
                delay = first
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._asked.wait()
            delay = min(2 * delay, last)
            self._wake.set()

    async def _commit(self) -> bool:
        async with self.lock:
            waiters, self._waiters = self._waiters, []
            batch, self._queue = self._queue, {}
            refused: list[str] = []
            try:
                if batch:
                    refused = await self._write(batch)
            except asyncio.CancelledError:
                self._queue = batch | self._queue
                raise
            # Whatever happened: a task that ends would let every later committed() wait for ever.
            except Exception as error:
                self._queue = batch | self._queue
                self._answer(waiters, self._failed(error))
                return False
        if batch:
            self.commits += 1
            self._succeeded()
        self._answer(waiters, "; ".join(refused))
        return True

    def _failed(self, error: Exception) -> str:
        if self.failing is None:
            _log.warning(
                "cannot write to the store: %s. What is new is kept in memory and tried again",
                error,
                exc_info=None if isinstance(error, StoreError) else error,
            )
        self.failing = str(error) or type(error).__name__
        return self.failing

    def _succeeded(self) -> None:
        if self.failing is not None:
            _log.info("the store can be written again; what was kept in memory is committed")
        self.failing = None

    @staticmethod
    def _answer(waiters: Collection[asyncio.Future[None]], problem: str) -> None:
        for waiter in waiters:
            if waiter.done():
                continue
            if problem:
                waiter.set_exception(StoreError(problem))
            else:
                waiter.set_result(None)
