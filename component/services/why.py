"""The answer to `why`: facts, rule, presence, what was told, and for a viewer what he sees and why."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SessionFact:
    """A connected panel or chat client; `idle_since` is None while it is active, mode and phone are a panel's."""

    jid: str
    panel: bool
    mode: str | None
    phone: str | None
    idle_since: datetime | None


@dataclass(frozen=True, slots=True)
class ReportFact:
    """What a PBX reported of the phone; without `in_force` it has expired."""

    pbx: str
    phone: str
    at: datetime
    expires: datetime | None
    in_force: bool


@dataclass(frozen=True, slots=True)
class ChoiceFact:
    """What the employee chose; without `in_force` its time is over."""

    status: str
    text: str | None
    at: datetime
    until: datetime | None
    in_force: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a status is made from.

    `mode` is the phone mode that applies; `last_activity` is None while active, and when there `was_activity` never.
    """

    launched_at: datetime | None
    was_activity: bool
    last_activity: datetime | None
    mode: str
    sessions: tuple[SessionFact, ...]
    report: ReportFact | None
    choice: ChoiceFact | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The panel status and the rule that decided it; `rules` are the words of it and of those that add something."""

    status: str
    phone: str
    text: str | None
    since: datetime | None
    until: datetime | None
    rule: str
    because: str
    rules: dict[str, str]
    hidden: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A presence: `type` is available or unavailable, `show` RFC 6121's (empty for none), `texts` by language."""

    type: str
    show: str
    texts: dict[str, str]
    idle_since: datetime | None


@dataclass(frozen=True, slots=True)
class ToldFact:
    """What watchers were told last, if that is known since the start; `state` says in words where things stand."""

    state: str
    up_to_date: bool
    at: datetime | None
    presence: Shown | None


@dataclass(frozen=True, slots=True)
class Watchers:
    """How many employees may see the contact, are subscribed to it, and are online now, with how many sessions."""

    may_see: int
    subscribed: int
    online: int
    sessions: int


@dataclass(frozen=True, slots=True)
class ItemFact:
    """The roster item as the server has it now: `found` is None where it cannot be read, `note` says why or what."""

    found: bool | None
    name: str
    groups: tuple[str, ...]
    subscription: str
    note: str


@dataclass(frozen=True, slots=True)
class ViewerFact:
    """What one colleague sees.

    `sessions` are the addresses to which presence goes now; `known_sessions` says that these are his sessions and not
    his account. `domain_item` is the subscription of the component's own item in his roster, by which the server tells
    us his sessions: "none" for none, None where the roster cannot be read.
    """

    id: str
    name: str
    account: str
    may_see: bool
    visibility: str
    subscribed: bool
    subscription: str
    known_sessions: bool
    sessions: tuple[str, ...]
    item: ItemFact
    domain_item: str | None


@dataclass(frozen=True, slots=True)
class Why:
    """The whole chain; `answer` is its end in one sentence."""

    id: str
    name: str
    contact: str
    answer: str
    facts: Facts
    decision: Decision
    presence: Shown
    told: ToldFact
    watchers: Watchers
    viewer: ViewerFact | None
