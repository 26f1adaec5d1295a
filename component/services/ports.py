"""What the services need from the outside; the adapters in xmpp, rosters and store provide it."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from xml.etree.ElementTree import Element

from component.core.directory import Employee
from component.core.facts import State
from component.core.presence import Presence
from component.core.roster import Roster, RosterItem
from component.core.subscription import SubscriptionType

Clock = Callable[[], datetime]
"""Returns the present instant, aware, in UTC."""


class Timers(Protocol):
    """Deadlines by key; a key has at most one."""

    def at(self, key: Hashable, when: datetime, callback: Callable[[], None]) -> None:
        """Call back at `when` (or as soon as possible after it), instead of what was set for the key."""

    def cancel(self, key: Hashable) -> None:
        """Forget the key's deadline, if it has one."""


class Stream(Protocol):
    """The component's stream. While it is down everything sent is dropped: what holds is resent after it is back."""

    @property
    def up(self) -> bool:
        """Whether the handshake is done and stanzas reach the server."""

    @property
    def problem(self) -> str:
        """Why it is down, for the administrator."""

    def send_presence(self, localpart: str, presence: Presence, to: Iterable[str], *, answer: bool = False) -> None:
        """Send a contact's presence from its full JID to each of `to`; `answer` adds XEP-0203's stamp (a probe's)."""

    def send_gateway_presence(self, to: str) -> None:
        """Send the component's own available presence."""

    def send_gateway_unavailable(self, to: str) -> None:
        """Take the component's own presence back (RFC 6121 section 3.3.3)."""

    def send_subscription(self, kind: SubscriptionType, localpart: str, to: str) -> None:
        """Send a subscription stanza, bare to bare (RFC 6121 section 3); an empty localpart is the domain itself."""

    def send_probe(self, to: str) -> None:
        """Ask an account's server for its presences, from the component's domain (RFC 6121 section 4.3)."""

    def send_announce(self, to: str) -> None:
        """Ask a panel session to send its directed presence again (docs/protocol.md)."""

    def send_instance(self, instance: str, number: int) -> None:
        """Send a numbered message to ourselves; its return proves that all that was written before was routed."""

    async def room(self) -> None:
        """Wait while much of what was sent is still to be written, so that a slow server slows us down."""

    @property
    def silent_for(self) -> float:
        """Seconds since anything came from the server."""

    def drop(self, reason: str) -> None:
        """Give the connection up and connect again."""

    def send_message(self, message: Element) -> bool:
        """Send a message as it is; False for one that may not leave, because a server would close the stream."""

    async def ping(self, to: str) -> Literal["pong", "error", "silence"]:
        """Ping (XEP-0199) and tell what came back within the timeout."""


class NoAnswer(Exception):
    """A request was not answered; its text says why."""


class Requests(Protocol):
    """Asks others on the stream."""

    @property
    def up(self) -> bool:
        """Whether the handshake is done and stanzas reach the server."""

    @property
    def problem(self) -> str:
        """Why it is down, for the administrator."""

    async def request(self, iq: Element) -> Element:
        """Send an iq get or set (with `type` and `to`) from the component's domain; return its result or error.

        Raises NoAnswer when none comes within the timeout, and at once when the link is or goes down.
        """


@dataclass(frozen=True, slots=True)
class Grant:
    """What a domain of accounts lets the component do: XEP-0356's type by access, such as "both" by "roster"."""

    namespace: str
    types: Mapping[str, str]


class Grants(Protocol):
    """What was granted on this connection."""

    async def of(self, domain: str, within: float) -> Grant | None:
        """Return what a domain of accounts grants, waiting so many seconds for it; None when nothing came."""


SubscriptionException = Literal["deleted", "approved"]
"""A contact that the employee deleted by hand, or one that he subscribed to by hand."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Which instance serves the company, where it runs, when it last said so, and until when its link certainly held.

    Written with `linked_at` None it leaves the instant that stands there.
    """

    instance: str
    host: str
    pid: int
    renewed_at: datetime
    linked_at: datetime | None = None


@dataclass(slots=True)
class Snapshot:
    """All that the store holds, as it is read at the start.

    `told` has the digest of the presence that a contact's watchers hold, None where that is in doubt; `lease` is
    the last instance's; `blocks` are (who blocks, whom).
    """

    employees: Sequence[Employee] = ()
    states: Mapping[str, State] = field(default_factory=dict)
    rosters: Mapping[str, Roster] = field(default_factory=dict)
    subscriptions: Mapping[tuple[str, str], SubscriptionException] = field(default_factory=dict)
    told: Mapping[str, str | None] = field(default_factory=dict)
    blocks: frozenset[tuple[str, str]] = frozenset()
    lease: Lease | None = None


class StoreError(Exception):
    """The store could not be read or written; its text says what and what to do."""


class Store(Protocol):
    """Everything that must survive a restart. `keep_*` queue a row (the last one wins) for the next group commit."""

    @property
    def url(self) -> str:
        """Where it is, without a password."""

    @property
    def failing(self) -> str | None:
        """What keeps it from writing at present."""

    async def load(self) -> Snapshot:
        """Read everything; raises StoreError."""

    async def replace_directory(self, employees: Sequence[Employee], removed: Sequence[str]) -> None:
        """Write the directory as it will be, and forget all of those removed, in one transaction; raises StoreError."""

    def keep_state(self, employee: str, state: State) -> None:
        """Queue an employee's facts."""

    def keep_roster(self, employee: str, roster: Roster) -> None:
        """Queue what is known of an employee's roster."""

    def keep_subscription(self, employee: str, contact: str, exception: SubscriptionException | None) -> None:
        """Queue an exception, or with None its end."""

    def keep_told(self, contact: str, digest: str | None) -> None:
        """Queue what a contact's watchers hold; None while that is in doubt."""

    def keep_block(self, employee: str, blocked: str, *, ends: bool = False) -> None:
        """Queue that one employee blocks another one, or the end of it."""

    async def renew_lease(self, mine: Lease, may_take: Callable[[Lease], bool]) -> Lease | None:
        """Write the lease, unless another instance's stands that may not be taken; returns that; raises StoreError."""

    async def intact(self) -> bool:
        """Say whether the database is the one that was opened; a lost one was made anew, empty; raises StoreError."""

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back when all that is queued is committed, or could not be."""

    async def committed(self) -> None:
        """Wait until all that is queued is committed; raises StoreError when it could not be (it stays queued)."""


class RosterError(Exception):
    """A roster could not be read or changed; its text says why and what to do."""


class NoSuchAccount(RosterError):
    """The account does not exist on the server."""


HANDSHAKE_CONFIGURED = "handshake: it is configured, rosters.method"
"""The reason for having no way that nobody needs to do anything about."""


class RosterWay(Protocol):
    """A way to read and write the rosters of the employees' accounts on the server."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    async def read(self, account: str) -> dict[str, RosterItem]:
        """Return the account's items on the component's domain, by JID; raises RosterError, NoSuchAccount."""

    async def add(self, account: str, item: RosterItem) -> None:
        """Add or change an item; raises RosterError."""

    async def remove(self, account: str, jid: str) -> None:
        """Remove an item; one that is absent is no error; raises RosterError."""
