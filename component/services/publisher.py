"""Facts -> presences: only on change, only to those who may see it, the first at once, then one a second."""

from collections.abc import Iterable

from component.core.facts import Event
from component.core.fanout import Told, send_at
from component.core.presence import withdrawn
from component.services.company import Company
from component.services.ports import Clock, Stream, Timers


class Publisher:
    """Sends every contact's presence to its watchers and knows what they were told."""

    def __init__(self, company: Company, stream: Stream, timetable: Timers, clock: Clock) -> None:
        self._company = company
        self._stream = stream
        self._timetable = timetable
        self._clock = clock
        self._told: dict[str, Told] = {}
        self._withdrawn = False

    def record(self, employee: str, event: Event) -> None:
        """Take an event in and show what it changes."""
        self._company.apply(employee, event, self._clock())
        self.refresh(employee)

    def refresh(self, employee: str) -> None:
        """Send an employee's presence now, later or not at all, and look again when time alone may change it."""
        if employee not in self._company.directory.employees:
            self._timetable.cancel(employee)
            self._told.pop(employee, None)
            return
        if self._withdrawn:
            return
        now = self._clock()
        later = self._company.next_change(employee, now)
        if self._stream.up:
            presence = self._company.presence(employee, now)
            due = send_at(self._told.get(employee), presence, now)
            if due is not None and due <= now:
                self._told[employee] = Told(presence, now)
                self._stream.send_presence(
                    self._company.directory.employees[employee].localpart, presence, self._company.watchers(employee)
                )
            elif due is not None:
                later = due if later is None else min(due, later)
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
            told = self._told.get(contact)
            presence = told.presence if told else self._company.presence(contact, now)
            self._stream.send_presence(employee.localpart, presence, to, answer=answer)

    def present_all(self, viewer: str, to: Iterable[str]) -> None:
        """Send everything that an employee sees to some of his addresses."""
        visible = self._company.directory.visible_to(viewer)
        self.present((contact for contact in visible if self._company.subscribed(viewer, contact)), to)

    def take_back(self, localpart: str, to: Iterable[str], reason: str) -> None:
        """Show a contact as unavailable to addresses that may no longer see it; `reason` names a text."""
        self._stream.send_presence(localpart, withdrawn(reason, self._company.settings.style), to)

    def start_over(self) -> None:
        """Forget what was told before the stream was lost; each watcher is presented everything as it is found."""
        now = self._clock()
        self._told = {one: Told(self._company.presence(one, now), now) for one in self._company.directory.employees}
        for employee in self._company.directory.employees:
            self.refresh(employee)

    def withdraw_all(self) -> None:
        """Show every contact as unavailable before a stop, and nothing after it: no server would do it for us."""
        unavailable = withdrawn("withdrawn", self._company.settings.style)
        for employee in self._company.directory.employees.values():
            self._stream.send_presence(employee.localpart, unavailable, self._company.watchers(employee.id))
        self._withdrawn = True
