"""Who is there: panel sessions, chat clients and PBXs, and what is certain of them after a handshake.

Directed presence is replayed by nobody: after every handshake stored sessions hold until they show themselves again
(panels answer `announce`, servers answer a probe from the domain) or the session grace ends.
"""

import asyncio
import logging
from datetime import datetime

from component.core.address import bare
from component.core.facts import (
    Acted,
    ClientSeen,
    Mode,
    PanelSeen,
    PbxLost,
    Phone,
    PhoneReported,
    SessionEnded,
)
from component.services.catch_up import CatchUp
from component.services.company import Company
from component.services.ports import Clock, Stream, Timers
from component.services.publisher import Publisher

log = logging.getLogger(__name__)

PROBES_AT_ONCE = 100
"""Accounts probed between two breaths after a handshake."""

_GRACE = ("session grace",)
"""The deadline's key; employees' ids are keys too."""


class Attendance:
    """Keeps the sessions of all employees, and the PBXs' availability."""

    def __init__(
        self,
        company: Company,
        publisher: Publisher,
        catch_up: CatchUp,
        stream: Stream,
        timetable: Timers,
        clock: Clock,
    ) -> None:
        self._company = company
        self._publisher = publisher
        self._catch_up = catch_up
        self._stream = stream
        self._timetable = timetable
        self._clock = clock
        self._unconfirmed: set[str] = set()
        self._replays: dict[str, ClientSeen] = {}
        self._pbxs: set[str] = set()
        self._resync: asyncio.Task[None] | None = None

    def panel(self, session: str, employee: str, mode: Mode, phone: Phone | None, idle_since: datetime | None) -> None:
        """A panel session's directed presence came."""
        self._publisher.record(employee, PanelSeen(session, mode, phone, idle_since))
        self._unconfirmed.discard(session)

    def client(
        self, session: str, employee: str, idle_since: datetime | None, *, away: bool, stamp: datetime | None
    ) -> None:
        """An ordinary available presence came; `stamp` is its XEP-0203 delay when a server replayed it.

        It shows that the session is there, but not that its panel still runs: that only the panel can say.
        """
        event, new = ClientSeen(session, idle_since, away, stamp), session not in self._company.sessions
        self._publisher.record(employee, event)
        panel = self._company.state(employee).sessions[session].panel
        if stamp is not None and panel is None:
            # A panel that was back before us had nobody to announce itself to.
            self._stream.send_announce(session)
        if session in self._unconfirmed and panel:
            self._replays[session] = event
        else:
            self._unconfirmed.discard(session)
        if stamp is not None:
            self._catch_up.found(session, employee, stamp, new=new)

    def acted(self, session: str, employee: str) -> None:
        """The employee sent a message or command from a session."""
        self._publisher.record(employee, Acted(session))

    def gone(self, session: str) -> None:
        """A session's unavailable presence came; a bare JID's ends nothing (RFC 6121 section 4.5.4 is the server's)."""
        self._catch_up.ended(session)
        self._end(session)

    def _end(self, session: str) -> None:
        self._unconfirmed.discard(session)
        self._replays.pop(session, None)
        if employee := self._company.sessions.get(session):
            self._publisher.record(employee, SessionEnded(session))
        if session in self._pbxs:
            self._pbxs.discard(session)
            self._pbx_lost(session)

    def refuses(self, session: str) -> None:
        """An error presence came: nothing more is sent to that session until its next available presence.

        It stays a fact about the employee; an error from a bare JID or from anybody else changes nothing.
        """
        if session in self._company.sessions:
            self._company.deaf.add(session)

    def hears(self, session: str) -> None:
        """An available presence came, to whomever of ours: a session that refused presences is told all again."""
        if session in self._company.deaf:
            self._company.deaf.discard(session)
            employee = self._company.sessions[session]
            if self._company.roster(employee).domain_item:
                self._publisher.present_all(employee, (session,))

    def is_pbx(self, jid: str) -> bool:
        """Say whether a JID may report phones."""
        return jid in self._company.settings.pbx_jids or bare(jid) in self._company.settings.pbx_jids

    def pbx_here(self, jid: str) -> None:
        """A PBX's available presence came: its reports hold while it lasts."""
        self._unconfirmed.discard(jid)
        self._pbxs.add(jid)
        for employee in self._reported_by(jid):
            report = self._company.state(employee).report
            if report and report.expires:
                self._publisher.record(employee, PhoneReported(report.phone, jid))

    def phone(self, pbx: str, employee: str, phone: Phone) -> None:
        """A PBX reports a phone; while its presence is unknown the report ends by itself (`pbx.ttl`)."""
        expires = None if pbx in self._pbxs else self._clock() + self._company.settings.pbx_ttl
        self._publisher.record(employee, PhoneReported(phone, pbx, expires))

    def resync(self) -> None:
        """Find out again who is there, after a handshake."""
        self.stop()
        self._pbxs.clear()
        self._company.deaf.clear()
        self._replays.clear()
        self._catch_up.begin()
        self._unconfirmed = set(self._company.sessions) | self._reporting_pbxs()
        self._timetable.at(_GRACE, self._clock() + self._company.settings.session_grace, self._grace_ends)
        self._resync = asyncio.create_task(self._resynchronise())

    def stop(self) -> None:
        """Stop asking around."""
        if self._resync:
            self._resync.cancel()
            self._resync = None

    async def _resynchronise(self) -> None:
        panels = [jid for jid, one in self._company.sessions.items() if self._company.state(one).sessions[jid].panel]
        for jid in (*panels, *self._reporting_pbxs()):
            self._stream.send_announce(jid)
        async with asyncio.TaskGroup() as pings:
            for jid in (*panels, *self._reporting_pbxs()):
                pings.create_task(self._end_unless_alive(jid))
            for number, employee in enumerate(tuple(self._company.directory.employees.values())):
                if self._company.roster(employee.id).domain_item:
                    self._stream.send_probe(employee.account)
                else:
                    approved = self._company.approved_by_hand(employee.id)
                    self._publisher.present(approved, (employee.account,))
                if number % PROBES_AT_ONCE == PROBES_AT_ONCE - 1:
                    await asyncio.sleep(0)
                    await self._stream.room()
            await self._catch_up.run()

    async def _end_unless_alive(self, jid: str) -> None:
        if await self._stream.ping(jid) == "error" and jid in self._unconfirmed:
            self._lost(jid)

    def _grace_ends(self) -> None:
        if self._stream.up:
            for jid in tuple(self._unconfirmed):
                self._lost(jid)

    def _lost(self, jid: str) -> None:
        log.info("%s has not shown itself again since the handshake: its session has ended", jid)
        if self.is_pbx(jid):
            self._pbx_lost(jid)
        employee, replay = self._company.sessions.get(jid), self._replays.pop(jid, None)
        self._end(jid)
        if employee and replay:
            self._publisher.record(employee, replay)
        else:
            self._catch_up.ended(jid)

    def _pbx_lost(self, pbx: str) -> None:
        self._unconfirmed.discard(pbx)
        for employee in self._reported_by(pbx):
            self._publisher.record(employee, PbxLost(pbx))

    def _reported_by(self, pbx: str) -> list[str]:
        reports = ((one, self._company.state(one).report) for one in self._company.directory.employees)
        return [one for one, report in reports if report and report.pbx == pbx]

    def _reporting_pbxs(self) -> set[str]:
        reports = (self._company.state(one).report for one in self._company.directory.employees)
        return {report.pbx for report in reports if report and report.expires is None}
