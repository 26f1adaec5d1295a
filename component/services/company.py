"""What is: the directory, every employee's facts and rosters, and what follows from them at an instant."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from component.core.directory import Directory, Employee, Visibility
from component.core.facts import Event, State
from component.core.presence import Presence, Style, presence_for
from component.core.roster import Roster
from component.core.status import PanelStatus, Rules, next_change, panel_status
from component.core.texts import Language
from component.core.transitions import step
from component.services.ports import Snapshot, Store, SubscriptionException


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that the services need."""

    domain: str
    zone: str = "Europe/Moscow"
    visibility: Visibility = "everyone"
    rules: Rules = field(default_factory=Rules)
    style: Style = field(default_factory=Style)
    presets: tuple[tuple[str, str], ...] = ()
    longest_until: timedelta = timedelta(days=400)
    session_grace: timedelta = timedelta(seconds=30)
    default_group: str = "Телефония"
    pbx_jids: frozenset[str] = frozenset()
    pbx_ttl: timedelta = timedelta(hours=24)


class Company:
    """The facts, in memory; every change is queued for the store."""

    def __init__(self, settings: Settings, store: Store, snapshot: Snapshot) -> None:
        self.settings = settings
        self._store = store
        self._states = dict(snapshot.states)
        self._rosters = dict(snapshot.rosters)
        self._subscriptions: dict[str, dict[str, SubscriptionException]] = {}
        for (viewer, contact), exception in snapshot.subscriptions.items():
            self._subscriptions.setdefault(viewer, {})[contact] = exception
        self.sessions: dict[str, str] = {}
        self.deaf: set[str] = set()
        """Sessions that answered a presence with an error: they are sent none until their next available one."""
        for employee, state in self._states.items():
            self.sessions.update(dict.fromkeys(state.sessions, employee))
        self._take_over(Directory(snapshot.employees, settings.visibility, snapshot.blocks))

    def set_directory(self, employees: Iterable[Employee]) -> None:
        """Take a directory over; facts of employees that are no longer in it are forgotten, blocks too."""
        self._take_over(Directory(employees, self.settings.visibility, self.directory.blocks))

    def _take_over(self, directory: Directory) -> None:
        self.directory = directory
        self._several_zones = self.directory.several_zones(self.settings.zone)
        known = self.directory.employees
        self._states = {one: state for one, state in self._states.items() if one in known}
        self._rosters = {one: roster for one, roster in self._rosters.items() if one in known}
        self._subscriptions = {one: rows for one, rows in self._subscriptions.items() if one in known}
        self.sessions = {session: one for session, one in self.sessions.items() if one in known}
        self.deaf &= self.sessions.keys()

    def set_block(self, employee: str, blocked: str, *, ends: bool = False) -> None:
        """Note that one employee blocks another one, or the end of it."""
        pair = frozenset({(employee, blocked)})
        blocks = self.directory.blocks
        self.directory = self.directory.with_blocks(blocks - pair if ends else blocks | pair)
        self._store.keep_block(employee, blocked, ends=ends)

    def forget_account(self, employee: str) -> None:
        """Forget what hangs on an employee's account, which has changed: its sessions and its roster."""
        for session in self.state(employee).sessions:
            self.sessions.pop(session, None)
            self.deaf.discard(session)
        if self.state(employee).sessions:
            self._states[employee] = replace(self.state(employee), sessions=State().sessions)
            self._store.keep_state(employee, self._states[employee])
        if employee in self._rosters:
            self._rosters[employee] = Roster()
            self._store.keep_roster(employee, Roster())
        for contact in tuple(self._subscriptions.get(employee, ())):
            self.set_exception(employee, contact, None)

    def language(self, employee: Employee) -> Language:
        """Return the language in which an employee is answered."""
        return employee.language or self.settings.style.language

    def zone(self, employee: Employee) -> ZoneInfo:
        """Return an employee's time zone."""
        return ZoneInfo(employee.timezone or self.settings.zone)

    def state(self, employee: str) -> State:
        """Return an employee's facts."""
        return self._states.get(employee) or State()

    def apply(self, employee: str, event: Event, now: datetime) -> None:
        """Change an employee's facts by an event."""
        before = self.state(employee)
        after = step(before, event, now, self.settings.rules)
        if after == before:
            return
        self._states[employee] = after
        for session in before.sessions.keys() - after.sessions.keys():
            self.sessions.pop(session, None)
            self.deaf.discard(session)
        self.sessions.update(dict.fromkeys(after.sessions.keys() - before.sessions.keys(), employee))
        self._store.keep_state(employee, after)

    def status(self, employee: str, now: datetime) -> PanelStatus:
        """Return the panel status in force."""
        return panel_status(self.state(employee), now, self.settings.rules, self.directory.employees[employee].mode)

    def presence(self, employee: str, now: datetime) -> Presence:
        """Return the presence that colleagues are to see."""
        return presence_for(
            self.status(employee, now),
            now,
            self.settings.style,
            self.zone(self.directory.employees[employee]),
            name_zone=self._several_zones,
        )

    def next_change(self, employee: str, now: datetime) -> datetime | None:
        """Return when the presence may change by time alone."""
        return next_change(self.state(employee), now, self.settings.rules, self.settings.style.extended_away_after)

    def roster(self, employee: str) -> Roster:
        """Return what is known of an employee's roster."""
        return self._rosters.get(employee) or Roster()

    def set_roster(self, employee: str, **changes: object) -> None:
        """Change what is known of an employee's roster."""
        before = self.roster(employee)
        after = replace(before, **changes)  # type: ignore[arg-type]  # dataclasses.replace checks the names itself
        if after != before:
            self._rosters[employee] = after
            self._store.keep_roster(employee, after)

    def exception(self, viewer: str, contact: str) -> SubscriptionException | None:
        """Return how a subscription differs from what the directory says."""
        return self._subscriptions.get(viewer, {}).get(contact)

    def set_exception(self, viewer: str, contact: str, exception: SubscriptionException | None) -> None:
        """Note a contact deleted or approved by hand, or with None that there is nothing special."""
        if self.exception(viewer, contact) == exception:
            return
        if exception is None:
            del self._subscriptions[viewer][contact]
        else:
            self._subscriptions.setdefault(viewer, {})[contact] = exception
        self._store.keep_subscription(viewer, contact, exception)

    def deleted_by_hand(self, viewer: str) -> set[str]:
        """Return the contacts that an employee deleted by hand."""
        return {one for one, exception in self._subscriptions.get(viewer, {}).items() if exception == "deleted"}

    def approved_by_hand(self, viewer: str) -> list[str]:
        """Return the contacts that an employee subscribed to by hand and may see."""
        return [
            contact
            for contact, exception in self._subscriptions.get(viewer, {}).items()
            if exception == "approved" and self.directory.may_see(viewer, contact)
        ]

    def still_approved(self) -> list[tuple[str, str]]:
        """Return the subscriptions made by hand, (viewer, contact), to contacts that may no longer be seen."""
        return [
            (viewer, contact)
            for viewer, exceptions in self._subscriptions.items()
            for contact, exception in exceptions.items()
            if exception == "approved" and contact in self.directory.employees
            if not self.directory.may_see(viewer, contact)
        ]

    def subscribed(self, viewer: str, contact: str) -> bool:
        """Say whether an employee, who may see a contact, has him in his roster with a subscription."""
        exception = self.exception(viewer, contact)
        if exception is not None:
            return exception == "approved"
        roster = self.roster(viewer)
        return roster.provisioned and contact not in roster.pending

    def may_be_shown(self, viewer: str, contact: str) -> bool:
        """Say whether an employee may see a contact and has him in his roster with a subscription."""
        return self.directory.may_see(viewer, contact) and self.subscribed(viewer, contact)

    def addresses(self, viewer: str) -> Iterable[str]:
        """Return where an employee's presences go: his online sessions, or his account while they are unknown."""
        if self.roster(viewer).domain_item:
            sessions = self.state(viewer).sessions.keys()
            return [session for session in sessions if session not in self.deaf] if self.deaf else sessions
        return (self.directory.employees[viewer].account,)

    def watchers(self, contact: str) -> Iterator[str]:
        """Yield the addresses of everyone who may see a contact and is subscribed to him."""
        for viewer in self.directory.visible_to(contact):
            if self.subscribed(viewer, contact):
                yield from self.addresses(viewer)

    def keep_all(self) -> None:
        """Queue all facts for a store that has lost them."""
        for employee, state in self._states.items():
            self._store.keep_state(employee, state)
        for employee, roster in self._rosters.items():
            self._store.keep_roster(employee, roster)
        for employee, exceptions in self._subscriptions.items():
            for contact, exception in exceptions.items():
                self._store.keep_subscription(employee, contact, exception)
        for who, whom in self.directory.blocks:
            self._store.keep_block(who, whom)

    def employee_at(self, jid: str) -> str | None:
        """Return whose contact a JID is; None for the domain itself and for nobody's."""
        localpart, at, _ = jid.partition("@")
        employee = self.directory.by_localpart.get(localpart) if at else None
        return employee.id if employee else None

    def contact_jid(self, employee: str) -> str:
        """Return the contact's bare JID."""
        return f"{self.directory.employees[employee].localpart}@{self.settings.domain}"
