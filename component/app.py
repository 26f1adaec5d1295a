"""The composition root: the only place that builds and connects objects, and the order of start and stop."""

import asyncio
import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from component import __version__
from component.checking import check
from component.config import Config
from component.control.server import ControlServer, make_way
from component.core.texts import say
from component.ending import finish
from component.notify import Notifier
from component.parts import is_gone, make_api, make_link, make_proof, now, settings_from
from component.rosters.choice import choose_way
from component.rosters.ejabberd_api import EjabberdApi
from component.rosters.pace import Pace
from component.services.administration import Administration
from component.services.attendance import Attendance
from component.services.blocking import Blocking
from component.services.catch_up import CatchUp
from component.services.choices import Choices
from component.services.company import Company
from component.services.directory_changes import DirectoryChanges
from component.services.heartbeat import Heartbeat, take_lease
from component.services.ports import Lease, StoreError
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

__all__ = ["check", "run"]

log = logging.getLogger(__name__)

SERVER_IDLE_SHARE = 0.75
"""How much of its time a server is left alone while its rosters are filled."""


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
    taking = asyncio.create_task(take_lease(store, mine, now, is_gone))
    await asyncio.wait((stopping, taking), return_when=asyncio.FIRST_COMPLETED)
    if not taking.done():
        taking.cancel()
        return None
    return await taking


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
    link, timetable = make_link(config), Timetable(now)
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
    privileges = Privileges()
    api = make_api(config)
    if api:
        await stack.enter_async_context(api)
    provisioning = _provisioning(config, company, publisher, store, outbound, privileges, api)
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
    if not await _work_until(stopping, heartbeat.run(), provisioning.run()):
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


def _provisioning(
    config: Config,
    company: Company,
    publisher: Publisher,
    store: Database,
    outbound: Outbound,
    privileges: Privileges,
    api: EjabberdApi | None,
) -> Provisioning:
    proof = make_proof(company.settings, outbound, privileges, lambda: list(company.directory.by_account))
    return Provisioning(
        company,
        publisher,
        store,
        lambda: choose_way(config.rosters.method, api, proof),
        Pace(SERVER_IDLE_SHARE).after,
        outbound.send_probe,
    )


async def _work_until(stopping: asyncio.Future[signal.Signals], *work: Coroutine[None, None, None]) -> bool:
    """Work until a signal comes; False when some of the work has ended by itself before. Raises what it raises."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        ends: tuple[asyncio.Future[Any], ...] = (stopping, *tasks)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                await task
    finally:
        for task in tasks:
            task.cancel()
    return stopping.done()


def _status(link: Link, company: Company) -> str:
    state = f"connected as {link.domain}" if link.up else f"not connected: {link.problem}"
    return f"{state}; {len(company.directory)} employees"
