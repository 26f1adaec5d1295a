"""Panel status -> presence, as a table; an illegal presence cannot be built.

| panel status | type        | show                      | first <status>                        | idle |
|--------------|-------------|---------------------------|---------------------------------------|------|
| online       | available   | none                      | the custom text, or none              |      |
| busy         | available   | dnd (setting: away)       | Занят — text                          |      |
| dnd          | available   | dnd                       | Не беспокоить — text                  |      |
| was-here     | available   | away, later xa            | Был(а) на месте 24.11 в 14:05 — text  | yes  |
| offline      | unavailable | (RFC 6121 section 4.5.1)  | Телефон отключён, чат работает — text |      |

The company's language comes first, since clients show the first `<status>` whatever its xml:lang.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from component.core.facts import Phone, Status
from component.core.status import PanelStatus
from component.core.texts import LANGUAGES, Language, day_of, say


class Show(StrEnum):
    """The values of `<show/>` that contacts use (RFC 6121 section 4.7.2.1)."""

    AWAY = "away"
    DND = "dnd"
    XA = "xa"


Texts = tuple[tuple[Language, str], ...]
"""`<status/>` elements: language and text, the company's language first."""


@dataclass(frozen=True, slots=True)
class Payload:
    """The `<panel/>` element that tells panels all (docs/protocol.md)."""

    status: Status
    phone: Phone
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Available:
    """A presence without a type; `idle_since` is XEP-0319's."""

    payload: Payload
    texts: Texts = ()
    show: Show | None = None
    idle_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A presence of type unavailable: it has neither show nor priority (RFC 6121 section 4.5.1).

    `since` is the XEP-0203 stamp that an answer to a probe carries.
    """

    payload: Payload
    texts: Texts = ()
    since: datetime | None = None


Presence = Available | Unavailable


@dataclass(frozen=True, slots=True)
class Style:
    """The settings of the table."""

    language: Language = "ru"
    busy_show: Show = Show.DND
    extended_away_after: timedelta = timedelta(hours=1)


def presence_for(
    status: PanelStatus, now: datetime, style: Style, zone: tzinfo, *, name_zone: bool = False
) -> Presence:
    """Return the presence that colleagues are sent for a panel status at `now`.

    `zone` is the employee's time zone, in which absolute times are written; `name_zone` adds its offset, for
    companies with several.
    """
    payload = Payload(status.status, status.phone, status.since, status.until)
    texts = _texts(status, style, zone, name_zone)
    match status.status:
        case Status.ONLINE:
            return Available(payload, texts)
        case Status.BUSY:
            return Available(payload, texts, style.busy_show)
        case Status.DND:
            return Available(payload, texts, Show.DND)
        case Status.WAS_HERE:
            last = status.last_activity or now
            show = Show.XA if now - last >= style.extended_away_after else Show.AWAY
            return Available(payload, texts, show, last)
        case Status.OFFLINE:  # pragma: no branch  (mypy holds the match complete)
            return Unavailable(payload, texts, status.since)


def withdrawn(key: str, style: Style, phone: Phone = Phone.UNKNOWN) -> Unavailable:
    """Return the unavailable presence of a contact that the component takes back, with a text that says why."""
    return Unavailable(Payload(Status.OFFLINE, phone), tuple((lang, say(key, lang)) for lang in _languages(style)))


def _languages(style: Style) -> list[Language]:
    return sorted(LANGUAGES, key=lambda language: language != style.language)


def _texts(status: PanelStatus, style: Style, zone: tzinfo, name_zone: bool) -> Texts:
    if status.status is Status.ONLINE:
        return ((style.language, status.text),) if status.text else ()
    return tuple(
        (language, f"{label} — {status.text}" if status.text else label)
        for language in _languages(style)
        for label in [_label(status, language, zone, name_zone)]
    )


def _label(status: PanelStatus, language: Language, zone: tzinfo, name_zone: bool) -> str:
    if status.last_activity is None:
        return say(status.status, language)
    local = status.last_activity.astimezone(zone)
    time = f"{local:%H:%M}" + (f" ({utc_offset(local)})" if name_zone else "")
    return say("was-here", language, day=day_of(local.day, local.month, language), time=time)


def utc_offset(local: datetime) -> str:
    """Return the offset of an aware datetime as `UTC+3` or `UTC+5:30`."""
    minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
