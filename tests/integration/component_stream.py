"""A component's stream without a library (XEP-0114 section 3), for what an administrator's configuration lets in."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.servers.process import HOST

HEADER = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{}'>"


@asynccontextmanager
async def component_stream(port: int, domain: str, secret: str) -> AsyncIterator[tuple[str, asyncio.StreamReader]]:
    """Connect and authenticate; gives the server's answer, and what else comes over the stream.

    After an error the server closes the stream, and the answer has all of it.
    """
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(HEADER.format(domain).encode())
        opening = (await reader.readuntil(b"/streams")).decode() + (await reader.readuntil(b">")).decode()
        found = re.search(r" id=['\"]([^'\"]+)['\"]", opening)
        if found is None:
            yield opening + (await reader.read()).decode(), reader
            return
        digest = hashlib.sha1(f"{found[1]}{secret}".encode(), usedforsecurity=False).hexdigest()
        writer.write(f"<handshake>{digest}</handshake>".encode())
        answer = await reader.readuntil(b">")
        yield (answer if b"handshake" in answer else answer + await reader.read()).decode(), reader
    finally:
        writer.close()
        await writer.wait_closed()


async def handshake(port: int, domain: str, secret: str) -> str:
    """The server's answer to a component's digest."""
    async with component_stream(port, domain, secret) as (answer, _):
        return answer
