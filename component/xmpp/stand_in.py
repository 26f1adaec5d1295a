"""Who sits at the link while only `check` looks at the server: hears what it asked for, and sends messages back."""

from xml.etree.ElementTree import Element

from component.core.texts import Language, say
from component.xmpp.namespaces import IQ, MESSAGE
from component.xmpp.outbound import Outbound, error_element
from component.xmpp.privileges import Privileges


class StandIn:
    """Takes answers and privileges in; a message that comes meanwhile is bounced as the server itself would do."""

    def __init__(self, outbound: Outbound, privileges: Privileges, language: Language) -> None:
        self._outbound = outbound
        self._privileges = privileges
        self._language = language

    def stanza(self, element: Element) -> None:
        """Take one stanza in."""
        kind = element.get("type")
        if element.tag == IQ and kind in ("result", "error"):
            self._outbound.answered(element)
        elif element.tag == MESSAGE and kind != "error" and not self._privileges.take(element):
            attributes = {"type": "error", "from": element.get("to", ""), "to": element.get("from", "")}
            bounce = Element(MESSAGE, attributes | {"id": element.get("id", "")})
            text = say("not-running", self._language)
            bounce.append(error_element("recipient-unavailable", "wait", text, self._language))
            self._outbound.send(bounce)
