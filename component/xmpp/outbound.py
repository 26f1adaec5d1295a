"""What leaves the component: the services' `Stream` over the link."""

import logging
from collections.abc import Iterable
from typing import Literal, Protocol
from xml.etree.ElementTree import Element, SubElement, fromstring

from component.core.address import bare
from component.core.presence import Presence
from component.core.subscription import SubscriptionType
from component.services.ports import Clock, NoAnswer
from component.xmpp.gate import Gated, Stopped, Template, padded, serialize
from component.xmpp.namespaces import ERROR, IQ, MESSAGE, PANEL, PING, PRESENCE, STANZAS, XML_LANG, tag
from component.xmpp.render import render
from component.xmpp.requests import Requests

log = logging.getLogger(__name__)

PING_TIMEOUT = 15.0
"""Seconds that an answer to a ping is waited for."""
REQUEST_TIMEOUT = 30.0
"""Seconds that an answer to any other request is waited for: Prosody does one thing at a time, and some take long."""
RECIPIENTS_A_WRITE = 500
"""How many presences are put into one write."""


class Writer(Protocol):
    """What the link does for the outbound side."""

    @property
    def domain(self) -> str:
        """The component's domain."""

    @property
    def up(self) -> bool:
        """Whether stanzas reach the server."""

    @property
    def problem(self) -> str:
        """Why they do not."""

    @property
    def silent_for(self) -> float:
        """Seconds since anything came from the server."""

    def write(self, data: Gated) -> None:
        """Send whole stanzas; they are dropped while the link is down."""

    async def room(self) -> None:
        """Wait while much is still to be written."""

    def drop(self, reason: str) -> None:
        """Give the connection up and connect again."""


class Outbound:
    """Renders, gates and writes; keeps the rendered bytes of each contact's last presence."""

    def __init__(
        self,
        link: Writer,
        clock: Clock,
        language: str,
        caps: str,
        domain_caps: str,
        *,
        ping_timeout: float = PING_TIMEOUT,
        request_timeout: float = REQUEST_TIMEOUT,
    ) -> None:
        """`caps` and `domain_caps` are the `<c/>` of contacts and of the domain, the timeouts are in seconds."""
        self._ping_timeout = ping_timeout
        self._request_timeout = request_timeout
        self._link = link
        self._clock = clock
        self._language = language
        self._caps = caps
        self._domain_caps = fromstring(domain_caps)  # noqa: S314 - our own text
        self._cache: dict[str, tuple[Presence, Template | None]] = {}
        self._requests = Requests(self.send)

    @property
    def up(self) -> bool:
        """Whether stanzas reach the server."""
        return self._link.up

    @property
    def problem(self) -> str:
        """Why they do not."""
        return self._link.problem

    @property
    def silent_for(self) -> float:
        """Seconds since anything came from the server."""
        return self._link.silent_for

    async def room(self) -> None:
        """Wait while much of what was sent is still to be written."""
        await self._link.room()

    def drop(self, reason: str) -> None:
        """Give the connection up and connect again."""
        self._link.drop(reason)

    def send_presence(self, localpart: str, presence: Presence, to: Iterable[str], *, answer: bool = False) -> None:
        """Send a contact's presence to each of `to`, in few writes."""
        if not self.up:
            return
        template = self._template(localpart, presence)
        if template is None:
            return
        now, recipients = self._clock(), list(to)
        for start in range(0, len(recipients), RECIPIENTS_A_WRITE):
            chunk = recipients[start : start + RECIPIENTS_A_WRITE]
            self._link.write(template.write(chunk, now, answer=answer))

    def send_gateway_presence(self, to: str) -> None:
        """Send the component's own available presence, from its domain."""
        presence = self._presence(to)
        presence.append(self._domain_caps)
        if self.up:
            self.send(presence)

    def send_gateway_unavailable(self, to: str) -> None:
        """Take the component's own presence back (RFC 6121 section 3.3.3)."""
        self.send(self._presence(to, type="unavailable"))

    def send_subscription(self, kind: SubscriptionType, localpart: str, to: str) -> None:
        """Send a subscription stanza, bare to bare (RFC 6121 section 3.1.1)."""
        self.send(self._presence(bare(to), type=kind, localpart=localpart))

    def send_probe(self, to: str) -> None:
        """Probe an account from the component's domain (RFC 6121 section 4.3)."""
        self.send(self._presence(to, type="probe"))

    def send_announce(self, to: str) -> None:
        """Ask a panel session to announce itself again."""
        presence = self._presence(to)
        SubElement(presence, tag(PANEL, "announce"))
        self.send(presence)

    def send_instance(self, instance: str, number: int) -> None:
        """Send a numbered message from the domain to itself."""
        domain = self._link.domain
        message = Element(MESSAGE, {"from": domain, "to": domain, "type": "headline"})
        SubElement(message, tag(PANEL, "instance"), {"id": instance, "number": str(number)})
        self.send(message)

    def send_presence_error(self, to: str, sender: str, condition: str, kind: str, text: str, language: str) -> None:
        """Answer a presence with an error (RFC 6120 section 8.3)."""
        presence = Element(PRESENCE, {"type": "error", "from": sender, "to": to})
        presence.append(error_element(condition, kind, text, language))
        self.send(presence)

    def send_message(self, message: Element) -> bool:
        """Send a message as it is; False for one that may not leave."""
        return self.send(message)

    def send(self, stanza: Element) -> bool:
        """Send a stanza through the gate; what must not leave is logged and dropped, and False returned."""
        try:
            self._link.write(padded(serialize(stanza, self._link.domain)))
        except Stopped as stopped:
            log.warning("a stanza to %s was stopped: %s", stanza.get("to"), stopped)
            return False
        return True

    async def ping(self, to: str) -> Literal["pong", "error", "silence"]:
        """Ping (XEP-0199)."""
        iq = Element(IQ, {"type": "get", "to": to})
        SubElement(iq, tag(PING, "ping"))
        try:
            answer = await self._request(iq, self._ping_timeout)
        except NoAnswer:
            return "silence"
        return "pong" if answer.get("type") == "result" else "error"

    async def request(self, iq: Element) -> Element:
        """Send an iq get or set (with `type` and `to`) from the domain; return its result or error.

        Raises NoAnswer when none comes within the timeout, and at once when the link is or goes down.
        """
        return await self._request(iq, self._request_timeout)

    async def _request(self, iq: Element, within: float) -> Element:
        if not self.up:
            raise NoAnswer(f"not connected to the server: {self.problem}")
        iq.set("from", self._link.domain)
        return await self._requests.request(iq, within)

    def answered(self, iq: Element) -> None:
        """An iq result or error came."""
        self._requests.answered(iq)

    def down(self) -> None:
        """The link went down: what was asked over it gets no answer any more."""
        self._requests.drop(f"the connection ended before the answer: {self.problem}")

    def _template(self, localpart: str, presence: Presence) -> Template | None:
        cached = self._cache.get(localpart)
        if cached and cached[0] == presence:
            return cached[1]
        try:
            rendered = render(presence, localpart, self._link.domain, self._language, self._caps)
            template: Template | None = Template(rendered, self._link.domain)
        except Stopped as stopped:
            log.error("the presence of %s cannot be sent: %s", localpart, stopped)
            template = None
        self._cache[localpart] = (presence, template)
        return template

    def _presence(self, to: str, *, localpart: str = "", type: str | None = None) -> Element:
        sender = f"{localpart}@{self._link.domain}" if localpart else self._link.domain
        attributes = {"from": sender, "to": to} | ({"type": type} if type else {})
        return Element(PRESENCE, attributes)


def error_element(condition: str, kind: str, text: str, language: str) -> Element:
    """Return an `<error/>` (RFC 6120 section 8.3.2)."""
    error = Element(ERROR, {"type": kind})
    SubElement(error, tag(STANZAS, condition))
    SubElement(error, tag(STANZAS, "text"), {XML_LANG: language}).text = text
    return error
