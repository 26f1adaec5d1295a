"""The facts that a panel status is made from, and the events that change them.

`State` holds facts only (choices, sessions, reports), never a status: `core.status` derives the status from
them for an instant, so no status can outlive its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """A panel status."""

    ONLINE = "online"
    BUSY = "busy"
    DND = "dnd"
    WAS_HERE = "was-here"
    OFFLINE = "offline"


CHOOSABLE = (Status.ONLINE, Status.BUSY, Status.DND, Status.OFFLINE)


class Phone(StrEnum):
    """What is known of a phone; unknown counts as online."""

    ONLINE = "online"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class Mode(StrEnum):
    """Where the employee's phone is: in the panel, or on the desk."""

    SOFTPHONE = "softphone"
    DESKPHONE = "deskphone"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the employee picked, when, and until when it holds."""

    status: Status
    at: datetime
    text: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """What a panel session says of itself."""

    mode: Mode
    phone: Phone | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One connected panel or chat client: idle since an instant, or active (`idle_since` is None).

    A client that has never sent XEP-0319 is idle since its last sign of life; `tracks_idle` says that it has.
    """

    idle_since: datetime | None
    tracks_idle: bool = False
    panel: Panel | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A PBX's word about a phone; it holds until `expires`, or while the PBX's JID is available."""

    phone: Phone
    at: datetime
    pbx: str
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class State:
    """All that is known of one employee's status. `sessions` is by full JID, oldest first."""

    choice: Choice | None = None
    launched_at: datetime | None = None
    last_activity: datetime | None = None
    panel_mode: Mode | None = None
    panel_ended_at: datetime | None = None
    report: Report | None = None
    sessions: Mapping[str, Session] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class PanelSeen:
    """A directed presence with `<panel/>`; `idle_since` from XEP-0319, None when active."""

    session: str
    mode: Mode
    phone: Phone | None
    idle_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClientSeen:
    """An available presence without `<panel/>`; `at` is its XEP-0203 stamp when it is a replay."""

    session: str
    idle_since: datetime | None = None
    away: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Acted:
    """The employee sent a message or a command from this session."""

    session: str


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session's unavailable presence, or the end of its grace."""

    session: str


@dataclass(frozen=True, slots=True)
class StatusChosen:
    """A status set by any road; `session` is the full JID that asked, None for the command line."""

    status: Status
    text: str | None = None
    until: datetime | None = None
    session: str | None = None

    def __post_init__(self) -> None:
        if self.status not in CHOOSABLE:
            raise ValueError(f"{self.status} cannot be chosen")


@dataclass(frozen=True, slots=True)
class PhoneReported:
    """A configured PBX says where a phone is."""

    phone: Phone
    pbx: str
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class PbxLost:
    """A PBX's JID is no longer available: its reports end."""

    pbx: str


Event = PanelSeen | ClientSeen | Acted | SessionEnded | StatusChosen | PhoneReported | PbxLost
