"""Calls that change or read rosters: one after the other, paced, and measured for estimates."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

Pause = Callable[[float], Awaitable[None]]
"""Waits so long that the server stays mostly idle; its argument is the seconds that a call took."""

REMEMBERED = 200
"""Calls of each kind from which a next one's time is estimated."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long calls will take: the server's own time, and all of it with the pauses, in seconds."""

    server: float = 0.0
    total: float = 0.0


class PacedCalls:
    """Makes one call at a time, whoever asks for it; before each the server rests in proportion to the last one.

    `spent` is the seconds that all calls have taken.
    """

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._one = asyncio.Lock()
        self._owed = 0.0
        self.spent = 0.0
        self._reads: deque[Estimate] = deque(maxlen=REMEMBERED)
        self._changes: deque[Estimate] = deque(maxlen=REMEMBERED)

    async def read(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call that reads a roster, after a pause; raises what it raises."""
        return await self._make(call, self._reads)

    async def change(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call that changes a roster, after a pause; raises what it raises."""
        return await self._make(call, self._changes)

    def estimate(self, reads: int, changes: int) -> Estimate:
        """Return how long so many calls will take; before the first change one counts as much as a read."""
        read, change = _mean(self._reads), _mean(self._changes or self._reads)
        return Estimate(reads * read.server + changes * change.server, reads * read.total + changes * change.total)

    async def _make(self, call: Callable[[], Awaitable[T]], times: deque[Estimate]) -> T:
        loop = asyncio.get_running_loop()
        async with self._one:
            begun = loop.time()
            # Before the call, not after it: its answer is to be used while it is fresh.
            owed, self._owed = self._owed, 0.0
            await self._pause(owed)
            started = loop.time()
            try:
                answer = await call()
            finally:
                self._owed = loop.time() - started
                self.spent += self._owed
            times.append(Estimate(self._owed, loop.time() - begun))
            return answer


def _mean(times: deque[Estimate]) -> Estimate:
    if not times:
        return Estimate()
    return Estimate(sum(one.server for one in times) / len(times), sum(one.total for one in times) / len(times))
