"""A light XMPP client for hundreds in one process: it reads later what came, so that reading costs the servers nothing.

What comes is kept with its time and parsed when someone asks, or at once when it holds something to answer.
"""

import asyncio
import base64
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from xml.etree.ElementTree import Element, XMLPullParser

from component.panel_client.stanzas import stamp
from component.panel_client.whole_tags import WholeTags
from scripts.fault_runs.reading import CLIENT, NOTHING, PANEL, Heard, Kind, Shown, read

RETRY = 30.0
"""Seconds after which a panel that was told an error announces itself again (docs/protocol.md)."""
RETURN = 0.2
"""Seconds between two attempts to come back after the server ended the connection."""
_TO_ANSWER = (b"<iq", b"<message", b"announce", b"error", b"<stream:")
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Panel:
    """What a panel announces of itself (docs/protocol.md)."""

    mode: str = "softphone"
    phone: str | None = "online"
    idle_since: datetime | None = None

    def xml(self, to: str) -> str:
        """The directed presence."""
        phone = f" phone='{self.phone}'" if self.phone else ""
        idle = f"<idle xmlns='urn:xmpp:idle:1' since='{stamp(self.idle_since)}'/>" if self.idle_since else ""
        return f"<presence to='{to}'><panel xmlns='{PANEL}' mode='{self.mode}'{phone}/>{idle}</presence>"


@dataclass(frozen=True, slots=True)
class Visit:
    """One session from its initial presence to its end: all contacts' presences, and what it probed itself."""

    jid: str
    heard: list[Heard]
    probes: Counter[str]


class _Wire(asyncio.Protocol):
    """One connection of a client; what a former one still brings is nobody's."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._client.connected(self, cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        if self._client.wire is self:
            self._client.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._client.wire is self:
            self._client.lost()


class Client:
    """A session of an employee, a chat client or (with `panel`) a panel; it returns when the server ends it."""

    def __init__(self, name: str, account: str, password: str, resource: str, port: int, component: str) -> None:
        """`name` is the employee's id, `account` the bare JID."""
        self.name, self.account, self.resource = name, account, resource
        self.component = component
        self.panel: Panel | None = None
        self.general = "<presence/>"
        self.belief: dict[str, Shown] = {}
        self.heard: list[Heard] = []
        self.probes: Counter[str] = Counter()
        self.past: list[Visit] = []
        self.messages: list[Element] = []
        self.online_at = 0.0
        self.news: Callable[[], None] = lambda: None
        self._password, self._port = password, port
        self.wanted = False
        self._returning: asyncio.Task[None] | None = None
        self.wire: _Wire | None = None
        self._transport: asyncio.Transport | None = None
        self._came: list[tuple[float, bytes]] = []
        self._tail = b""
        self._waiting: list[tuple[Callable[[Element], bool], asyncio.Future[Element]]] = []

    @property
    def jid(self) -> str:
        """The full JID."""
        return f"{self.account}/{self.resource}"

    @property
    def online(self) -> bool:
        """Whether it has sent its initial presence on a connection that holds."""
        return self.online_at > 0

    async def login(self, within: float = 20.0) -> None:
        """Log in (SASL PLAIN without TLS), fetch the roster, send presence; from now on come back by itself."""
        self.wanted = True
        async with asyncio.timeout(within):
            await self._login()

    def come_back(self) -> None:
        """Log in as soon as the server takes it, and again whenever it ends the connection."""
        self.wanted = True
        if self._returning is None:
            self._returning = asyncio.create_task(self._return())

    async def logout(self) -> None:
        """End the stream in order; what was believed is forgotten."""
        self._leave()
        if self._transport and not self._transport.is_closing():
            self._transport.write(b"</stream:stream>")
            self._transport.close()

    def abort(self) -> None:
        """Break the connection without a word, as a crash does, and stay away."""
        self._leave()
        if self._transport:
            self._transport.abort()

    def send(self, xml: str) -> None:
        """Write whole stanzas; they are lost while there is no connection."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(xml.encode())

    def show(self, panel: Panel | None) -> None:
        """Become or stay a panel in this state, and say so."""
        self.panel = panel
        if panel and self.online:
            self.send(panel.xml(self.component))

    async def iq(self, payload: str, to: str | None = None, kind: str = "get", within: float = 10.0) -> Element:
        """Ask (`to` None = the component's domain, "" = the account) and return the answer, an error too."""
        number = f"f{next(_numbers)}"
        address = f" to='{self.component if to is None else to}'" if to != "" else ""
        answer = self._expect(lambda one: one.get("id") == number)
        self.send(f"<iq type='{kind}'{address} id='{number}'>{payload}</iq>")
        return await self._within(answer, within)

    async def ping(self, within: float = 30.0) -> bool:
        """Ask the component for an answer behind all that it sent before; False when there is none from it."""
        answer = await self.iq("<ping xmlns='urn:xmpp:ping'/>", within=within)
        return answer.get("type") == "result"

    def probe(self, contact: str) -> None:
        """Ask for a contact's presence."""
        self.probes[contact] += 1
        self.send(f"<presence type='probe' to='{contact}'/>")

    def read(self) -> None:
        """Read all that has come."""
        came, self._came = self._came, []
        for at, data in came:
            self._parser.feed(self._whole_tags(data))
            for event, element in cast("Iterator[tuple[str, Element]]", self._parser.read_events()):
                self._depth += 1 if event == "start" else -1
                if event == "start" and self._depth == 1:
                    self._root = element
                elif event == "end" and self._depth == 1:
                    self._root.clear()
                    self._take(element, at)

    def connected(self, wire: _Wire, transport: asyncio.Transport) -> None:
        """A connection is there; a former one, which may not have ended yet, no longer counts."""
        self._end_visit()
        self.wire, self._transport = wire, transport
        self._begin()

    def received(self, data: bytes) -> None:
        """Something came."""
        self._came.append((asyncio.get_running_loop().time(), data))
        self.news()
        seen = self._tail + data
        self._tail = data[-16:]
        if self._waiting or any(mark in seen for mark in _TO_ANSWER):
            self.read()

    def lost(self) -> None:
        """The connection ended."""
        self.read()
        self._end_visit()
        if self.wanted:
            self.come_back()

    async def _return(self) -> None:
        try:
            while self.wanted and not self.online:
                await asyncio.sleep(RETURN)
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(10):
                        await self._login()
        finally:
            self._returning = None

    async def _login(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: _Wire(self), "127.0.0.1", self._port)
        host = self.account.partition("@")[2]
        header = f"<stream:stream to='{host}' version='1.0' xml:lang='ru' xmlns='{CLIENT}' " + (
            "xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        await self._say(header, "features")
        login = base64.b64encode(f"\0{self.name}\0{self._password}".encode()).decode()
        await self._say(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{login}</auth>", "success")
        self._begin()
        await self._say(header, "features")
        bind = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{self.resource}</resource></bind>"
        await self.iq(bind, to="", kind="set")
        await self.iq("<query xmlns='jabber:iq:roster'/>", to="")
        self.online_at = asyncio.get_running_loop().time()
        self.send(self.general)
        self.show(self.panel)

    async def _say(self, xml: str, wanted: str) -> None:
        answer = self._expect(lambda one: one.tag.endswith(wanted))
        self.send(xml)
        await self._within(answer, 10)

    def _begin(self) -> None:
        self._parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
        self._whole_tags, self._depth, self._came, self._tail = WholeTags(), 0, [], b""

    def _leave(self) -> None:
        self.wanted = False
        self.online_at = 0.0
        if self._returning:
            self._returning.cancel()

    def _end_visit(self) -> None:
        if self.heard:
            self.past.append(self.visit())
        self.belief, self.heard, self.probes, self.online_at = {}, [], Counter(), 0.0
        for _, answer in self._waiting:
            if not answer.done():
                answer.set_exception(ConnectionError(f"{self.jid}: the connection ended"))
        self._waiting.clear()

    def _expect(self, fits: Callable[[Element], bool]) -> asyncio.Future[Element]:
        answer: asyncio.Future[Element] = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            answer.set_exception(ConnectionError(f"{self.jid}: no connection"))
        else:
            self._waiting.append((fits, answer))
        return answer

    async def _within(self, answer: asyncio.Future[Element], within: float) -> Element:
        try:
            async with asyncio.timeout(within):
                return await answer
        finally:
            self._waiting = [one for one in self._waiting if one[1] is not answer]

    def _take(self, element: Element, at: float) -> None:
        for fits, answer in self._waiting:
            if not answer.done() and fits(element):
                answer.set_result(element)
        kind = element.tag.removeprefix(f"{{{CLIENT}}}")
        if kind == "presence":
            self._presence(element, at)
        elif kind == "message":
            self.messages.append(element)
        elif kind == "iq" and element.get("type") in ("get", "set"):
            self._asked(element)

    def _presence(self, presence: Element, at: float) -> None:
        contact, _, _ = presence.get("from", "").partition("/")
        if contact == self.component:
            if presence.find(f"{{{PANEL}}}announce") is not None:
                self.show(self.panel)
            elif presence.get("type") == "error" and self.panel:
                asyncio.get_running_loop().call_later(RETRY, lambda: self.show(self.panel))
            return
        shown = read(presence)
        if shown is None or not contact.endswith("@" + self.component):
            return
        before = self.belief.get(contact)
        worth: Kind = "first" if before is None else "repeat" if before == shown else "change"
        self.belief[contact] = before if before is not None and worth == "repeat" else shown
        self.heard.append(Heard(at, contact, self.belief[contact], worth))

    def _asked(self, iq: Element) -> None:
        to = f" to='{iq.get('from')}'" if iq.get("from") else ""
        query = iq.find("{jabber:iq:roster}query")
        if query is not None:
            for item in query:
                if item.get("subscription") == "remove":
                    self.belief.pop(item.get("jid", ""), None)
        if query is not None or iq.find("{urn:xmpp:ping}ping") is not None:
            self.send(f"<iq type='result' id='{iq.get('id')}'{to}/>")
            return
        error = "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        self.send(f"<iq type='error' id='{iq.get('id')}'{to}><error type='cancel'>{error}</error></iq>")

    def visit(self) -> Visit:
        """What this session has heard until now."""
        return Visit(self.jid, self.heard, self.probes)

    def believes(self, contact: str) -> Shown:
        """What it believes of a contact."""
        return self.belief.get(contact, NOTHING)
