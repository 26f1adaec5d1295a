"""Rosters: what every employee's roster should hold against what it holds, put right item by item, paced.

Every change is idempotent and noted as it is made, so that it can be interrupted at any point and goes on later.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Protocol

from component.core.directory import Employee
from component.core.drift import Change, changes
from component.core.roster import Plan, RosterItem, plan
from component.core.texts import say
from component.services.company import Company
from component.services.paced import PacedCalls, Pause
from component.services.ports import NoSuchAccount, RosterError, RosterWay, Store, StoreError
from component.services.publisher import Publisher

log = logging.getLogger(__name__)

RETRY_AFTER = 10.0
"""Seconds before rosters that could not be reached are tried again."""
CHOOSE_AGAIN_AFTER = 60.0
"""Seconds before a better way than the handshake is looked for again."""

Choose = Callable[[], Awaitable[tuple[RosterWay | None, str]]]
"""Finds the best way to the rosters, None for the handshake alone, and says why."""


class Follower(Protocol):
    """Is told what becomes of the rosters."""

    def made(self, employee: str, change: Change) -> None:
        """A change was made."""

    def looked_at(self, employee: str) -> None:
        """An employee's roster is as it should be, or his account is missing: then he is among the `problems`."""

    def stuck(self, problem: str) -> None:
        """The rosters cannot be reached; it is tried again."""


def planned(company: Company, viewer: Employee, actual: Mapping[str, RosterItem], *, restoring: bool = False) -> Plan:
    """Return what turns an employee's actual items into the desired ones; `restoring`: also those deleted by hand."""
    settings, roster = company.settings, company.roster(viewer.id)
    return plan(
        company.directory,
        viewer,
        replace(roster, provisioned=False) if restoring else roster,
        () if restoring else company.deleted_by_hand(viewer.id),
        actual,
        settings.domain,
        say("gateway", settings.style.language),
        settings.default_group,
    )


class Provisioning:
    """Keeps the rosters of all employees as the directory says, in the background."""

    def __init__(
        self,
        company: Company,
        publisher: Publisher,
        store: Store,
        choose: Choose,
        pause: Pause,
        ask: Callable[[str], None],
        *,
        retry_after: float = RETRY_AFTER,
    ) -> None:
        """`ask` probes an account whose presence the server has begun to tell us; `retry_after` is in seconds."""
        self._retry_after = retry_after
        self._ask = ask
        self._company = company
        self._publisher = publisher
        self._store = store
        self._choose = choose
        self._way: RosterWay | None = None
        self._doubt = asyncio.Event()
        self._choosing = asyncio.Lock()
        self._queue: dict[str, None] = {}
        self._former: set[str] = set()
        self._wake = asyncio.Event()
        self.calls = PacedCalls(pause)
        self.followers: set[Follower] = set()
        self.reason = "not yet known"
        self.failing: str | None = None
        self.problems: dict[str, str] = {}

    @property
    def method(self) -> str:
        """The way in use, as in the configuration."""
        return self._way.name if self._way else "handshake"

    @property
    def waiting(self) -> int:
        """How many rosters are still to be looked at."""
        return len(self._queue) + len(self._former) if self._way else 0

    def request(self, employees: Iterable[str]) -> None:
        """Have employees' rosters looked at soon."""
        self._queue.update(dict.fromkeys(employees))
        self._wake.set()

    def request_one(self, employee: str) -> None:
        """Have one employee's roster looked at soon."""
        self.request((employee,))

    def request_clearing(self, former: Iterable[Employee]) -> None:
        """Have everything of ours removed from the rosters of people who left the directory."""
        self._former.update(employee.account for employee in former)
        self._wake.set()

    def choose_again(self) -> None:
        """The link is back: the server may grant, or be, something else, and of deletions by hand nobody told us."""
        self._doubt.set()
        self.request(self._company.directory.employees)
        self._wake.set()

    async def way(self) -> RosterWay | None:
        """Return the way in use; if it is not certain, it is looked for now. Raises RosterError as the choice does."""
        if self._way is None or self._doubt.is_set():
            await self._find_way()
            self._wake.set()
        return self._way

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            try:
                if self._way is None or self._doubt.is_set():
                    await self._find_way()
                await self._work()
                self.failing = None
            except Exception as problem:  # without this task no roster would ever be looked at again
                self._failed(problem)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._retry_after):
                        await self._doubt.wait()
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(None if self._way else CHOOSE_AGAIN_AFTER):
                    await self._wake.wait()

    def _failed(self, problem: Exception) -> None:
        said = str(problem) or type(problem).__name__
        if self.failing != said:
            known = isinstance(problem, (RosterError, StoreError))
            trace = None if known else problem
            log.warning("rosters: %s; trying again every %.0f s", said, self._retry_after, exc_info=trace)
        self.failing = said
        for follower in tuple(self.followers):
            follower.stuck(said)

    async def _find_way(self) -> None:
        async with self._choosing:
            if self._way is not None and not self._doubt.is_set():
                return  # somebody else has found it meanwhile
            self._way = None
            self._doubt.clear()
            try:
                self._way, reason = await self._choose()
            except RosterError:
                self.reason = "not yet known"  # so that it is logged when it is known again
                raise
            if reason != self.reason:
                log.info("rosters: %s", reason)
            self.reason = reason

    async def _work(self) -> None:
        if not self.waiting:
            return
        while self._way and (self._former or self._queue):
            await (self._clear_next(self._way) if self._former else self._look_at_next(self._way))
        if self._queue or self._former:
            return  # the way is being chosen again
        if self.problems:
            some = "; ".join(list(self.problems.values())[:3])
            log.warning("rosters: %d are left alone until the next import or start: %s", len(self.problems), some)
        log.info("rosters: all are as they should be")

    async def _clear_next(self, way: RosterWay) -> None:
        """An account that has changed hands is cleared before it is filled, at whatever moment that was imported."""
        account = self._former.pop()
        try:
            await self._clear(way, account)
        except Exception:  # whatever it was, `run` says it, and the account is cleared next time
            self._former.add(account)
            raise

    async def _look_at_next(self, way: RosterWay) -> None:
        viewer = next(iter(self._queue))
        del self._queue[viewer]
        try:
            await self._look_at(way, viewer)
        except Exception:  # whatever it was, `run` says it, and the roster is looked at next time
            self._queue.setdefault(viewer)
            raise
        for follower in tuple(self.followers if viewer not in self._queue else ()):
            follower.looked_at(viewer)

    async def _look_at(self, way: RosterWay, employee: str) -> None:
        viewer = self._company.directory.employees.get(employee)
        if viewer is None:
            self.problems.pop(employee, None)
            return
        try:
            await self._put_right(way, viewer)
            self.problems.pop(employee, None)
        except NoSuchAccount as problem:
            self.problems[employee] = str(problem)

    async def _put_right(self, way: RosterWay, viewer: Employee) -> None:
        company, domain = self._company, self._company.settings.domain
        actual = await self.calls.read(lambda: way.read(viewer.account))
        directory = company.directory
        current = directory.employees.get(viewer.id)
        if current is None or current.account != viewer.account:  # he has left, or this is not his roster any more
            return
        roster, to_do = company.roster(viewer.id), planned(company, current, actual)
        for contact in to_do.deleted_by_hand:
            company.set_exception(viewer.id, contact, "deleted")
            localpart = company.directory.employees[contact].localpart
            self._publisher.take_back(localpart, tuple(company.addresses(viewer.id)), "offline")
        # What is pending for a directory that an import is just bringing stays so.
        ahead = frozenset(one for one in roster.pending if not company.directory.may_see(viewer.id, one))
        due = frozenset(one for item in to_do.set if (one := company.employee_at(item.jid)))
        renewed = frozenset(one for one in due if self._is_there(one, actual))
        told = roster.domain_item and all(item.jid != domain for item in to_do.set)
        removing = frozenset(to_do.remove)
        pending = due - renewed | ahead
        company.set_roster(
            viewer.id, provisioned=True, pending=pending, renewed=renewed, removing=removing, domain_item=told
        )
        for one in roster.pending - pending:  # their items were still there: nobody else would show them
            self._show(viewer.id, one)
        if to_do.set or to_do.remove:
            # Before anything is done: after a crash what is missing would count as deleted by hand, and so would what
            # we remove.
            await self._store.committed()
        to_make = {change.jid: change for change in changes(to_do, actual, domain)}
        await self._remove(way, viewer, to_do, to_make)
        if company.directory is directory:
            company.set_roster(viewer.id, removing=frozenset())
            await self._set(way, viewer, to_do, to_make)
        else:  # an import came in between: what is due may be something else now
            self.request_one(viewer.id)

    async def _set(self, way: RosterWay, viewer: Employee, to_do: Plan, to_make: Mapping[str, Change]) -> None:
        company, directory = self._company, self._company.directory
        for item in to_do.set:
            one = company.employee_at(item.jid)
            if one in company.deleted_by_hand(viewer.id):  # since the roster was read
                self._is_set(viewer, one)
                continue
            await self.calls.change(partial(way.add, viewer.account, item))
            self._tell(viewer, to_make[item.jid])
            if company.directory is not directory:
                self.request_one(viewer.id)
                return
            if one and company.directory.may_see(viewer.id, one):
                was_pending = one in company.roster(viewer.id).pending
                self._is_set(viewer, one)
                if was_pending:
                    self._show(viewer.id, one)
            self._domain_item_holds(viewer)
        self._domain_item_holds(viewer)

    def _is_there(self, contact: str, actual: Mapping[str, RosterItem]) -> bool:
        item = actual.get(self._company.contact_jid(contact))
        return item is not None and item.subscription in ("to", "both")

    def _is_set(self, viewer: Employee, contact: str | None) -> None:
        roster = self._company.roster(viewer.id)
        self._company.set_roster(viewer.id, pending=roster.pending - {contact}, renewed=roster.renewed - {contact})

    def _tell(self, viewer: Employee, change: Change) -> None:
        for follower in tuple(self.followers):
            follower.made(viewer.id, change)

    def _show(self, viewer: str, contact: str) -> None:
        if self._company.may_be_shown(viewer, contact):
            self._publisher.present((contact,), self._company.addresses(viewer))

    def _domain_item_holds(self, viewer: Employee) -> None:
        if not self._company.roster(viewer.id).domain_item:
            self._company.set_roster(viewer.id, domain_item=True)
            self._ask(viewer.account)

    async def _remove(self, way: RosterWay, viewer: Employee, to_do: Plan, to_make: Mapping[str, Change]) -> None:
        for jid in to_do.remove:
            await self.calls.change(partial(way.remove, viewer.account, jid))
            self._tell(viewer, to_make[jid])

    async def _clear(self, way: RosterWay, account: str) -> None:
        try:
            for jid in await self.calls.read(lambda: way.read(account)):
                await self.calls.change(partial(way.remove, account, jid))
        except NoSuchAccount:
            log.info("rosters: %s left the directory and has no account any more", account)
