"""The chat relay's rules: where a message goes, and what of it is rewritten.

`petrov` writes to `ivanov@panel…`; `ivanov` gets it on his account from `petrov@panel…/panel`, and answers the same
way. Everything that a client put in passes; what servers stamped on the first hop is dropped, since the second hop's
server stamps anew. Nothing ever answers an error (RFC 6120 section 8.3.1).
"""

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from component.core.address import RESOURCE
from component.core.directory import Directory, Employee
from component.core.errors import ERROR_TYPES, Refusal

STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
SERVER_STAMPS = frozenset({"{urn:xmpp:sid:0}stanza-id", "{urn:xmpp:mam:tmp}archived"})
"""Children that only servers may write (XEP-0359 section 5, XEP-0313)."""
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True)
class Route:
    """A message's way: `sender`'s contact writes to `recipient`'s account."""

    sender: Employee
    recipient: Employee


def route(directory: Directory, sender_account: str, localpart: str, message_type: str | None) -> Route:
    """Return the way of a message to a contact.

    Raises Refusal: `forbidden` for a sender outside the directory, `item-not-found` for an unknown contact, for one
    that the sender may not see and for his own, `service-unavailable` for group chat.
    """
    sender = directory.by_account.get(sender_account)
    if sender is None:
        raise Refusal("forbidden", "not-employee")
    recipient = directory.by_localpart.get(localpart)
    if recipient is None or not directory.may_see(sender.id, recipient.id):
        raise Refusal("item-not-found", "no-such-contact")
    if message_type == "groupchat":
        raise Refusal("service-unavailable", "no-groupchat")
    return Route(sender, recipient)


def forwarded(message: Element, way: Route, domain: str) -> Element:
    """Return the message as the recipient's account gets it: same type, id, language and payloads."""
    copy = Element(message.tag, dict(message.attrib))
    copy.text = message.text
    copy.set("from", f"{way.sender.localpart}@{domain}/{RESOURCE}")
    copy.set("to", way.recipient.account)
    copy.extend(child for child in message if child.tag not in SERVER_STAMPS)
    return copy


def error_returned(message: Element, sender: str, contact: str) -> Element:
    """Return a bounce of a forwarded message as its sender gets it: from the contact, to his full JID `sender`."""
    copy = Element(message.tag, dict(message.attrib))
    copy.set("from", contact)
    copy.set("to", sender)
    copy.extend(child for child in message if child.tag not in SERVER_STAMPS)
    return copy


def refused(message: Element, condition: str, text: str, language: str) -> Element:
    """Return the error that answers a message: sender and recipient swapped, same id."""
    answer = Element(message.tag, {"type": "error", "from": message.get("to", ""), "to": message.get("from", "")})
    if identifier := message.get("id"):
        answer.set("id", identifier)
    error = SubElement(answer, message.tag.replace("}message", "}error"), {"type": ERROR_TYPES[condition]})
    SubElement(error, f"{{{STANZAS}}}{condition}")
    SubElement(error, f"{{{STANZAS}}}text", {XML_LANG: language}).text = text
    return answer
