"""Namespaces and tags as they stand on a component's stream (XEP-0114)."""

COMPONENT = "jabber:component:accept"
PANEL = "urn:panel-presence:1"
IDLE = "urn:xmpp:idle:1"
DELAY = "urn:xmpp:delay"
LAST = "jabber:iq:last"
CAPS = "http://jabber.org/protocol/caps"
DISCO_INFO = "http://jabber.org/protocol/disco#info"
DISCO_ITEMS = "http://jabber.org/protocol/disco#items"
COMMANDS = "http://jabber.org/protocol/commands"
DATA = "jabber:x:data"
RSM = "http://jabber.org/protocol/rsm"
PING = "urn:xmpp:ping"
PRIVILEGE_1 = "urn:xmpp:privilege:1"
PRIVILEGE_2 = "urn:xmpp:privilege:2"
VERSION = "jabber:iq:version"
VCARD = "vcard-temp"
TIME = "urn:xmpp:time"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def tag(namespace: str, name: str) -> str:
    """Return a tag as ElementTree spells it."""
    return f"{{{namespace}}}{name}"


PRESENCE = tag(COMPONENT, "presence")
MESSAGE = tag(COMPONENT, "message")
IQ = tag(COMPONENT, "iq")
ERROR = tag(COMPONENT, "error")
