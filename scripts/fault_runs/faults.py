"""The faults: each strikes, lets things happen meanwhile, and brings everything back."""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from scripts.fault_runs.proxy import Way
from scripts.fault_runs.site import Site
from tests.servers.component import Component

Meanwhile = Callable[[], Awaitable[None]]
"""What happens while the fault lasts."""

ALONE = "there is no second connection any more"
"""What the component's log says when it is certain again that nobody else gets what is meant for it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row: `strike` returns when all was back, in the event loop's seconds.

    `hears`: the component takes in what panels say meanwhile (or gets it later), so statuses can be chosen.
    `withdraws`: colleagues are told that all are gone before it, so that a change back is no flap.
    """

    title: str
    strike: Callable[[Site, Meanwhile], Awaitable[float]]
    hears: bool = False
    withdraws: bool = False


async def kill(site: Site, meanwhile: Meanwhile) -> float:
    """The component crashes and is started again."""
    await site.component.kill()
    await meanwhile()
    return await _start(site)


async def stop(site: Site, meanwhile: Meanwhile) -> float:
    """The component is stopped in order and started again."""
    await site.component.stop()
    ended = site.loop.time()
    await site.calm(0.3)
    # Whoever was just moved out of sight may be shown until his item is removed.
    assert site.by_groups or not site.available(), f"not withdrawn: {site.available()[:5]}"
    last = max((client.heard[-1].at for client in site.online() if client.heard), default=ended)
    site.notes.append(f"all unavailable {ended - last:+.2f} s before the exit")
    await meanwhile()
    return await _start(site)


async def restart(site: Site, meanwhile: Meanwhile) -> float:
    """SIGHUP, and the same program again at once."""
    await site.component.stop(signal.SIGHUP)
    return await _start(site)


async def upgrade(site: Site, meanwhile: Meanwhile) -> float:
    """SIGHUP, a pause as for unpacking a new version, during which things happen, and a start."""
    await site.component.stop(signal.SIGHUP)
    await meanwhile()
    await asyncio.sleep(site.pause)
    return await _start(site)


async def server_restart(site: Site, meanwhile: Meanwhile) -> float:
    """The server is stopped in order and started again; all clients lose their connections."""
    count = len(site.proxy.handshakes)
    await site.server.stop()
    await meanwhile()
    await site.server.start()
    return await site.proxy.handshake(count + 1)


async def server_kill(site: Site, meanwhile: Meanwhile) -> float:
    """The server crashes and is started again."""
    count = len(site.proxy.handshakes)
    await site.server.kill()
    await meanwhile()
    await site.server.start()
    return await site.proxy.handshake(count + 1)


async def server_later(site: Site, meanwhile: Meanwhile) -> float:
    """Both are down, and the component comes up first."""
    await site.component.kill()
    await site.server.kill()
    await meanwhile()
    count = len(site.proxy.handshakes)
    await site.component.start(until="trying again")
    await site.server.start()
    return await site.proxy.handshake(count + 1)


async def cut(site: Site, meanwhile: Meanwhile) -> float:
    """The link between the component and the server breaks."""
    count = len(site.proxy.handshakes)
    site.proxy.cut()
    await meanwhile()
    return await site.proxy.handshake(count + 1)


def half_dead(way: Way) -> Callable[[Site, Meanwhile], Awaitable[float]]:
    """The link swallows everything one way; nobody is told."""

    async def strike(site: Site, meanwhile: Meanwhile) -> float:
        count = len(site.proxy.handshakes)
        site.proxy.swallow(way)
        await meanwhile()
        return await site.proxy.handshake(count + 1, within=120)

    return strike


async def server_hangs(site: Site, meanwhile: Meanwhile) -> float:
    """The server does nothing for a while, connected as before."""
    os.kill(site.server.pid, signal.SIGSTOP)
    try:
        await meanwhile()
        await asyncio.sleep(site.pause)
    finally:
        os.kill(site.server.pid, signal.SIGCONT)
    return site.loop.time()


async def component_hangs(site: Site, meanwhile: Meanwhile) -> float:
    """The component does nothing for a while, connected as before."""
    os.kill(site.component.pid, signal.SIGSTOP)
    try:
        await meanwhile()
        await asyncio.sleep(site.pause)
    finally:
        os.kill(site.component.pid, signal.SIGCONT)
    return site.loop.time()


async def store_locked(site: Site, meanwhile: Meanwhile) -> float:
    """Another process holds the database for itself."""
    async with _lock(site.component):
        await meanwhile()
        await asyncio.sleep(site.pause)
    return site.loop.time()


async def disk_full(site: Site, meanwhile: Meanwhile) -> float:
    """No file of the component can grow, or be written behind its first page."""
    pid, (_, hard) = site.component.pid, resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
    try:
        await meanwhile()
        await asyncio.sleep(site.pause)
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    return site.loop.time()


async def store_deleted(site: Site, meanwhile: Meanwhile) -> float:
    """Somebody deletes the store's files while the component runs."""
    for suffix in ("", "-wal", "-shm"):
        site.component.store.with_name(site.component.store.name + suffix).unlink(missing_ok=True)
    await meanwhile()
    await asyncio.sleep(site.pause)
    return site.loop.time()


async def clients_break(site: Site, meanwhile: Meanwhile) -> float:
    """A fifth of the clients lose their connections without a word and return."""
    broken = site.online()[::5]
    for client in broken:
        client.abort()
    await meanwhile()
    await site.login(client for client in broken if not client.wanted)
    return site.loop.time()


async def standby(site: Site, meanwhile: Meanwhile) -> float:
    """A second instance with the same store stands by; the first crashes, and the second takes over."""
    second = site.another(same_store=True)
    await second.start(until="stands by")
    count = len(site.proxy.handshakes)
    await site.component.kill()
    await meanwhile()
    site.component = second
    return await site.proxy.handshake(count + 1)


async def hung_first(site: Site, meanwhile: Meanwhile) -> float:
    """The first instance hangs, a second one with the same store takes over, and the first comes to itself again."""
    first, second = site.component, site.another(same_store=True)
    count = len(site.proxy.handshakes)
    os.kill(first.pid, signal.SIGSTOP)
    try:
        await second.start(until="stands by|is locked by another process")
        if "stands by" not in second.tail():
            # It hangs within a transaction: nobody can use the store until it ends, and the second one said so.
            return await component_hangs(site, meanwhile)
        await site.proxy.handshake(count + 1)
        await meanwhile()
        site.component = second
        site.others.append(first)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    site.notes.append(f"the first instance ended with the code {await first.wait_exit(30)}")
    await second.wait_log(ALONE, within=60)
    return site.loop.time()


async def stranger(site: Site, meanwhile: Meanwhile) -> float:
    """Somebody starts a second instance with a store of its own (a copied configuration), and stops it again."""
    second, begin = site.another(same_store=False), len(site.component.lines)
    await second.start(within=30)
    await meanwhile()
    line = await site.component.wait_log("second connection|another connection", begin=begin, within=60)
    site.notes.append(line.partition(" ERROR ")[2])
    await second.stop()
    # Prosody gave the stranger the stream, and we connected anew; ejabberd gave him a share of what came.
    await site.component.wait_log(f"{ALONE}|connected to", begin=begin, within=60)
    return site.loop.time()


FAULTS: dict[str, Fault] = {
    "kill": Fault("kill -9 of the component, statuses changed meanwhile", kill),
    "stop": Fault("clean stop, then start", stop, withdraws=True),
    "restart": Fault("restart (SIGHUP)", restart),
    "upgrade": Fault("upgrade (SIGHUP, a pause, start)", upgrade),
    "server-restart": Fault("server restart", server_restart),
    "server-kill": Fault("kill -9 of the server", server_kill),
    "server-later": Fault("server comes up after the component", server_later),
    "cut": Fault("link cut", cut),
    "half-dead-out": Fault("half-dead link: to the server", half_dead("to server")),
    "half-dead-in": Fault("half-dead link: to the component", half_dead("to component")),
    "server-hangs": Fault("server hangs (SIGSTOP)", server_hangs),
    "component-hangs": Fault("component hangs (SIGSTOP)", component_hangs, hears=True),
    "store-locked": Fault("database locked", store_locked, hears=True),
    "disk-full": Fault("disk full", disk_full, hears=True),
    "store-deleted": Fault("store file deleted while running", store_deleted, hears=True),
    "standby": Fault("second instance stands by, first crashes", standby),
    "hung-first": Fault("first instance hangs, second takes over, first returns", hung_first),
    "stranger": Fault("second instance with a store of its own, then stopped", stranger),
    "clients-break": Fault("clients' sessions die uncleanly", clients_break, hears=True),
}


async def _start(site: Site) -> float:
    count = len(site.proxy.handshakes)
    await site.component.start(within=60)
    return await site.proxy.handshake(count + 1)


@asynccontextmanager
async def _lock(component: Component) -> AsyncIterator[None]:
    """Hold the store's lock from a process of its own."""
    program = (
        "import sqlite3, sys; base = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20);"
        "base.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    holder = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", program, str(component.store)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdin
    assert holder.stdout
    try:
        await holder.stdout.readline()
        yield
    finally:
        holder.stdin.close()
        await holder.wait()
