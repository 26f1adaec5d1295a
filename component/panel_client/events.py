"""What a client received, in order, and waiting for the next event that fits."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from .stanzas import ReceivedMessage, RosterItem, Seen

Event = Seen | ReceivedMessage | RosterItem
_Kind = TypeVar("_Kind", Seen, ReceivedMessage, RosterItem)


class EventLog:
    """The events that nobody has waited for yet; the oldest are forgotten beyond `size`."""

    def __init__(self, size: int = 10_000) -> None:
        self._events: deque[Event] = deque(maxlen=size)
        self._arrived = asyncio.Event()

    def record(self, event: Event) -> None:
        """Append an event and wake whoever waits."""
        self._events.append(event)
        self._arrived.set()

    def clear(self) -> None:
        """Forget everything that came so far: later waits see only what comes from now on."""
        self._events.clear()

    async def next(self, kind: type[_Kind], fits: Callable[[_Kind], bool], within: float = 5.0) -> _Kind:
        """Wait for the first event of a kind that fits, consume it and return it.

        With a presence, earlier presences of the same full JID are consumed too: they are outdated by it.
        Raises TimeoutError after `within` seconds, with a text that lists what came instead.
        """
        try:
            async with asyncio.timeout(within):
                while True:
                    self._arrived.clear()
                    for event in self._events:
                        if isinstance(event, kind) and fits(event):
                            self._consume(event)
                            return event
                    await self._arrived.wait()
        except TimeoutError:
            came = "\n  ".join(repr(event) for event in self._events) or "nothing"
            raise TimeoutError(f"no fitting {kind.__name__} within {within} s; came instead:\n  {came}") from None

    def _consume(self, event: Event) -> None:
        past = True
        kept = []
        for other in self._events:
            if other is event:
                past = False
            elif not (past and isinstance(event, Seen) and isinstance(other, Seen) and other.jid == event.jid):
                kept.append(other)
        self._events = deque(kept, maxlen=self._events.maxlen)
