"""A TCP proxy between the component and its server: it cuts, swallows, and sees each handshake."""

import asyncio
from typing import Literal, cast

Way = Literal["to server", "to component"]


class Proxy:
    """Forwards connections from its own loopback port, `port` after `start`, to the server's."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.handshakes: list[float] = []
        self.forwarded: dict[Way, int] = {"to server": 0, "to component": 0}
        self._target = target
        self._pairs: set[_Pair] = set()
        self._server: asyncio.Server | None = None
        self._greeted = asyncio.Event()

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Pair(self)._near, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        if self._server:
            self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break all connections, on both sides, without a word."""
        for pair in tuple(self._pairs):
            pair.abort()

    def swallow(self, way: Way) -> None:
        """Let what goes this way on the present connections vanish; both ends stay connected. New ones are whole."""
        for pair in self._pairs:
            pair.swallowed.add(way)

    async def handshake(self, number: int, within: float = 60.0) -> float:
        """Wait for a handshake, the first one having the number 1; returns when it was."""
        async with asyncio.timeout(within):
            while len(self.handshakes) < number:
                self._greeted.clear()
                await self._greeted.wait()
        return self.handshakes[number - 1]

    def greeted(self) -> None:
        """A handshake was made just now."""
        self.handshakes.append(asyncio.get_running_loop().time())
        self._greeted.set()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._pairs)


class _Pair:
    """The two connections of one."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.swallowed: set[Way] = set()
        self.greeted = False
        self._near = _End(self, "to server")
        self._far = _End(self, "to component")
        self._near.other, self._far.other = self._far, self._near
        self._connecting: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self.proxy._pairs.add(self)
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self._far, "127.0.0.1", self.proxy._target)
        except OSError:
            self.abort()

    def abort(self) -> None:
        self.proxy._pairs.discard(self)
        for end in (self._near, self._far):
            end.abort()

    def passed(self, way: Way, data: bytes) -> None:
        self.proxy.forwarded[way] += len(data)
        if way == "to component" and not self.greeted and b"<handshake" in data:
            self.greeted = True
            self.proxy.greeted()


class _End(asyncio.Protocol):
    """One side: what it receives goes to the other."""

    other: "_End"

    def __init__(self, pair: _Pair, way: Way) -> None:
        self._pair, self._way = pair, way
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._way == "to server":
            self._pair.begin()
        for data in self._early:
            self._transport.write(data)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        if self._way not in self._pair.swallowed:
            self._pair.passed(self._way, data)
            self.other.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pair.abort()

    def pause_writing(self) -> None:
        if self.other._transport:
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other._transport:
            self.other._transport.resume_reading()

    def write(self, data: bytes) -> None:
        if self._transport:
            self._transport.write(data)
        else:
            self._early.append(data)

    def abort(self) -> None:
        if self._transport:
            self._transport.abort()
