"""The link against a small server of the test's own that speaks XEP-0114 and misbehaves."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from xml.etree.ElementTree import Element

import pytest

from component.xmpp.gate import Gated
from component.xmpp.link import Link
from tests.unit.fakes import DOMAIN

HEADER = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='s1'>"
Behaviour = Callable[["Server", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Counts connections and plays a behaviour on each."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.connections: list[float] = []
        self.received = ""
        self._behaviour = behaviour

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(time.monotonic())
        try:
            await self._behaviour(self, reader, writer)
        finally:
            writer.close()

    async def read(self, reader: asyncio.StreamReader, mark: str) -> None:
        """Read until a mark came or the connection ended."""
        while mark not in self.received and (chunk := await reader.read(4096)):
            self.received += chunk.decode()


async def accepts(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    server.received = ""
    await server.read(reader, "<stream:stream")
    writer.write(HEADER.encode())
    digest = hashlib.sha1(b"s1secret", usedforsecurity=False).hexdigest()
    await server.read(reader, "</handshake>")
    assert f"<handshake>{digest}</handshake>" in server.received
    probe = f"<presence type='probe' from='petrov@example.test/r' to='ivanov@{DOMAIN}'/>"
    writer.write(f"<handshake/>{probe}".encode())
    await server.read(reader, "</stream:stream>")


async def refuses(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    server.received = ""
    await server.read(reader, "<stream:stream")
    error = "<not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
    writer.write(f"{HEADER}<stream:error>{error}</stream:error></stream:stream>".encode())
    await writer.drain()


async def closes(_: Server, __: asyncio.StreamReader, ___: asyncio.StreamWriter) -> None:
    pass


async def hangs(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    server.received = ""
    await server.read(reader, "<stream:stream")
    writer.write(HEADER.encode())
    await server.read(reader, "</stream:stream>")


def accepts_and_then(writes: str) -> Behaviour:
    """Accept the first connection, write something and end it; from the second one on go on."""

    async def behaviour(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(server.connections) > 1:
            await accepts(server, reader, writer)
            return
        server.received = ""
        await server.read(reader, "<stream:stream")
        writer.write(HEADER.encode())
        await server.read(reader, "</handshake>")
        writer.write(f"<handshake/>{writes}".encode())
        await writer.drain()

    return behaviour


@asynccontextmanager
async def linked(
    behaviour: Behaviour, first_delay: float = 0.05, handshake_timeout: float = 10
) -> AsyncIterator[tuple[Server, Link, list[str]]]:
    server, told = Server(behaviour), list[str]()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    link = Link(
        DOMAIN,
        "secret",
        "127.0.0.1",
        port,
        "ru",
        first_delay=first_delay,
        handshake_timeout=handshake_timeout,
        conflict_delay=0.5,
    )
    link.on_up = lambda: told.append("up")
    link.on_down = lambda: told.append("down")
    link.connect()
    try:
        yield server, link, told
    finally:
        await link.stop()
        listening.close()


async def eventually(fact: Callable[[], bool]) -> None:
    """Wait for a fact that another task brings about over a socket."""
    async with asyncio.timeout(10):
        while not fact():  # noqa: ASYNC110 - the other side is a socket
            await asyncio.sleep(0.005)


async def test_a_probe_is_handed_on_and_slixmpp_answers_nothing_by_itself() -> None:
    came: list[Element] = []
    async with linked(accepts) as (server, link, told):
        link.on_stanza = came.append
        await eventually(lambda: bool(came))
        assert (told, came[0].get("type")) == (["up"], "probe")
        link.write(Gated(b"<message id='barrier'/>"))
        await eventually(lambda: "barrier" in server.received)
        assert "unsubscribed" not in server.received
        assert 'xml:lang="ru"' in server.received


async def test_none_of_slixmpps_roster_handlers_is_left() -> None:
    link = Link(DOMAIN, "secret", "127.0.0.1", 1, "ru")
    subscriptions = ("subscribe", "subscribed", "unsubscribe", "unsubscribed", "unavailable", "probe")
    kinds = (*subscriptions, "available", "away", "chat", "dnd", "xa")
    for event in ["roster_subscription_request", *(f"presence_{kind}" for kind in kinds)]:
        assert link._stream.event_handled(event) == 0, event


async def test_the_link_comes_back_after_a_drop_and_what_is_written_meanwhile_is_dropped() -> None:
    async with linked(accepts) as (server, link, told):
        await eventually(lambda: told == ["up"])
        link.drop("a test")
        await eventually(lambda: told[:2] == ["up", "down"])
        link.write(Gated(b"<message id='lost'/>"))
        await eventually(lambda: told == ["up", "down", "up"])
        link.write(Gated(b"<message id='barrier'/>"))
        await eventually(lambda: "barrier" in server.received)
        assert "lost" not in server.received


async def test_a_refused_secret_is_explained_and_tried_again_ever_more_seldom(caplog: pytest.LogCaptureFixture) -> None:
    async with linked(refuses) as (server, link, told):
        await eventually(lambda: len(server.connections) >= 4)
        assert "the server refuses the secret" in link.problem
        assert told == []
    gaps = [later - earlier for earlier, later in zip(server.connections, server.connections[1:], strict=False)]
    assert gaps[-1] >= 4 * 0.05 * 0.75 * 0.9  # a busy machine only makes it longer
    assert "the server refuses the secret" in caplog.text


CONFLICT = "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"


@pytest.mark.parametrize(
    ("writes", "problem"),
    [
        ("", "the connection ended: closed by the server"),
        ("</stream:stream>", "the connection ended: End of stream"),
        (CONFLICT, "another connection of this component is open: only one may run"),
        ("<<<", "the connection ended"),
    ],
    ids=["cut", "closed", "conflict", "not XML"],
)
async def test_a_stream_that_ends_later_is_told_and_comes_back(writes: str, problem: str) -> None:
    problems: list[str] = []
    async with linked(accepts_and_then(writes)) as (server, link, told):
        link.on_trouble = lambda: problems.append(link.problem)
        await eventually(lambda: told == ["up", "down", "up"])
        assert len(server.connections) == 2
        assert link.problem == ""
    assert len(problems) == 1
    assert problems[0].startswith(problem)


async def test_two_connections_do_not_take_the_stream_from_each_other_all_the_time() -> None:
    async with linked(accepts_and_then(CONFLICT)) as (server, _, told):
        await eventually(lambda: told == ["up", "down", "up"])
    assert server.connections[1] - server.connections[0] >= 0.5 * 0.75


async def test_a_server_that_never_answers_the_handshake_is_given_up_and_tried_again() -> None:
    async with linked(hangs, handshake_timeout=0.2) as (server, link, told):
        link.write(Gated(b"<message id='early'/>"))
        await eventually(lambda: len(server.connections) >= 2)
        assert (told, link.problem) == ([], "the server does not answer the handshake")
        assert "early" not in server.received


async def test_a_server_that_closes_at_once_is_not_flooded() -> None:
    async with linked(closes, first_delay=0.2) as (server, link, __):
        began = time.monotonic()
        await eventually(lambda: len(server.connections) >= 3)
        assert link.problem.startswith("the connection ended before the handshake")
        assert time.monotonic() - began > 0.3


async def test_a_stop_while_nothing_answers_is_quick() -> None:
    link = Link(DOMAIN, "secret", "127.0.0.1", 1, "ru")
    troubles: list[str] = []
    link.on_trouble = lambda: troubles.append(link.problem)
    link.connect()
    await eventually(lambda: bool(troubles))
    assert "cannot connect to 127.0.0.1:1" in troubles[0]
    async with asyncio.timeout(1):
        await link.stop()
