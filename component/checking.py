"""`panel-presence check`: everything that the component needs, looked at once and said line by line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from component.config import Config
from component.control.client import ControlClient
from component.control.codec import ControlError
from component.core.lease import may_take
from component.parts import is_gone, make_api, make_link, make_proof, now, settings_from
from component.rosters.choice import choose_way
from component.rosters.privilege import GRANT_WITHIN
from component.rosters.privilege_proof import PrivilegeProof
from component.services.operations import CheckLine
from component.services.ports import HANDSHAKE_CONFIGURED, RosterError, Snapshot, StoreError
from component.store.database import Database
from component.xmpp import disco
from component.xmpp.outbound import Outbound
from component.xmpp.privileges import Privileges
from component.xmpp.stand_in import StandIn

CHECK_TIMEOUT = 5.0
"""Seconds that the server is given for the handshake."""


async def check(config: Config) -> AsyncIterator[CheckLine]:
    """Check everything that the component needs; a running one is asked, since a second connection would harm it."""
    try:
        for line in await ControlClient(config.control.socket).health():
            yield line
        return
    except ControlError:
        yield CheckLine("component", None, "does not run", "start it: panel-presence run -c FILE")
    snapshot, line = await _check_store(config)
    yield line
    if snapshot.lease and not may_take(snapshot.lease.renewed_at, now(), holder_is_gone=is_gone(snapshot.lease)):
        where = f"process {snapshot.lease.pid} on {snapshot.lease.host} serves this company"
        yield CheckLine("instances", None, where, "check there: a second connection would take stanzas from it")
        return
    async with _visit(config) as (line, outbound, privileges):
        yield line
        accounts, within = [one.account for one in snapshot.employees], GRANT_WITHIN if line.ok else 0.0
        proof = make_proof(settings_from(config), outbound, privileges, lambda: accounts, within)
        yield await _check_rosters(config, proof)


async def _check_store(config: Config) -> tuple[Snapshot, CheckLine]:
    try:
        store = await Database.open(config.store.url)
    except StoreError as problem:
        return Snapshot(), CheckLine("store", False, str(problem))
    try:
        snapshot = await store.load()
    except StoreError as problem:
        return Snapshot(), CheckLine("store", False, str(problem))
    finally:
        await store.close()
    if not snapshot.employees:
        hint = "start the component, then: panel-presence employees import FILE.csv"
        return snapshot, CheckLine("store", None, f"{store.url} has no employees yet", hint)
    return snapshot, CheckLine("store", True, f"{store.url} has {len(snapshot.employees)} employees")


@asynccontextmanager
async def _visit(config: Config) -> AsyncIterator[tuple[CheckLine, Outbound, Privileges]]:
    """Connect for a check, with as little behind the link as the server will bear."""
    link, settled, privileges, language = make_link(config), asyncio.Event(), Privileges(), config.company.language
    outbound = Outbound(link, now, language, disco.CONTACT.caps, disco.gateway_info("").caps)
    link.on_up = link.on_trouble = settled.set
    link.on_down, link.on_stanza = outbound.down, StandIn(outbound, privileges, language).stanza
    link.connect()
    try:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                await settled.wait()
        except TimeoutError:
            link.problem = link.problem or "no answer"
        line = CheckLine("link", True, f"the server accepts {config.xmpp.domain}")
        if not link.up:
            hint = "see ejabberd-config/ or prosody-config/ for the server's side"
            line = CheckLine("link", False, link.problem, hint)
        yield line, outbound, privileges
    finally:
        await link.stop()


async def _check_rosters(config: Config, proof: PrivilegeProof) -> CheckLine:
    api = make_api(config)
    try:
        async with AsyncExitStack() as stack:
            if api:
                await stack.enter_async_context(api)
            way, reason = await choose_way(config.rosters.method, api, proof)
    except RosterError as problem:
        return CheckLine("rosters", False, str(problem))
    return CheckLine("rosters", True if way or reason == HANDSHAKE_CONFIGURED else None, reason)
