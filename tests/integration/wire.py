"""An XMPP client without a library, for what a library would not send: the test writes and reads XML itself."""

import asyncio
import base64
import itertools
from collections.abc import Callable, Iterator
from typing import cast
from xml.etree.ElementTree import Element, XMLPullParser, canonicalize, fromstring, tostring

from component.core.chat import SERVER_STAMPS
from component.panel_client.whole_tags import WholeTags
from tests.integration.office import PASSWORD, Office

CLIENT = "jabber:client"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
PING = "<ping xmlns='urn:xmpp:ping'/>"
_numbers = itertools.count(1)


class Wire:
    """A session of an account of an office, online with priority 0. Everything that comes is kept in `came`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, domain: str) -> None:
        self.jid = ""
        self.came: list[Element] = []
        self.domain = domain
        self._reader, self._writer = reader, writer
        self._parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
        self._depth = 0
        self._whole_tags = WholeTags()
        self._read = 0

    @classmethod
    async def open(cls, office: Office, name: str, resource: str = "wire", lang: str = "ru") -> "Wire":
        """Log in (SASL PLAIN, no TLS) and send presence; `lang` is the stream's xml:lang."""
        server = office.server
        wire = cls(*await asyncio.open_connection("127.0.0.1", server.ports.c2s), server.component_domain)
        office.closing.append(wire.close)
        header = (
            f"<stream:stream to='{server.domain}' version='1.0' xml:lang='{lang}' xmlns='{CLIENT}' "
            "xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        wire.write(header)
        await wire.next(lambda one: one.tag.endswith("features"))
        login = base64.b64encode(f"\0{office.id(name)}\0{PASSWORD}".encode()).decode()
        wire.write(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{login}</auth>")
        await wire.next(lambda one: one.tag.endswith("success"))
        wire._parser, wire._depth = XMLPullParser(("start", "end")), 0
        wire.write(header)
        await wire.next(lambda one: one.tag.endswith("features"))
        bound = await wire.iq(
            f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind>", to=None
        )
        wire.jid = bound.findtext(".//{urn:ietf:params:xml:ns:xmpp-bind}jid", "")
        wire.write("<presence/>")
        return wire

    def write(self, xml: str) -> None:
        """Send XML as it is, a large stanza with as much white space behind it.

        The server's own parser, too, waits for more data after a part of a large token (Debian's expat,
        CVE-2023-52425).
        """
        padding = " " * len(xml) if len(xml) > 1000 else ""
        self._writer.write((xml + padding).encode())

    async def next(self, fits: Callable[[Element], bool], within: float = 5.0) -> Element:
        """Wait for the first stanza that fits and that no earlier wait passed by."""
        async with asyncio.timeout(within):
            while True:
                while self._read < len(self.came):
                    self._read += 1
                    if fits(self.came[self._read - 1]):
                        return self.came[self._read - 1]
                await self._receive()

    async def ask(self, xml: str) -> Element:
        """Send a stanza with an id and wait for what comes with the same id."""
        identifier = fromstring(xml).get("id")
        self.write(xml)
        return await self.next(lambda one: one.get("id") == identifier)

    async def iq(self, payload: str, to: str | None = "", kind: str = "set", lang: str = "") -> Element:
        """Send an iq (`to` "" is the component's domain, None the account) and wait for its answer."""
        address = "" if to is None else f"to='{to or self.domain}'"
        language = f"xml:lang='{lang}'" if lang else ""
        return await self.ask(f"<iq type='{kind}' {address} {language} id='q{next(_numbers)}'>{payload}</iq>")

    async def settled(self) -> None:
        """Prove that all that was sent is done with, and its answers are here: the component answers a ping."""
        assert (await self.iq(PING, kind="get")).get("type") == "result"

    async def close(self) -> None:
        """End the stream in order."""
        if not self._writer.is_closing():
            self.write("</stream:stream>")
            self._writer.close()
            await self._writer.wait_closed()

    async def _receive(self) -> None:
        data = await self._reader.read(65536)
        assert data, "the server closed the stream after " + "\n".join(map(written, self.came[-3:]))
        self._parser.feed(self._whole_tags(data))
        for event, element in cast("Iterator[tuple[str, Element]]", self._parser.read_events()):
            self._depth += 1 if event == "start" else -1
            if event == "end" and self._depth == 1:
                self.came.append(element)


def error_of(stanza: Element) -> tuple[str, str, str]:
    """The error of a stanza: type, condition and text; asserts that it is one, with a text (RFC 6120 section 8.3)."""
    error = stanza.find(f"{{{CLIENT}}}error")
    assert stanza.get("type") == "error", written(stanza)
    assert error is not None, written(stanza)
    condition, text = error[0], error[1]
    return error.get("type", ""), condition.tag.removeprefix(f"{{{STANZAS}}}"), text.text or ""


def written(element: Element) -> str:
    """An element as canonical XML, equal for equal elements."""
    return canonicalize(tostring(element, encoding="unicode"))


def written_like(element: Element, one: str, other: str) -> str:
    """An element as canonical XML without its id and its server's stamps, with one address written as another one."""
    copy = Element(element.tag, {name: value for name, value in element.items() if name != "id"})
    copy.text = element.text
    copy.extend(child for child in element if child.tag not in SERVER_STAMPS)
    return written(copy).replace(one, other)
