"""Facts -> presences: only on change, only to those who may see it, the first at once, then one a second.

What a contact's watchers hold is noted in the store: "in doubt" before a presence is written, its digest once it
certainly reached the server. A crash between the two costs a repeat, never a lie.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from component.core.facts import Event
from component.core.fanout import INTERVAL, Told, send_at
from component.core.presence import Presence, withdrawn
from component.core.told import digest
from component.services.company import Company
from component.services.ports import Clock, Store, StoreError, Stream, Timers

PATIENCE = timedelta(milliseconds=500)
"""How long a presence waits for the store at most: a locked database must not hold back what is true."""
PRESENTED_EVERY = timedelta(seconds=10)
"""The least time between two presentations of everything to one address, whatever it does to get another one."""
AT_ONCE = 50
"""Contacts that are compared between two breaths after a handshake."""


class Publisher:
    """Sends every contact's presence to its watchers and knows what they were told."""

    def __init__(
        self,
        company: Company,
        stream: Stream,
        store: Store,
        timetable: Timers,
        clock: Clock,
        stored: Mapping[str, str | None],
    ) -> None:
        """`stored` are the digests of what watchers were told before the start, as the store has them."""
        self._company = company
        self._stream = stream
        self._store = store
        self._timetable = timetable
        self._clock = clock
        self._stored = dict(stored)
        self._told: dict[str, Told] = {}
        self._marking: set[str] = set()
        self._doubtful: dict[str, int] = {}
        self._fresh: set[str] = set()
        self._presented: OrderedDict[str, datetime] = OrderedDict()
        self._shown: dict[str, Presence | None] = {}
        self._withdrawn = False
        self.writes = 0
        self.owed = 0

    def told(self, contact: str) -> Told | None:
        """Return what a contact's watchers were told last; None while only the store knows of it."""
        return self._told.get(contact)

    def record(self, employee: str, event: Event) -> None:
        """Take an event in and show what it changes."""
        self._company.apply(employee, event, self._clock())
        self.refresh(employee)

    def refresh(self, employee: str) -> None:
        """Send an employee's presence now, later or not at all, and look again when time alone may change it."""
        if employee not in self._company.directory.employees:
            self._timetable.cancel(employee)
            for known in (self._told, self._doubtful, self._stored, self._shown):
                known.pop(employee, None)
            return
        if self._withdrawn:
            return
        now = self._clock()
        later = self._company.next_change(employee, now)
        if self._stream.up and employee not in self._marking:
            presence = self._company.presence(employee, now)
            due = send_at(self._told_or_stored(employee, presence), presence, now)
            if due is not None and due > now:
                later = due if later is None else min(due, later)
            elif due is not None and employee in self._doubtful:
                self._send(employee, presence)
            elif due is not None:
                self._mark(employee)
        if later is None:
            self._timetable.cancel(employee)
        else:
            self._timetable.at(employee, later, lambda: self.refresh(employee))

    def present(self, contacts: Iterable[str], to: Iterable[str], *, answer: bool = False) -> None:
        """Send contacts' presences to some addresses: what all watchers were told, so that a held back change that
        is taken back again leaves nobody with a presence of its own.
        """
        if self._withdrawn:
            return
        now, to = self._clock(), tuple(to)
        for contact in contacts:
            employee = self._company.directory.employees[contact]
            if told := self._told.get(contact):
                presence = told.presence
            else:
                presence = self._company.presence(contact, now)
                if self._shown.setdefault(contact, presence) != presence:
                    self._shown[contact] = None
            self._stream.send_presence(employee.localpart, presence, to, answer=answer)

    def present_all(self, viewer: str, to: Iterable[str]) -> None:
        """Send everything that an employee sees to some of his addresses, now or as soon as it may be once more."""
        due = [one for one in to if not self._presented_just_now(viewer, one)]
        if not due:
            return
        self._fresh.update(due)
        visible = self._company.directory.visible_to(viewer)
        self.present((contact for contact in visible if self._company.subscribed(viewer, contact)), due)

    def _presented_just_now(self, viewer: str, address: str) -> bool:
        now, last = self._clock(), self._presented.pop(address, None)
        if last is not None and last <= now < last + PRESENTED_EVERY:
            self._presented[address] = last
            self._timetable.at(("all", address), last + PRESENTED_EVERY, partial(self._present_again, viewer, address))
            return True
        self._presented[address] = now
        while not now - PRESENTED_EVERY < next(iter(self._presented.values())) <= now:
            self._presented.popitem(last=False)
        return False

    def _present_again(self, viewer: str, address: str) -> None:
        if self._company.sessions.get(address) == viewer and address not in self._company.deaf:
            self.present_all(viewer, (address,))

    def ended(self, session: str) -> None:
        """A session that was presented everything is gone."""
        self._fresh.discard(session)

    def take_back(self, localpart: str, to: Iterable[str], reason: str) -> None:
        """Show a contact as unavailable to addresses that may no longer see it; `reason` names a text."""
        self._stream.send_presence(localpart, withdrawn(reason, self._company.settings.style), to)

    def begin_anew(self) -> None:
        """The link is back: what was written shortly before it broke may not have arrived."""
        for contact in self._doubtful:
            self._told.pop(contact, None)
            self._stored.pop(contact, None)
        self._fresh.clear()
        self._shown.clear()
        self._presented.clear()

    async def tell_differences(self) -> None:
        """Compare what every contact's watchers hold with what is, and send what differs.

        Whoever was presented everything since the handshake is left out where he holds the same already.
        """
        for number, employee in enumerate(tuple(self._company.directory.employees)):
            self.refresh(employee)
            if number % AT_ONCE == AT_ONCE - 1:
                await self._marks_written()
        await self._marks_written()
        self._fresh.clear()
        self._shown.clear()

    def proven(self, writes: int) -> None:
        """All that was written up to that many `writes` certainly reached the server."""
        for contact in [one for one, number in self._doubtful.items() if number <= writes]:
            del self._doubtful[contact]
            if not self._withdrawn and (told := self._told.get(contact)):
                self._store.keep_told(contact, digest(told.presence))

    def keep_all(self) -> None:
        """Queue what watchers were told for a store that has lost it."""
        for contact, told in self._told.items():
            certain = contact not in self._doubtful and contact not in self._marking
            self._store.keep_told(contact, digest(told.presence) if certain else None)

    async def withdraw_all(self) -> None:
        """Show every contact as unavailable before a stop, and nothing after it: no server would do it for us.

        Cancelled, it leaves in `owed` of how many contacts it did not; the next start finds all of them in doubt.
        """
        self._withdrawn = True
        employees = self._company.directory.employees
        self.owed = len(employees)
        for one in employees:
            self._store.keep_told(one, None)
        await self._marks_written()
        unavailable = withdrawn("withdrawn", self._company.settings.style)
        for employee in employees.values():
            await self._stream.room()
            if not self._stream.up:
                return
            self._stream.send_presence(employee.localpart, unavailable, self._company.watchers(employee.id))
            self.owed -= 1

    def _told_or_stored(self, employee: str, presence: Presence) -> Told | None:
        if employee not in self._told and self._stored.pop(employee, None) == digest(presence):
            self._told[employee] = Told(presence, self._clock() - INTERVAL)
        return self._told.get(employee)

    def _mark(self, employee: str) -> None:
        self._marking.add(employee)
        self._store.keep_told(employee, None)
        if self._store.failing:
            self._marked(employee)
            return
        marked = partial(self._marked, employee)
        self._timetable.at(("told", employee), self._clock() + PATIENCE, marked)
        self._store.after_commit(marked)

    def _marked(self, employee: str) -> None:
        if employee in self._marking:
            self._marking.discard(employee)
            self._timetable.cancel(("told", employee))
            self._doubtful[employee] = self.writes
            self.refresh(employee)

    def _send(self, employee: str, presence: Presence) -> None:
        watchers: Iterable[str] = self._company.watchers(employee)
        if employee not in self._told and self._shown.get(employee) == presence:
            watchers = (one for one in watchers if one not in self._fresh)
        self.writes += 1
        self._doubtful[employee] = self.writes
        self._told[employee] = Told(presence, self._clock())
        self._stream.send_presence(self._company.directory.employees[employee].localpart, presence, watchers)

    async def _marks_written(self) -> None:
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(PATIENCE.total_seconds()):
                await self._store.committed()
        await asyncio.sleep(0)
        await self._stream.room()
