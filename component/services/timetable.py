"""One heap of wall-clock deadlines for everything that happens by time alone."""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta

from component.services.ports import Clock

LONGEST_SLEEP = 30.0
"""Seconds after which the clock is looked at again, so that a clock that was set is noticed."""
SET_BACK = timedelta(seconds=1)
"""By how much a clock goes back at least that was set back."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Timetable:
    """Calls back at instants; a key has at most one deadline, the last one set."""

    def __init__(self, clock: Clock, *, longest_sleep: float = LONGEST_SLEEP) -> None:
        self._clock = clock
        self._longest_sleep = longest_sleep
        self._heap: list[tuple[datetime, int]] = []
        self._numbers = itertools.count()
        self._entries: dict[int, tuple[Hashable, Callable[[], None]]] = {}
        self._current: dict[Hashable, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._ahead: timedelta | None = None

    def at(self, key: Hashable, when: datetime, callback: Callable[[], None]) -> None:
        """Call back at `when` (or as soon as possible after it), instead of what was set for the key."""
        self._notice_the_clock()
        self.cancel(key)
        number = next(self._numbers)
        self._entries[number] = (key, callback)
        self._current[key] = number
        heapq.heappush(self._heap, (when, number))
        if self._heap[0][1] == number:
            self._arm()

    def cancel(self, key: Hashable) -> None:
        """Forget the key's deadline, if it has one."""
        number = self._current.pop(key, None)
        if number is not None:
            del self._entries[number]
            if len(self._heap) > 64 and len(self._heap) > 4 * len(self._entries):
                self._heap = [entry for entry in self._heap if entry[1] in self._entries]
                heapq.heapify(self._heap)

    def close(self) -> None:
        """Forget everything."""
        self._heap.clear()
        self._entries.clear()
        self._current.clear()
        self._arm()

    def _notice_the_clock(self) -> None:
        """A clock that was set back takes the deadlines with it: most are so many seconds from then, and whoever is
        called too early looks again.
        """
        before = self._ahead
        self._ahead = (self._clock() - _EPOCH) - timedelta(seconds=asyncio.get_running_loop().time())
        if before is not None and before - self._ahead > SET_BACK:
            self._heap = [(when - (before - self._ahead), number) for when, number in self._heap]

    def _arm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._heap and self._heap[0][1] not in self._entries:
            heapq.heappop(self._heap)
        if self._heap:
            delay = (self._heap[0][0] - self._clock()).total_seconds()
            self._timer = asyncio.get_running_loop().call_later(min(max(delay, 0), self._longest_sleep), self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._notice_the_clock()
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            _, number = heapq.heappop(self._heap)
            if number in self._entries:
                key, callback = self._entries.pop(number)
                del self._current[key]
                # Each on its own: one that fails must not take the others with it.
                asyncio.get_running_loop().call_soon(callback)
        self._arm()
