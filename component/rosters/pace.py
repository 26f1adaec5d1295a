"""Pacing of the roster calls, so that the server stays mostly idle while rosters are written."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Pace:
    """Leaves the server idle for a share of the time: 0.5 waits as long as a call took, 0.75 three times as long.

    idle_share: from 0 (no waiting) to below 1. clock: seconds of a monotonic clock. Raises ValueError for other
    shares.
    """

    def __init__(
        self,
        idle_share: float = 0.5,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if not 0 <= idle_share < 1:
            raise ValueError(f"the idle share must be at least 0 and below 1, not {idle_share}")
        self._factor = idle_share / (1 - idle_share)
        self._clock = clock
        self._sleep = sleep

    async def after(self, took: float) -> None:
        """Wait in proportion to a call that took so many seconds."""
        await self._sleep(max(took, 0.0) * self._factor)

    async def run(self, call: Awaitable[T]) -> T:
        """Await a call and return its value, then wait in proportion to its time, also when it raises."""
        started = self._clock()
        try:
            return await call
        finally:
            await self.after(self._clock() - started)
