"""A sign that a roster has drifted while nobody told us, so that this one roster is read again, and no other.

Without the component's own item in an account's roster its sessions stay unknown, and with them whom to keep up to
date. It shows when a session of which the server does not tell us asks for a contact (at its login, RFC 6121 section
4.3.1); while all is well it costs nothing.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from component.services.company import Company
from component.services.ports import Clock, Timers

PATIENCE = timedelta(seconds=3)
"""How long a server may take to tell us of a session that has already asked for its contacts."""


class SelfCheck:
    """Has single rosters looked at when there is a sign that they have drifted."""

    def __init__(self, company: Company, timetable: Timers, clock: Clock, repair: Callable[[str], None]) -> None:
        """`repair` has an employee's roster compared with what it should hold."""
        self._company = company
        self._timetable = timetable
        self._clock = clock
        self._repair = repair
        self._doubted: set[str] = set()

    def probed(self, session: str, employee: str) -> None:
        """An employee's full JID has asked for a contact's presence."""
        if session in self._company.sessions or session in self._doubted or "/" not in session:
            return
        if self._company.roster(employee).domain_item:
            self._doubted.add(session)
            still_unknown = partial(self._still_unknown, session, employee)
            self._timetable.at(("doubted", session), self._clock() + PATIENCE, still_unknown)

    def _still_unknown(self, session: str, employee: str) -> None:
        self._doubted.discard(session)
        if session not in self._company.sessions:
            self._repair(employee)
