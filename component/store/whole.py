"""Transactions that end, whoever waits for them is cancelled meanwhile."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def whole(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Let a coroutine function run to its end; a cancellation is raised behind it.

    A transaction that is cancelled midway keeps SQLite's lock: the driver's thread goes on, and nobody rolls back.
    """

    @functools.wraps(method)
    async def to_its_end(*args: P.args, **kwargs: P.kwargs) -> T:
        task = asyncio.ensure_future(method(*args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # nobody is left to hear it
            raise

    return to_its_end
