"""After a handshake: what each watcher missed. Neither server repeats anything to clients or to us.

Whoever logged in while there was no link, or may have, gets all his contacts at once; the others get what differs from
what they were told; then, paced, everything once more, in case the note of what was told is wrong.
"""

import asyncio
import logging
from datetime import datetime, timedelta

from component.services.company import Company
from component.services.ports import Stream
from component.services.publisher import Publisher

log = logging.getLogger(__name__)

CLOCKS_DIFFER = timedelta(seconds=5)
"""By how much the server's clock may be behind ours."""
REFRESHED_A_SECOND = 2000
"""Presences of the full refresh; a server of two cores delivers ten times as many."""
PROBES_ROUTED = 2.0
"""Seconds that the answers to the probes after a handshake are waited for."""


class CatchUp:
    """Brings the watchers up to date once after every handshake."""

    def __init__(
        self,
        company: Company,
        publisher: Publisher,
        stream: Stream,
        linked_at: datetime | None,
        *,
        refreshed_a_second: float = REFRESHED_A_SECOND,
    ) -> None:
        """`linked_at` is until when the link of the last run certainly held; None when that is not known."""
        self._company = company
        self._publisher = publisher
        self._stream = stream
        self._refreshed_a_second = refreshed_a_second
        self._stored: set[str] = set()
        self._seen: set[str] = set()
        self.linked_at = self._held_until = linked_at

    def begin(self) -> None:
        """The handshake is done; the sessions known so far hold until they are found or end."""
        self._stored = set(self._company.sessions)
        self._seen = set()
        self._held_until = self.linked_at
        self._publisher.begin_anew()

    def found(self, session: str, employee: str, stamp: datetime, *, new: bool) -> None:
        """A server replayed a session's presence; `stamp` is when the session sent it (XEP-0203).

        A known session whose last presence is from before the link broke has been there ever since. A `new` one was
        not known, or no longer: what was sent to the others meanwhile was not sent to it.
        """
        if new:
            self.ended(session)
        elif session in self._seen:
            return
        self._seen.add(session)
        was_there = self._held_until is not None and stamp < self._held_until - CLOCKS_DIFFER
        if session in self._stored and was_there:
            return
        self._stored.discard(session)
        if self._company.roster(employee).domain_item:
            self._publisher.present_all(employee, (session,))

    def ended(self, session: str) -> None:
        """A session is gone: nothing more is remembered of it."""
        self._stored.discard(session)
        self._seen.discard(session)
        self._publisher.ended(session)

    async def run(self) -> None:
        """Tell the differences, then refresh everybody who got no more than these."""
        try:
            async with asyncio.timeout(PROBES_ROUTED):
                await self._stream.ping(self._company.settings.domain)
        except TimeoutError:
            log.warning("the server does not hand our own ping back; what watchers see is repeated all the same")
        await self._publisher.tell_differences()
        loop = asyncio.get_running_loop()
        at = loop.time()
        for session in tuple(self._stored):
            employee = self._company.sessions.get(session)
            if employee is None or session in self._company.deaf or not self._company.roster(employee).domain_item:
                continue
            self._publisher.present_all(employee, (session,))
            at = max(at, loop.time()) + len(self._company.directory.visible_to(employee)) / self._refreshed_a_second
            await self._stream.room()
            await asyncio.sleep(at - loop.time())
        log.info("everybody who is online has been told everything again")
