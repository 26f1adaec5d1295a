"""The composition root: the only place that builds and connects objects, and the order of start and stop."""

import asyncio
import logging
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from component import __version__
from component.config import Config
from component.control.client import ControlClient
from component.control.codec import ControlError
from component.control.server import ControlServer, make_way
from component.core.lease import may_take
from component.core.presence import Show, Style
from component.core.roster import domain_item
from component.core.status import Rules
from component.core.texts import say
from component.ending import finish
from component.notify import Notifier
from component.rosters.choice import choose_way
from component.rosters.ejabberd_api import EjabberdApi
from component.rosters.pace import Pace
from component.rosters.privilege import GRANT_WITHIN, Privilege
from component.rosters.privilege_proof import PrivilegeProof
from component.services.administration import Administration
from component.services.attendance import Attendance
from component.services.blocking import Blocking
from component.services.catch_up import CatchUp
from component.services.choices import Choices
from component.services.company import Company, Settings
from component.services.directory_changes import DirectoryChanges
from component.services.heartbeat import Heartbeat, take_lease
from component.services.operations import CheckLine
from component.services.ports import Lease, RosterError, Snapshot, StoreError
from component.services.provisioning import Provisioning
from component.services.publisher import Publisher
from component.services.relay import Relay
from component.services.self_check import SelfCheck
from component.services.subscriptions import Subscriptions
from component.services.timetable import Timetable
from component.store.database import Database
from component.xmpp import disco
from component.xmpp.commands import Commands
from component.xmpp.inbound import Inbound
from component.xmpp.link import Link
from component.xmpp.outbound import Outbound
from component.xmpp.privileges import Privileges
from component.xmpp.questions import Questions
from component.xmpp.stand_in import StandIn

log = logging.getLogger(__name__)

SERVER_IDLE_SHARE = 0.75
"""How much of its time a server is left alone while its rosters are filled."""
CHECK_TIMEOUT = 5.0
"""Seconds that `check` gives the server for the handshake."""


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def settings_from(config: Config) -> Settings:
    """Return what the services need of the configuration."""
    return Settings(
        domain=config.xmpp.domain,
        zone=config.company.timezone.key,
        visibility=config.company.visibility,
        rules=Rules(config.status.was_here_after, config.status.after_was_here == "restore"),
        style=Style(config.company.language, Show(config.status.busy_show), config.status.extended_away_after),
        presets=tuple(config.status.presets.items()),
        session_grace=config.status.session_grace,
        default_group=config.rosters.group,
        pbx_jids=frozenset(config.pbx.jids),
        pbx_ttl=config.pbx.ttl,
    )


def _api(config: Config) -> EjabberdApi | None:
    api = config.rosters.ejabberd_api
    return EjabberdApi(api.url, api.user, api.password.get_secret_value(), config.xmpp.domain) if api else None


def _link(config: Config) -> Link:
    xmpp = config.xmpp
    return Link(xmpp.domain, xmpp.secret.get_secret_value(), xmpp.server, xmpp.port, config.company.language)


def _proof(
    settings: Settings,
    outbound: Outbound,
    privileges: Privileges,
    accounts: Callable[[], Sequence[str]],
    within: float = GRANT_WITHIN,
) -> PrivilegeProof:
    item = domain_item(settings.domain, say("gateway", settings.style.language), settings.default_group)
    return PrivilegeProof(Privilege(outbound, privileges, settings.domain, within=within), accounts, item)


def _all(*calls: Callable[[], None]) -> Callable[[], None]:
    def run_all() -> None:
        for call in calls:
            call()

    return run_all


async def run(config: Config) -> int:
    """Run the component until SIGTERM or SIGINT (statuses are withdrawn) or SIGHUP (they are kept: a restart follows).

    Returns the exit code: 0, or 1 when the store cannot be opened or another instance has taken over; the log says why.
    Raises ControlError when the control socket cannot be opened.
    """
    stopping: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    notifier = Notifier(os.environ, os.getpid())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, _stop, stopping, number)
    feeding = asyncio.create_task(notifier.keep_alive())
    async with AsyncExitStack() as stack:
        stack.callback(feeding.cancel)
        try:
            make_way(config.control.socket)
            store = await Database.open(config.store.url)
            stack.push_async_callback(store.close)
            # Ready: what an administrator can set right is right. Neither the server nor another instance is waited
            # for: systemd would end a service that takes too long to start.
            notifier.tell(READY="1")
            notifier.status = lambda: "standing by: another instance serves this company"
            taken = await _lease(store, stopping)
            return await _serve(config, store, *taken, stack, stopping, notifier) if taken else 0
        except StoreError as problem:
            log.error("%s", problem)
            return 1
        finally:
            log.info("stopped")


async def _lease(store: Database, stopping: asyncio.Future[signal.Signals]) -> tuple[Lease, bool] | None:
    """Wait for the lease, as `take_lease` returns it; None when a signal came first."""
    mine = Lease(secrets.token_hex(8), socket.gethostname(), os.getpid(), now())
    taking = asyncio.create_task(take_lease(store, mine, now, _is_gone))
    await asyncio.wait((stopping, taking), return_when=asyncio.FIRST_COMPLETED)
    if not taking.done():
        taking.cancel()
        return None
    return await taking


def _is_gone(lease: Lease) -> bool:
    """Say whether a lease's process has certainly ended: it was of this host, and its number is nobody's or ours."""
    if lease.host != socket.gethostname():
        return False
    try:
        os.kill(lease.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return lease.pid == os.getpid()


def _stop(stopping: asyncio.Future[signal.Signals], number: signal.Signals) -> None:
    if not stopping.done():
        stopping.set_result(number)


async def _serve(
    config: Config,
    store: Database,
    lease: Lease,
    contested: bool,
    stack: AsyncExitStack,
    stopping: asyncio.Future[signal.Signals],
    notifier: Notifier,
) -> int:
    settings, snapshot = settings_from(config), await store.load()
    company = Company(settings, store, snapshot)
    link, timetable = _link(config), Timetable(now)
    stack.callback(timetable.close)
    gateway = disco.gateway_info(say("gateway", settings.style.language))
    outbound = Outbound(link, now, settings.style.language, disco.CONTACT.caps, gateway.caps)
    publisher = Publisher(company, outbound, store, timetable, now, snapshot.told)
    catch_up = CatchUp(company, publisher, outbound, snapshot.lease.linked_at if snapshot.lease else None)
    attendance = Attendance(company, publisher, catch_up, outbound, timetable, now)
    heartbeat = Heartbeat(
        lease,
        company,
        publisher,
        catch_up,
        store,
        outbound,
        now,
        attendance.resync,
        every=config.xmpp.beat.total_seconds(),
        contested=contested,
    )
    stack.callback(attendance.stop)
    api = _api(config)
    if api:
        await stack.enter_async_context(api)
    privileges = Privileges()
    proof = _proof(settings, outbound, privileges, lambda: list(company.directory.by_account))
    provisioning = Provisioning(
        company,
        publisher,
        store,
        lambda: choose_way(config.rosters.method, api, proof),
        Pace(SERVER_IDLE_SHARE).after,
        outbound.send_probe,
    )
    self_check = SelfCheck(company, timetable, now, provisioning.request_one)
    subscriptions = Subscriptions(company, publisher, outbound, now, provisioning.request_one, self_check.probed)
    choices = Choices(company, publisher, store, now)
    relay = Relay(company, attendance, outbound)
    changes = DirectoryChanges(company, publisher, outbound)
    blocking = Blocking(company, changes, provisioning, store, now)
    questions = Questions(company, choices, attendance, Commands(company, choices, blocking, now), now)
    inbound = Inbound(company, attendance, subscriptions, relay, questions, outbound, privileges, heartbeat.came_back)
    administration = Administration(
        company, choices, publisher, provisioning, changes, blocking, store, outbound, heartbeat, now
    )
    link.on_up = _all(heartbeat.link_up, changes.link_up, attendance.resync, provisioning.choose_again)
    link.on_down = _all(attendance.stop, privileges.forget, outbound.down)
    link.on_stanza = inbound.stanza
    control = ControlServer(administration, config.control.socket)
    await control.start()
    stack.push_async_callback(control.stop)
    log.info("Panel Presence %s, %d employees, store %s", __version__, len(company.directory), store.url)
    if not company.directory.employees:
        log.warning("the directory is empty: nobody is answered; import it: panel-presence employees import FILE.csv")
    link.connect()
    stack.push_async_callback(link.stop)
    notifier.status, notifier.rounds = lambda: _status(link, company), lambda: heartbeat.rounds
    beating, worker = asyncio.create_task(heartbeat.run()), asyncio.create_task(provisioning.run())
    try:
        await asyncio.wait((stopping, beating, worker), return_when=asyncio.FIRST_COMPLETED)
        for task in (beating, worker):
            if task.done():
                await task
    finally:
        beating.cancel()
        worker.cancel()
    if not stopping.done():
        return 1
    attendance.stop()
    await finish(
        publisher,
        heartbeat,
        notifier,
        config.stop.timeout,
        withdrawn=0 if stopping.result() is signal.SIGHUP else len(company.directory),
    )
    return 0


def _status(link: Link, company: Company) -> str:
    state = f"connected as {link.domain}" if link.up else f"not connected: {link.problem}"
    return f"{state}; {len(company.directory)} employees"


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
    if snapshot.lease and not may_take(snapshot.lease.renewed_at, now(), holder_is_gone=_is_gone(snapshot.lease)):
        where = f"process {snapshot.lease.pid} on {snapshot.lease.host} serves this company"
        yield CheckLine("instances", None, where, "check there: a second connection would take stanzas from it")
        return
    async with _visit(config) as (line, outbound, privileges):
        yield line
        accounts, within = [one.account for one in snapshot.employees], GRANT_WITHIN if line.ok else 0.0
        proof = _proof(settings_from(config), outbound, privileges, lambda: accounts, within)
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
    link, settled, privileges, language = _link(config), asyncio.Event(), Privileges(), config.company.language
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
    api, method = _api(config), config.rosters.method
    try:
        async with AsyncExitStack() as stack:
            if api:
                await stack.enter_async_context(api)
            _, reason = await choose_way(method, api, proof)
    except RosterError as problem:
        return CheckLine("rosters", False, str(problem))
    falls_back = method != "handshake" and reason.startswith("handshake")
    return CheckLine("rosters", None if falls_back else True, reason)
