"""What an XMPP client reads from a stanza, as frozen dataclasses: pure functions from XML elements.

Reading never raises on a malformed stanza: an unreadable date or number is `None`, because a client has to
live with whatever the other side sends. Sources: RFC 6121 (presence, message, roster), XEP-0319 (idle),
XEP-0256 (last activity in presence), XEP-0203 (delay), XEP-0115 (caps), XEP-0280 (carbons), XEP-0059 (pages),
`docs/panel-protocol.xsd` (the panel's own elements).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement

PANEL = "urn:panel-presence:1"
CLIENT = "jabber:client"
CAPS = "http://jabber.org/protocol/caps"
CARBONS = "urn:xmpp:carbons:2"
DELAY = "urn:xmpp:delay"
FORWARD = "urn:xmpp:forward:0"
IDLE = "urn:xmpp:idle:1"
LAST = "jabber:iq:last"
ROSTER = "jabber:iq:roster"
RSM = "http://jabber.org/protocol/rsm"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class StanzaError:
    """The error of a stanza (RFC 6120 section 8.3): type, condition, text ("" without one)."""

    type: str
    condition: str
    text: str = ""


@dataclass(frozen=True)
class Seen:
    """One received presence: what its sender is now, as this client was told.

    `type` is "available" where the stanza has no type; `show` is "" for plain available; `statuses` are
    (xml:lang, text) in document order, lang "" where the stanza says none; `panel` has the attributes of
    `<panel/>`.
    """

    jid: str
    type: str = "available"
    show: str = ""
    statuses: tuple[tuple[str, str], ...] = ()
    priority: int = 0
    idle_since: datetime | None = None
    last_seconds: int | None = None
    panel: Mapping[str, str] | None = field(default=None, hash=False)
    delay: datetime | None = None
    caps: tuple[str, str] | None = None
    error: StanzaError | None = None

    @property
    def available(self) -> bool:
        """True for available presence; False for unavailable, subscription and error presence."""
        return self.type == "available"

    @property
    def status(self) -> str:
        """The first status text in document order, which is the one that clients show; "" without one."""
        return self.statuses[0][1] if self.statuses else ""


@dataclass(frozen=True)
class ReceivedMessage:
    """One received message; a carbon (XEP-0280) is unwrapped, with `carbon` "sent" or "received"."""

    sender: str
    to: str
    id: str
    type: str
    body: str | None
    xml: Element = field(compare=False, repr=False)
    delay: datetime | None = None
    carbon: str = ""
    error: StanzaError | None = None


@dataclass(frozen=True)
class RosterItem:
    """One roster item (RFC 6121 section 2.1); `subscription` is "remove" in the push of a removal."""

    jid: str
    subscription: str
    name: str = ""
    groups: tuple[str, ...] = ()
    ask: str = ""


@dataclass(frozen=True)
class PanelStatus:
    """One's own panel status now in force (`value`) and what was chosen (`chosen`)."""

    value: str
    phone: str
    chosen: str
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class ContactStatus:
    """One colleague in the answer to `<statuses/>`; `jid` is the contact's address on the component."""

    id: str
    jid: str
    name: str
    status: str
    phone: str
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def xml_text(text: str) -> str:
    """Return text with every character that XML 1.0 (section 2.2) forbids replaced by U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def stamp(moment: datetime) -> str:
    """Return a XEP-0082 date and time in UTC, whole seconds; ValueError if the moment has no time zone."""
    if moment.tzinfo is None:
        raise ValueError("a date and time needs a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_stamp(value: str | None) -> datetime | None:
    """Return the moment of a XEP-0082 date and time; None if it is absent, unreadable or without zone."""
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _whole(value: str | None) -> int | None:
    try:
        return int(value or "")
    except ValueError:
        return None


def read_error(stanza: Element) -> StanzaError | None:
    """Return the error of a stanza, None if it carries none."""
    error = stanza.find(f"{{{CLIENT}}}error")
    if error is None:
        return None
    names = [child.tag.partition("}")[2] for child in error if child.tag.startswith(f"{{{STANZAS}}}")]
    condition = next((name for name in names if name != "text"), "undefined-condition")
    return StanzaError(error.get("type", ""), condition, error.findtext(f"{{{STANZAS}}}text", ""))


def read_presence(stanza: Element) -> Seen:
    """Return what a presence stanza in `jabber:client` says (RFC 6121 section 4.7)."""
    lang = stanza.get(XML_LANG, "")
    idle, last = stanza.find(f"{{{IDLE}}}idle"), stanza.find(f"{{{LAST}}}query")
    panel, caps = stanza.find(f"{{{PANEL}}}panel"), stanza.find(f"{{{CAPS}}}c")
    return Seen(
        jid=stanza.get("from", ""),
        type=stanza.get("type", "available"),
        show=stanza.findtext(f"{{{CLIENT}}}show", ""),
        statuses=tuple((s.get(XML_LANG, lang), s.text or "") for s in stanza.iterfind(f"{{{CLIENT}}}status")),
        priority=_whole(stanza.findtext(f"{{{CLIENT}}}priority")) or 0,
        idle_since=None if idle is None else read_stamp(idle.get("since")),
        last_seconds=None if last is None else _whole(last.get("seconds")),
        panel=None if panel is None else dict(panel.attrib),
        delay=_delay(stanza),
        caps=None if caps is None else (caps.get("node", ""), caps.get("ver", "")),
        error=read_error(stanza),
    )


def read_message(stanza: Element, own: str) -> ReceivedMessage:
    """Return a message; `own` is one's bare JID: only a carbon from there is believed (XEP-0280 section 11)."""
    carbon, inner = "", None
    for kind in ("sent", "received") if stanza.get("from") in (own, None) else ():
        inner = stanza.find(f"{{{CARBONS}}}{kind}/{{{FORWARD}}}forwarded/{{{CLIENT}}}message")
        if inner is not None:
            carbon, stanza = kind, inner
            break
    return ReceivedMessage(
        sender=stanza.get("from", ""),
        to=stanza.get("to", ""),
        id=stanza.get("id", ""),
        type=stanza.get("type", "normal"),
        body=stanza.findtext(f"{{{CLIENT}}}body"),
        xml=stanza,
        delay=_delay(stanza),
        carbon=carbon,
        error=read_error(stanza),
    )


def _delay(stanza: Element) -> datetime | None:
    delay = stanza.find(f"{{{DELAY}}}delay")
    return None if delay is None else read_stamp(delay.get("stamp"))


def read_roster(iq: Element) -> list[RosterItem]:
    """Return the items of a roster result or push (RFC 6121 section 2.1)."""
    return [
        RosterItem(
            jid=item.get("jid", ""),
            subscription=item.get("subscription", "none"),
            name=item.get("name", ""),
            groups=tuple(group.text or "" for group in item.iterfind(f"{{{ROSTER}}}group")),
            ask=item.get("ask", ""),
        )
        for item in iq.iterfind(f"{{{ROSTER}}}query/{{{ROSTER}}}item")
    ]


def read_status(iq: Element) -> PanelStatus:
    """Return the status in the answer to `<status/>`; all empty if the answer has none."""
    found = iq.find(f"{{{PANEL}}}status")
    if found is None:
        found = Element("status")
    return PanelStatus(
        value=found.get("value", ""),
        phone=found.get("phone", "unknown"),
        chosen=found.get("chosen", ""),
        text=found.findtext(f"{{{PANEL}}}text"),
        since=read_stamp(found.get("since")),
        until=read_stamp(found.get("until")),
    )


def read_statuses(iq: Element) -> tuple[list[ContactStatus], str | None]:
    """Return one page of `<statuses/>` and the id to ask the next page after, None with an empty page."""
    contacts = [
        ContactStatus(
            id=item.get("id", ""),
            jid=item.get("jid", ""),
            name=item.get("name", ""),
            status=item.get("status", ""),
            phone=item.get("phone", "unknown"),
            text=item.findtext(f"{{{PANEL}}}text"),
            since=read_stamp(item.get("since")),
            until=read_stamp(item.get("until")),
        )
        for item in iq.iterfind(f"{{{PANEL}}}statuses/{{{PANEL}}}employee")
    ]
    return contacts, iq.findtext(f"{{{PANEL}}}statuses/{{{RSM}}}set/{{{RSM}}}last")


def idle(since: datetime) -> Element:
    """Return XEP-0319's `<idle/>`; ValueError if the moment has no time zone."""
    return Element(f"{{{IDLE}}}idle", since=stamp(since))


def presence(*children: Element, to: str = "", type: str = "", **texts: str) -> Element:
    """Return a presence stanza; `texts` are show, status and priority, "" = leave out."""
    stanza = Element(f"{{{CLIENT}}}presence", {k: v for k, v in (("to", to), ("type", type)) if v})
    for name, value in texts.items():
        if value:
            SubElement(stanza, f"{{{CLIENT}}}{name}").text = value
    stanza.extend(children)
    return stanza
