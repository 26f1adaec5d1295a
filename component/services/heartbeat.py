"""Every few seconds: is the lease ours, is the store still there, does the server hand back what we send?

A message to ourselves, with the instance's id and a number, goes through the server and comes back on the same stream.
Its return proves that the link lives in both directions and that everything written before was routed. Another
instance's id shows that a second connection of this domain is open, and lost numbers that it takes some of the traffic:
ejabberd splits stanzas between them at random, and tells nobody.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from component.core.lease import may_take
from component.services.catch_up import CatchUp
from component.services.company import Company
from component.services.ports import Clock, Lease, Store, StoreError, Stream
from component.services.publisher import Publisher

log = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two beats."""
BEATS_OF_SILENCE = 3
"""After so many beats without a byte from the server the link is given up."""
BEATS_UNANSWERED = 12
"""After so many beats that did not come back, where others did before, the link is given up: it only hears."""
BEATS_TO_TRUST = 6
"""After so many beats without a sign of a second connection there is none."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A message to ourselves that is under way: what was written before it, and when; `routed` tells its return."""

    writes: int
    at: datetime
    routed: asyncio.Event


def _may_take(now: datetime, is_gone: Callable[[Lease], bool]) -> Callable[[Lease], bool]:
    return lambda held: may_take(held.renewed_at, now, holder_is_gone=is_gone(held))


async def take_lease(
    store: Store, mine: Lease, clock: Clock, is_gone: Callable[[Lease], bool], *, every: float = EVERY
) -> tuple[Lease, bool]:
    """Wait until this instance may serve the company. Raises StoreError.

    Returns its lease, and whether it was taken from an instance that may still be connected (it only expired).

    `is_gone` says whether a lease's holder certainly no longer runs (a process of this host that has ended).
    """
    before: Lease | None = None
    while True:
        now = clock()
        mine = replace(mine, renewed_at=now)
        held = await store.renew_lease(mine, _may_take(now, is_gone))
        if held is None:
            return mine, before is not None and not is_gone(before)
        if before is None:
            log.warning(
                "another instance serves this company (process %d on %s, store %s); this one stands by until it ends",
                held.pid,
                held.host,
                store.url,
            )
        before = held
        await asyncio.sleep(every)


class Heartbeat:
    """Beats until cancelled; ends by itself when another instance has taken the lease."""

    def __init__(
        self,
        lease: Lease,
        company: Company,
        publisher: Publisher,
        catch_up: CatchUp,
        store: Store,
        stream: Stream,
        clock: Clock,
        resync: Callable[[], None],
        *,
        every: float = EVERY,
        contested: bool = False,
    ) -> None:
        """`resync` is called when a second connection has gone: what it took is lost.

        `contested` says that the instance that served before may still be connected. `every` is in seconds.
        """
        self._lease = lease
        self._company = company
        self._publisher = publisher
        self._catch_up = catch_up
        self._store = store
        self._stream = stream
        self._clock = clock
        self._every = every
        self._number = 0
        self.rounds = 0
        self._under_way: dict[int, Beat] = {}
        self._resync = resync
        self._trusted = self._silent_beats = 0
        self._store_lost = self._came_back = False
        self.stranger: str | None = None
        if contested:
            self._report("the instance that served before hangs, and is perhaps still connected")

    async def run(self) -> None:
        """Beat; returns when the lease was lost to another instance."""
        beating = asyncio.create_task(self._beat_on())
        try:
            while True:
                if not await self._may_go_on():
                    return
                await asyncio.sleep(self._every)
        finally:
            beating.cancel()

    async def _beat_on(self) -> None:
        """A task of its own: a store that hangs must not keep a link that hangs from being noticed."""
        while True:
            self.rounds += 1
            self._beat()
            await asyncio.sleep(self._every)

    async def _may_go_on(self) -> bool:
        try:
            if not await self._store.intact():
                log.error("%s was deleted or replaced: all that is known is written anew", self._store.url)
                self._store_lost = True
            if not await self._lease_holds():
                return False
            if self._store_lost:
                await self._write_store_anew()
                self._store_lost = False
        except Exception as problem:  # statuses go on, whatever the store has
            if self._store.failing is None:
                log.warning("%s", problem, exc_info=None if isinstance(problem, StoreError) else problem)
        return True

    def link_up(self) -> None:
        """The handshake is done: what was under way is lost with the old connection."""
        self._under_way.clear()
        self._came_back = False
        self._send()

    def came_back(self, instance: str, number: int) -> None:
        """A message of an instance of this domain came."""
        if instance != self._lease.instance:
            self._report(f"a second connection of {self._company.settings.domain} is open, of another instance")
            return
        beat = self._under_way.get(number)
        if beat is None:
            return
        self._came_back = True
        earlier = [one for one in self._under_way if one <= number]
        if len(earlier) > 1:  # the stream is ordered, and nothing on it gets lost
            self._report("some of what is sent to this component does not arrive: a second connection takes it")
        else:
            self._trust()
        self._publisher.proven(beat.writes)
        if self.stranger is None:
            self._catch_up.linked_at = beat.at
        for one in earlier:
            self._under_way.pop(one).routed.set()

    async def proof(self, within: float) -> bool:
        """Say whether all that was written so far certainly reached the server, within so many seconds."""
        if not self._stream.up:
            return False
        try:
            async with asyncio.timeout(within):
                await self._send().routed.wait()
        except TimeoutError:
            return False
        return True

    async def renew(self) -> None:
        """Look at the store once more before the end: the next start needs all of it, and until when the link held."""
        await self._may_go_on()

    async def _lease_holds(self) -> bool:
        now = self._clock()
        mine = replace(self._lease, renewed_at=now, linked_at=self._catch_up.linked_at)
        held = await self._store.renew_lease(mine, _may_take(now, lambda _: False))
        if held is not None:
            log.error(
                "another instance (process %d on %s) has taken over while this one did not run; this one ends",
                held.pid,
                held.host,
            )
        return held is None

    async def _write_store_anew(self) -> None:
        directory = self._company.directory.employees
        strangers = [one.id for one in (await self._store.load()).employees if one.id not in directory]
        await self._store.replace_directory(tuple(directory.values()), strangers)
        self._company.keep_all()
        self._publisher.keep_all()
        await self._store.committed()
        log.info("the store %s is complete again", self._store.url)

    def _beat(self) -> None:
        if not self._stream.up:
            return
        silence = self._stream.silent_for
        self._silent_beats = self._silent_beats + 1 if silence > self._every else 0
        # A process that was stopped finds a long silence at its first beat, and what came meanwhile still unread.
        if silence > BEATS_OF_SILENCE * self._every and self._silent_beats > 1:
            self._stream.drop(f"nothing has come from the server for {silence:.0f} s")
        elif len(self._under_way) < BEATS_UNANSWERED:
            self._send()
        elif self._came_back:
            self._stream.drop("nothing that was sent to the server has come back for long")
        else:  # a server that never hands anything back
            del self._under_way[min(self._under_way)]
            self._send()

    def _send(self) -> Beat:
        self._number += 1
        beat = self._under_way[self._number] = Beat(self._publisher.writes, self._clock(), asyncio.Event())
        self._stream.send_instance(self._lease.instance, self._number)
        return beat

    def _report(self, problem: str) -> None:
        self._trusted = 0
        if self.stranger is None:
            log.error("%s; presences and messages get lost while two are connected", problem)
        self.stranger = problem

    def _trust(self) -> None:
        self._trusted += 1
        if self.stranger and self._trusted >= BEATS_TO_TRUST:
            self.stranger = None
            log.info("there is no second connection any more; everybody is asked again")
            self._resync()
