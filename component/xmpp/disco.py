"""Service discovery (XEP-0030), entity capabilities (XEP-0115) and the small questions that clients ask."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement

from component import __version__
from component.core.directory import Employee
from component.core.presence import Available, Presence
from component.xmpp.namespaces import (
    CAPS,
    COMMANDS,
    DISCO_INFO,
    DISCO_ITEMS,
    IDLE,
    LAST,
    PANEL,
    PING,
    TIME,
    VCARD,
    VERSION,
    tag,
)
from component.xmpp.times import stamp

CAPS_NODE = "urn:panel-presence:1"


@dataclass(frozen=True, slots=True)
class Info:
    """An identity (category, type, name) and the features of an entity."""

    category: str
    type: str
    name: str
    features: tuple[str, ...]

    @property
    def ver(self) -> str:
        """The verification string (XEP-0115 section 5.1)."""
        text = f"{self.category}/{self.type}//{self.name}<" + "".join(f"{one}<" for one in sorted(self.features))
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).digest()
        return base64.b64encode(digest).decode()

    @property
    def caps(self) -> str:
        """The `<c/>` element of presences."""
        return f"<c xmlns='{CAPS}' hash='sha-1' node='{CAPS_NODE}' ver='{self.ver}'/>"

    def element(self, node: str | None = None) -> Element:
        """The answer to disco#info."""
        query = Element(tag(DISCO_INFO, "query"), {"node": node} if node else {})
        SubElement(
            query,
            tag(DISCO_INFO, "identity"),
            {"category": self.category, "type": self.type, "name": self.name},
        )
        for feature in sorted(self.features):
            SubElement(query, tag(DISCO_INFO, "feature"), {"var": feature})
        return query


def gateway_info(name: str) -> Info:
    """The component's domain."""
    return Info("gateway", "sip", name, (CAPS, COMMANDS, DISCO_INFO, DISCO_ITEMS, LAST, PANEL, PING, VCARD, VERSION))


CONTACT = Info(
    "client",
    "phone",
    "Panel Presence",
    (
        CAPS,
        DISCO_INFO,
        IDLE,
        LAST,
        PANEL,
        PING,
        TIME,
        VCARD,
        VERSION,
        "http://jabber.org/protocol/chatstates",
        "urn:xmpp:chat-markers:0",
        "urn:xmpp:message-correct:0",
        "urn:xmpp:reactions:0",
        "urn:xmpp:receipts",
        "urn:xmpp:reply:0",
    ),
)
"""A contact: what the relay lets pass is what it may be sent."""


def command_info(name: str) -> Info:
    """A command's node (XEP-0050 section 2.3)."""
    return Info("automation", "command-node", name, (COMMANDS, "jabber:x:data"))


def items(rows: list[tuple[str, str | None, str]], node: str | None = None) -> Element:
    """The answer to disco#items: JID, node and name of each item."""
    query = Element(tag(DISCO_ITEMS, "query"), {"node": node} if node else {})
    for jid, item_node, name in rows:
        attributes = {"jid": jid, "name": name} | ({"node": item_node} if item_node else {})
        SubElement(query, tag(DISCO_ITEMS, "item"), attributes)
    return query


def version() -> Element:
    """The answer to jabber:iq:version (XEP-0092)."""
    query = Element(tag(VERSION, "query"))
    SubElement(query, tag(VERSION, "name")).text = "Panel Presence"
    SubElement(query, tag(VERSION, "version")).text = __version__
    return query


def last_activity(presence: Presence, now: datetime) -> Element:
    """The answer to jabber:iq:last of a contact (XEP-0012): idle seconds, or those since it went offline."""
    since = presence.idle_since if isinstance(presence, Available) else presence.since
    seconds = max(0, int((now - since).total_seconds())) if since else 0
    query = Element(tag(LAST, "query"), {"seconds": str(seconds)})
    if not isinstance(presence, Available) and presence.texts:
        query.text = presence.texts[0][1]
    return query


def uptime(started: datetime, now: datetime) -> Element:
    """The answer to jabber:iq:last of the domain: seconds since the start."""
    return Element(tag(LAST, "query"), {"seconds": str(max(0, int((now - started).total_seconds())))})


def vcard(employee: Employee) -> Element:
    """The answer to vcard-temp of a contact (XEP-0054): name and extension."""
    card = named_vcard(employee.name)
    if employee.extension:
        phone = SubElement(card, tag(VCARD, "TEL"))
        SubElement(phone, tag(VCARD, "WORK"))
        SubElement(phone, tag(VCARD, "VOICE"))
        SubElement(phone, tag(VCARD, "NUMBER")).text = employee.extension
    return card


def named_vcard(name: str) -> Element:
    """The answer to vcard-temp of the domain."""
    card = Element(tag(VCARD, "vCard"))
    SubElement(card, tag(VCARD, "FN")).text = name
    return card


def local_time(local: datetime) -> Element:
    """The answer to urn:xmpp:time (XEP-0202) in an employee's time zone."""
    element = Element(tag(TIME, "time"))
    offset = f"{local:%z}"
    SubElement(element, tag(TIME, "tzo")).text = f"{offset[:3]}:{offset[3:5]}"
    SubElement(element, tag(TIME, "utc")).text = stamp(local)
    return element
