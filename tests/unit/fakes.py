"""The outside of the services, written by hand: a clock that is set, a stream that records, a store, rosters."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from xml.etree.ElementTree import Element

from component.core.directory import Employee
from component.core.facts import State
from component.core.presence import Available, Presence
from component.core.roster import Roster, RosterItem
from component.core.subscription import SubscriptionType
from component.services.attendance import Attendance
from component.services.catch_up import CatchUp
from component.services.choices import Choices
from component.services.company import Company, Settings
from component.services.heartbeat import Heartbeat
from component.services.ports import (
    Lease,
    NoSuchAccount,
    RosterError,
    Snapshot,
    StoreError,
    SubscriptionException,
)
from component.services.publisher import Publisher
from component.services.relay import Relay
from component.services.subscriptions import Subscriptions

DOMAIN = "panel.example.test"
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LEASE = Lease("this", "host", 1, START)
KEPT = Roster(provisioned=True, domain_item=True)


def employee(name: str, groups: tuple[str, ...] = ()) -> Employee:
    """An employee whose account has the id as its localpart."""
    return Employee(name, name, f"{name}@example.test", name.title(), groups=groups)


async def until(fact: Callable[[], bool]) -> None:
    """Let the other tasks run until a fact holds, for at most five seconds."""
    async with asyncio.timeout(5):
        while not fact():  # noqa: ASYNC110 - the tasks under test tell nobody that they got on
            await asyncio.sleep(0)


class FakeClock:
    """Stands still until it is moved; deadlines of the fake timetable are met as it passes them."""

    def __init__(self) -> None:
        self.now = START
        self._deadlines: dict[Hashable, tuple[datetime, Callable[[], None]]] = {}

    def __call__(self) -> datetime:
        return self.now

    def at(self, key: Hashable, when: datetime, callback: Callable[[], None]) -> None:
        """As `Timetable.at`."""
        self._deadlines[key] = (when, callback)

    @property
    def deadlines(self) -> Collection[Hashable]:
        """The keys that have a deadline."""
        return self._deadlines.keys()

    def cancel(self, key: Hashable) -> None:
        """As `Timetable.cancel`."""
        self._deadlines.pop(key, None)

    def pass_by(self, **span: float) -> None:
        """Let time pass, deadline by deadline."""
        end = self.now + timedelta(**span)
        while due := [(when, key) for key, (when, _) in self._deadlines.items() if when <= end]:
            when, key = min(due, key=lambda one: one[0])
            self.now = max(self.now, when)
            self._deadlines.pop(key)[1]()
        self.now = end


class FakeStream:
    """Records what is sent, but for the next `stopped` messages.

    Pings are answered as `pings` says, or by silence; those of `hung` are being waited for all the time.
    """

    def __init__(self) -> None:
        self.up, self.problem = True, ""
        self.presences: list[tuple[str, Presence, tuple[str, ...]]] = []
        self.other: list[tuple[str, str, str]] = []
        self.messages: list[Element] = []
        self.pings: dict[str, Literal["pong", "error", "silence"]] = {}
        self.hung: set[str] = set()
        self.stopped = 0
        self.silent_for = 0.0

    def send_presence(self, localpart: str, presence: Presence, to: Iterable[str], *, answer: bool = False) -> None:
        if self.up:
            self.presences.append((localpart, presence, tuple(to)))

    def send_gateway_presence(self, to: str) -> None:
        self.other.append(("available", "", to))

    def send_gateway_unavailable(self, to: str) -> None:
        self.other.append(("unavailable", "", to))

    def send_subscription(self, kind: SubscriptionType, localpart: str, to: str) -> None:
        self.other.append((kind, localpart, to))

    def send_probe(self, to: str) -> None:
        self.other.append(("probe", "", to))

    def send_announce(self, to: str) -> None:
        self.other.append(("announce", "", to))

    def send_instance(self, instance: str, number: int) -> None:
        self.other.append(("instance", instance, str(number)))

    async def room(self) -> None:
        await asyncio.sleep(0)

    def drop(self, reason: str) -> None:
        self.other.append(("drop", "", reason))

    def send_message(self, message: Element) -> bool:
        if self.stopped:
            self.stopped -= 1
            return False
        self.messages.append(message)
        return True

    async def ping(self, to: str) -> Literal["pong", "error", "silence"]:
        if to in self.hung:
            await asyncio.Event().wait()
        return self.pings.get(to, "silence")

    def shown(self, to: str) -> dict[str, str]:
        """What an address was told last of each contact: the panel status word."""
        return {local: str(presence.payload.status) for local, presence, told in self.presences if to in told}

    def shows(self, localpart: str) -> list[str]:
        """All that was sent of a contact to anybody: show, or `unavailable`."""
        return [
            str(presence.show or "") if isinstance(presence, Available) else "unavailable"
            for local, presence, told in self.presences
            if local == localpart and told
        ]


@dataclass
class FakeStore:
    """Keeps rows in memory; `failing` makes commits fail, `while_committing` holds the directory's one up, `holds`
    keeps what is to be called after a commit in `held`, `hangs` leaves the lease without an answer, `breaks` is raised
    by the look at the file.
    """

    url: str = "fake"
    failing: str | None = None
    states: dict[str, State] = field(default_factory=dict)
    rosters: dict[str, Roster] = field(default_factory=dict)
    told: dict[str, str | None] = field(default_factory=dict)
    blocks: set[tuple[str, str]] = field(default_factory=set)
    lease: Lease | None = None
    directory: list[str] = field(default_factory=list)
    lost: bool = False
    hangs: bool = False
    breaks: Exception | None = None
    holds: bool = False
    held: list[Callable[[], None]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    while_committing: Callable[[], Awaitable[None]] | None = None
    on_commit: Callable[[], None] = lambda: None

    async def load(self) -> Snapshot:
        return Snapshot(employees=[employee(one) for one in self.directory])

    async def replace_directory(self, employees: Sequence[Employee], removed: Sequence[str]) -> None:
        if self.while_committing:
            await self.while_committing()
        await self.committed()
        self.directory = [one.id for one in employees]

    def keep_state(self, employee: str, state: State) -> None:
        self.states[employee] = state

    def keep_roster(self, employee: str, roster: Roster) -> None:
        self.rosters[employee] = roster
        if roster.removing:
            self.log.append(f"removing {sorted(roster.removing)} queued")

    def keep_subscription(self, employee: str, contact: str, exception: SubscriptionException | None) -> None:
        pass

    def keep_told(self, contact: str, digest: str | None) -> None:
        self.told[contact] = digest

    def keep_block(self, employee: str, blocked: str, *, ends: bool = False) -> None:
        (self.blocks.discard if ends else self.blocks.add)((employee, blocked))

    async def renew_lease(self, mine: Lease, may_take: Callable[[Lease], bool]) -> Lease | None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.lease and self.lease.instance != mine.instance and not may_take(self.lease):
            return self.lease
        self.lease = mine
        return None

    async def intact(self) -> bool:
        if self.breaks:
            raise self.breaks
        was_lost, self.lost = self.lost, False
        return not was_lost

    def after_commit(self, callback: Callable[[], None]) -> None:
        if self.holds:
            self.held.append(callback)
        else:
            callback()

    async def committed(self) -> None:
        self.log.append("committed")
        self.on_commit()
        if self.failing:
            raise StoreError(self.failing)


class FakeWay:
    """Rosters in memory; `broken` calls raise RosterError, the set `missing` accounts do not exist."""

    name = "fake"

    def __init__(self, log: list[str]) -> None:
        self.rosters: dict[str, dict[str, RosterItem]] = {}
        self.missing: set[str] = set()
        self.calls_until_broken = -1
        self.fails: Exception | None = None
        self.before_read: Callable[[], None] = lambda: None
        self.before_add: Callable[[], None] = lambda: None
        self.before_remove: Callable[[], None] = lambda: None
        self._log = log

    def _call(self, account: str) -> dict[str, RosterItem]:
        if self.calls_until_broken == 0:
            raise RosterError("the API is down")
        self.calls_until_broken -= 1
        if self.fails:
            raise self.fails
        if account in self.missing:
            raise NoSuchAccount(f"{account} does not exist")
        return self.rosters.setdefault(account, {})

    async def read(self, account: str) -> dict[str, RosterItem]:
        await asyncio.sleep(0)
        self.before_read()
        return dict(self._call(account))

    async def add(self, account: str, item: RosterItem) -> None:
        self.before_add()
        self._call(account)[item.jid] = item

    async def remove(self, account: str, jid: str) -> None:
        self.before_remove()
        self._call(account).pop(jid, None)
        self._log.append(f"removed {jid}")


class World:
    """The services around the fakes, with employees whose rosters are kept (unless another roster is given)."""

    def __init__(self, *people: Employee, roster: Roster = KEPT, settings: Settings | None = None) -> None:
        self.clock, self.stream, self.store = FakeClock(), FakeStream(), FakeStore()
        snapshot = Snapshot(employees=people, rosters={one.id: roster for one in people})
        self.company = Company(settings or Settings(DOMAIN), self.store, snapshot)
        self.publisher = Publisher(self.company, self.stream, self.store, self.clock, self.clock, {})
        self.catch_up = CatchUp(self.company, self.publisher, self.stream, None)
        self.attendance = Attendance(self.company, self.publisher, self.catch_up, self.stream, self.clock, self.clock)
        self.heartbeat = self.new_heartbeat()
        self.repaired: list[str] = []
        self.subscriptions = Subscriptions(self.company, self.publisher, self.stream, self.clock, self.repaired.append)
        self.choices = Choices(self.company, self.publisher, self.store, self.clock)
        self.relay = Relay(self.company, self.attendance, self.stream)

    def new_heartbeat(self, *, every: float = 5.0, contested: bool = False) -> Heartbeat:
        """A heartbeat of the services; `resyncs` counts how often it had everybody asked again."""
        self.resyncs = 0

        def resync() -> None:
            self.resyncs += 1

        services = (self.company, self.publisher, self.catch_up, self.store, self.stream)
        return Heartbeat(LEASE, *services, self.clock, resync, every=every, contested=contested)

    def client(self, one: str, resource: str = "pc") -> str:
        """An ordinary client comes online; returns its full JID."""
        jid = f"{one}@example.test/{resource}"
        self.attendance.client(jid, one, None, away=False, stamp=None)
        return jid

    def set_roster(self, one: str, roster: Roster) -> None:
        """Change what is known of a roster."""
        self.company.set_roster(one, **{name: getattr(roster, name) for name in Roster.__dataclass_fields__})
