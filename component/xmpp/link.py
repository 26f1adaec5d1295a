"""The component's link to its server (XEP-0114): slixmpp's stream, held, with reconnection of our own.

slixmpp's roster handlers are removed: they answer probes with `unsubscribed`, which destroys the users' rosters. What
is sent while the link is down is dropped, never queued: what holds is sent anew after the next handshake.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from slixmpp import ComponentXMPP

from component.xmpp.gate import Gated
from component.xmpp.whole_tags import WholeTags

log = logging.getLogger(__name__)

FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0
"""Seconds before a reconnection; doubled at each failure, with jitter."""
FULL = 256 * 1024
"""Bytes waiting to be written at which long work pauses."""
CONFLICT_DELAY = 20.0
"""Seconds before a reconnection after another connection took the stream, lest the two take it from each other."""
HANDSHAKE_TIMEOUT = 15.0
"""Seconds from the TCP connection to the handshake, after which the connection is given up."""

REASONS = {
    "not-authorized": "the server refuses the secret (or the domain): compare [xmpp] with the component's section "
    "in the server's configuration",
    "host-unknown": "the server does not know this domain as a component: compare [xmpp] domain with the server's "
    "configuration",
    "conflict": "another connection of this component is open: only one may run",
}


class Link:
    """Connects, reconnects and hands every incoming stanza on."""

    def __init__(
        self,
        domain: str,
        secret: str,
        host: str,
        port: int,
        language: str,
        *,
        first_delay: float = FIRST_DELAY,
        handshake_timeout: float = HANDSHAKE_TIMEOUT,
        conflict_delay: float = CONFLICT_DELAY,
    ) -> None:
        """`first_delay` is the least pause before a reconnection; all are in seconds."""
        self.domain = domain
        self.up = False
        self.problem = "not yet connected"
        self.on_up: Callable[[], None] = lambda: None
        self.on_down: Callable[[], None] = lambda: None
        self.on_trouble: Callable[[], None] = lambda: None
        self.on_stanza: Callable[[Element], None] = lambda _: None
        self._address = (host, port)
        self._stopping = False
        self._failing = False
        self._explained = False
        self._first_delay = self._delay = first_delay
        self._handshake_timeout = handshake_timeout
        self._conflict_delay = conflict_delay
        self._timer: asyncio.TimerHandle | None = None
        self._heard_at = 0.0
        self._stream = ComponentXMPP(domain, secret, host, port, fix_error_ns=True)
        self._stream.stream_header = self._stream.stream_header.replace(" to=", f' xml:lang="{language}" to=')
        _strip_roster(self._stream)
        self._slow = self._stream._spawn_event
        setattr(self._stream, "_spawn_event", self._element)  # noqa: B010 - mypy refuses to assign to a method
        self._parse, self._whole_tags = self._stream.data_received, WholeTags()
        setattr(self._stream, "data_received", self._received)  # noqa: B010 - mypy refuses to assign to a method
        self._stream.add_event_handler("session_start", self._started)
        self._stream.add_event_handler("connected", self._connected)
        self._stream.add_event_handler("disconnected", self._ended)
        self._stream.add_event_handler("connection_failed", self._failed)
        self._stream.add_event_handler("stream_error", self._stream_error)

    def connect(self) -> None:
        """Begin to connect; from now on the link is kept up until `stop`."""
        self._stream.connect(*self._address)

    async def stop(self) -> None:
        """Close the stream in order."""
        self._stopping = True
        self._cancel_timer()
        self._stream.cancel_connection_attempt()
        await self._stream.disconnect(wait=2.0)

    @property
    def silent_for(self) -> float:
        """Seconds since anything came from the server."""
        return asyncio.get_running_loop().time() - self._heard_at

    async def room(self) -> None:
        """Wait while much of what was sent is still to be written."""
        while self.up and self._stream.transport and self._stream.transport.get_write_buffer_size() > FULL:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # slixmpp's protocol is not told when its transport has room again

    def write(self, data: Gated) -> None:
        """Send bytes of whole stanzas; while the link is down they are dropped."""
        if self.up and self._stream.transport:
            self._stream.transport.write(data)

    def drop(self, reason: str) -> None:
        """Give the connection up and connect again."""
        self.problem, self._explained = reason, True
        log.warning("%s: %s; connecting again", self.domain, reason)
        self._stream.abort()

    def _element(self, element: Element) -> None:
        namespace = element.tag.partition("}")[0]
        if self.up and namespace in ("{jabber:component:accept", "{jabber:client"):
            self.on_stanza(self._stream.incoming_filter(element))
        else:
            self._slow(element)

    def _received(self, data: bytes) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        self._parse(self._whole_tags(data))

    def _connected(self, _: Any) -> None:
        self._whole_tags = WholeTags()
        loop = asyncio.get_running_loop()
        self._cancel_timer()
        self._explained = False
        self._timer = loop.call_later(self._handshake_timeout, self.drop, "the server does not answer the handshake")

    def _started(self, _: Any) -> None:
        self._cancel_timer()
        self.up, self._failing, self._delay, self.problem = True, False, self._first_delay, ""
        log.info("connected to %s:%d as %s", *self._address, self.domain)
        self.on_up()

    def _stream_error(self, error: Any) -> None:
        condition, self._explained = error["condition"], True
        if condition == "conflict":
            self._delay = max(self._delay, self._conflict_delay)
        self.problem = REASONS.get(condition, f"the server closed the stream: {condition} {error['text']}".rstrip())
        log.error("%s: %s", self.domain, self.problem)

    def _failed(self, error: object) -> None:
        self._stream.cancel_connection_attempt()
        self.problem = f"cannot connect to {self._address[0]}:{self._address[1]}: {error}"
        self._retry()

    def _ended(self, reason: object) -> None:
        was_up, self.up = self.up, False
        self._cancel_timer()
        if not self._explained:
            when = "" if was_up else " before the handshake"
            self.problem = f"the connection ended{when}: {reason or 'closed by the server'}"
        if was_up:
            self.on_down()
        if not self._stopping:
            self._retry()

    def _retry(self) -> None:
        if self._stopping:
            return
        self.on_trouble()
        delay = self._delay * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret
        self._delay = min(LONGEST_DELAY, self._delay * 2)
        level = logging.DEBUG if self._failing else logging.WARNING
        log.log(level, "%s; trying again in %.1f s", self.problem, delay)
        self._failing = True
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(delay, self.connect)

    def _cancel_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def _strip_roster(stream: ComponentXMPP) -> None:
    """Take slixmpp's own roster out of the way: it answers probes and subscriptions by itself."""
    for kind in ("subscribe", "subscribed", "unsubscribe", "unsubscribed", "unavailable", "probe"):
        stream.del_event_handler("presence_" + kind, getattr(stream, "_handle_" + kind))
    for kind in ("available", "away", "chat", "dnd", "xa"):
        stream.del_event_handler("presence_" + kind, stream._handle_available)
    stream.del_event_handler("roster_subscription_request", stream._handle_new_subscription)
    stream.del_filter("out", stream.roster._save_last_status)
