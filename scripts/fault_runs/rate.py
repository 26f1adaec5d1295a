"""How fast a server delivers plain presences of a component to these clients: what a fault's end is compared with."""

import asyncio
import hashlib
import re
from xml.sax.saxutils import quoteattr

from scripts.fault_runs.client import Client
from scripts.fault_runs.site import Site

CONTENT = (
    "<show>dnd</show><status>Занят — на совещании</status><status xml:lang='en'>Busy — на совещании</status>"
    "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.test' ver='0000000000000000000000'/>"
    "<panel xmlns='urn:panel-presence:1' status='busy' phone='online' since='2026-11-24T12:00:00Z'/>"
)


async def plain_rate(site: Site) -> float:
    """Send every client every contact's presence, one stanza each, as a bare component; returns presences a second.

    The component must not be connected; afterwards the clients believe what this said.
    """
    clients = site.online()
    await site.calm(1.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.server.ports.component)
    domain = site.server.component_domain
    writer.write(
        f"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
        f"to='{domain}'>".encode()
    )
    greeting = (await reader.readuntil(b">")) + await reader.readuntil(b">")
    found = re.search(rb"id=['\"]([^'\"]+)['\"]", greeting)
    assert found, greeting
    digest = hashlib.sha1(found[1] + site.server.secret.encode()).hexdigest()  # noqa: S324 - XEP-0114 says so
    writer.write(f"<handshake>{digest}</handshake>".encode())
    await reader.readuntil(b"handshake")
    for client in clients:
        client.read()
    heard = sum(len(client.heard) for client in clients)
    swallowing = asyncio.create_task(_swallow(reader))
    begin = site.loop.time()
    for number, person in enumerate(site.people):
        writer.write("".join(_presence(site.contact(person), client) for client in clients).encode())
        if number % 5 == 0:
            await writer.drain()
    await writer.drain()
    await site.calm(1.0)
    for client in clients:
        client.read()
    last = max(client.heard[-1].at for client in clients)
    count = sum(len(client.heard) for client in clients) - heard
    swallowing.cancel()
    writer.close()
    return count / (last - begin)


def _presence(contact: str, client: Client) -> str:
    return f"<presence from='{contact}/panel' to={quoteattr(client.jid)}>{CONTENT}</presence>"


async def _swallow(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass
