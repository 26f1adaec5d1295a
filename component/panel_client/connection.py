"""One XMPP session of an account that stays up: slixmpp's ClientXMPP, held; reconnect; hung links."""

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element

from slixmpp import ClientXMPP, Iq
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream import tostring
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from .stanzas import CLIENT, StanzaError, read_error, xml_text
from .whole_tags import WholeTags

Failure = Literal["unreachable", "refused", "replaced", "lost", "no-answer", "not-connected"]
_log = logging.getLogger(__name__)


class PanelClientError(Exception):
    """The session cannot be made, is lost, or a request got no answer; `reason` tells which."""

    def __init__(self, reason: Failure, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class PanelError(Exception):
    """A request was answered with an error (RFC 6120 section 8.3): `condition`, `type`, `text`."""

    def __init__(self, error: StanzaError) -> None:
        super().__init__(f"{error.type}/{error.condition}: {error.text}")
        self.condition, self.type, self.text = error.condition, error.type, error.text


class Connection:
    """The stream of one client.

    handlers: what to do with each "presence", "message" and "roster" element (the iq of a push) that comes in.
    begin: run in each new session before it counts as online. The other arguments are those of `PanelClient`.
    """

    def __init__(
        self,
        jid: str,
        password: str,
        *,
        address: tuple[str, int] | None,
        plaintext: bool,
        ca_file: Path | None,
        lang: str,
        reconnect: bool,
        keepalive: float,
        handlers: Mapping[str, Callable[[Element], None]],
        begin: Callable[[], Awaitable[None]],
    ) -> None:
        self._address, self._reconnect, self._keepalive = address, reconnect, keepalive
        self._handlers, self._begin = handlers, begin
        self._online, self._lost = asyncio.Event(), asyncio.Event()
        self._negotiated: asyncio.Future[PanelClientError | None] | None = None
        self._replaced = False
        self._supervisor: asyncio.Task[None] | None = None
        self._stream = ClientXMPP(jid, password, lang=lang)
        self._stream.auto_authorize, self._stream.auto_subscribe = None, False
        self._parse, self._whole_tags = self._stream.data_received, WholeTags()
        setattr(self._stream, "data_received", self._received)  # noqa: B010 - mypy refuses to assign to a method
        self._stream.add_event_handler("connected", self._begin_parsing)
        # An address given by hand is an ordinary c2s port: STARTTLS. Direct TLS only where DNS names it.
        self._stream.enable_direct_tls = address is None
        self._stream.ca_certs = ca_file
        if plaintext:
            self._stream.enable_starttls, self._stream.enable_plaintext = False, True
            self._stream.plugin["feature_mechanisms"].unencrypted_scram = True
            self._stream.plugin["feature_mechanisms"].unencrypted_plain = True
        self._register()

    def _register(self) -> None:
        stream = self._stream
        stream.register_plugin("xep_0199")
        # slixmpp's own "message" event leaves out everything without a body: receipts, errors, chat states.
        for kind in ("presence", "message"):
            path = MatchXPath(f"{{{CLIENT}}}{kind}")
            stream.register_handler(Callback(f"Every {kind}", path, self._take(kind)))
        stream.add_event_handler("roster_update", self._take("roster"))
        stream.add_event_handler("session_start", lambda _: self._settle(None))
        stream.add_event_handler("failed_all_auth", self._on_refused)
        stream.add_event_handler("stream_error", self._on_stream_error)
        stream.add_event_handler("disconnected", self._on_disconnected)

    def _take(self, kind: str) -> Callable[[StanzaBase], None]:
        return lambda stanza: self._handlers[kind](stanza.xml)

    def _begin_parsing(self, _: object) -> None:
        self._whole_tags = WholeTags()

    def _received(self, data: bytes) -> None:
        self._parse(self._whole_tags(data))

    @property
    def jid(self) -> str:
        """The full JID that the server gave to this session."""
        return str(self._stream.boundjid.full)

    @property
    def online(self) -> bool:
        """True while the session is up."""
        return self._online.is_set()

    @property
    def will_return(self) -> bool:
        """True while the session is down and will come back by itself."""
        return not self.online and self._reconnect and self._supervisor is not None and not self._supervisor.done()

    async def connect(self, within: float) -> None:
        """Begin the session and keep it up from now on; raises PanelClientError."""
        if self._supervisor is not None:
            raise PanelClientError("refused", f"{self.jid}: connected already, close() comes first")
        await self._connect_once(within)
        self._supervisor = asyncio.create_task(self._supervise())

    async def wait_online(self, within: float) -> None:
        """Wait until the session is up (again); raises TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            await self._online.wait()

    async def close(self) -> None:
        """End the stream in order (RFC 6120 section 4.4) and stay away."""
        self._stop()
        if self._stream.transport is not None:
            await self._stream.disconnect()

    def kill(self) -> None:
        """Abort the TCP connection without goodbye and stay away."""
        self._stop()
        self.break_link()

    def break_link(self) -> None:
        """Abort the TCP connection without goodbye."""
        if self._stream.transport is not None:
            self._stream.transport.abort()

    def _stop(self) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
        self._supervisor = None
        self._online.clear()
        self._stream.cancel_connection_attempt()

    async def _connect_once(self, within: float) -> None:
        if self._stream.transport is not None:
            # The end of an earlier connection would be taken for the end of the new one.
            self._lost.clear()
            self.break_link()
            await self._lost.wait()
        self._lost.clear()
        self._replaced = False
        self._negotiated = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within):
                # The result is slixmpp's own next attempt if this one failed, None if it succeeded.
                if await self._stream.connect(*(self._address or (None, None))) is not None:
                    raise PanelClientError("unreachable", f"{self.jid}: no server at {self._where}")
                if (failure := await self._negotiated) is not None:
                    raise failure
                await self._begin()
                if self._lost.is_set():
                    raise PanelClientError("lost", f"{self.jid}: the connection broke")
                self._online.set()
        except TimeoutError:
            raise PanelClientError("no-answer", f"{self.jid}: no session within {within} s") from None
        finally:
            if not self.online:
                self._stream.cancel_connection_attempt()
                self.break_link()

    @property
    def _where(self) -> str:
        return "{}:{}".format(*self._address) if self._address else "the account's domain"

    async def _supervise(self) -> None:
        """Find a hung link by pings; bring a lost session back after 1 s, 2 s, 4 s ... 30 s."""
        delay = 1.0
        while True:
            if self.online:
                delay = 1.0
                await self._watch_link()
            if self._replaced or not self._reconnect:
                _log.warning("%s: offline%s", self.jid, ", replaced by a newer session" * self._replaced)
                return
            # Spread: hundreds of panels lose a restarted server in the same instant.
            await asyncio.sleep(delay * random.uniform(0.7, 1.3))  # noqa: S311 - nothing secret depends on it
            delay = min(30.0, delay * 2)
            try:
                await self._connect_once(30.0)
            except (PanelClientError, PanelError) as error:
                _log.warning("%s: not connected: %s", self.jid, error)
                if isinstance(error, PanelClientError) and error.reason == "refused":
                    return

    async def _watch_link(self) -> None:
        while not self._lost.is_set():
            try:
                async with asyncio.timeout(self._keepalive):
                    await self._lost.wait()
            except TimeoutError:
                try:
                    await self.request("get", Element("{urn:xmpp:ping}ping"))
                except PanelClientError:
                    self.break_link()
                    await self._lost.wait()
                except PanelError:
                    continue  # a server without XEP-0199 is alive all the same

    async def request(
        self, type: Literal["get", "set"], payload: Element, to: str | None = None, within: float = 10.0
    ) -> Element:
        """Send an iq, `to` None = one's own account, and return the answer's element.

        Raises PanelError if the answer is an error, PanelClientError if none comes within `within` seconds.
        """
        if self._stream.transport is None:
            raise PanelClientError("not-connected", f"{self.jid}: not connected")
        iq = self._stream.make_iq(ito=to, itype=type)
        iq.xml.append(_clean(payload))
        try:
            answer: Iq = await iq.send(timeout=within)
        except IqError as error:
            raise PanelError(read_error(error.iq.xml) or StanzaError("", "undefined-condition")) from None
        except IqTimeout:
            text = f"{self.jid}: no answer from {to or 'the server'} within {within} s"
            raise PanelClientError("no-answer", text) from None
        return answer.xml

    def send(self, stanza: Element) -> None:
        """Write a stanza (tag in `jabber:client`) at once; raises PanelClientError without a connection."""
        if self._stream.transport is None or self._lost.is_set():
            raise PanelClientError("not-connected", f"{self.jid}: not connected")
        self._stream.send_raw(tostring(_clean(stanza), xmlns=CLIENT))

    def _settle(self, failure: PanelClientError | None) -> None:
        if self._negotiated is not None and not self._negotiated.done():
            self._negotiated.set_result(failure)

    def _on_refused(self, _: object) -> None:
        tried = self._stream.plugin["feature_mechanisms"].attempted_mechs
        text = "wrong password or no such account" if tried else "no safe login method; is TLS missing?"
        self._settle(PanelClientError("refused", f"{self.jid}: {text}"))

    def _on_stream_error(self, error: StanzaBase) -> None:
        # Two programs with one resource would throw each other out for ever (RFC 6120 section 4.9.3.3).
        self._replaced = self._replaced or error["condition"] == "conflict"

    def _on_disconnected(self, reason: object) -> None:
        self._online.clear()
        self._lost.set()
        if isinstance(reason, ssl.SSLError):
            self._settle(PanelClientError("refused", f"{self.jid}: no trust in the server's TLS: {reason}"))
        self._settle(PanelClientError("lost", f"{self.jid}: the server closed the connection"))


def _clean(stanza: Element) -> Element:
    """Replace what XML forbids, in place: one such character would close the whole stream."""
    for element in stanza.iter():
        element.text = None if element.text is None else xml_text(element.text)
        for name, value in element.items():
            element.set(name, xml_text(value))
    return stanza
