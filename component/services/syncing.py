"""`rosters sync`: desired against actual rosters of everybody, counted first, then put right by the rosters' worker."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from component.core.directory import Employee
from component.core.drift import KINDS, Change, changes
from component.services.company import Company
from component.services.operations import OperationError, Progress, SyncReport
from component.services.paced import Estimate
from component.services.ports import NoSuchAccount, RosterError, RosterWay
from component.services.provisioning import Provisioning, planned

MANY_CONTACTS = 500
"""Contacts of one employee from which on rosters are changed only on request: some servers write a roster whole."""
STILL_HERE_EVERY = 10.0
"""Seconds after which whoever waits for a sync is told again how far it is."""
EXAMPLES = 10
"""Changes that a report names."""

CHANGES_MADE = "changes made"

Tell = Callable[[Progress], None]
"""Takes how far the operation has come."""


@dataclass
class _Findings:
    """What is counted on the way."""

    drifted: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    deleted_by_hand: int = 0

    def add(self, employee: str, change: Change) -> None:
        """Count a change of an employee's roster."""
        self.drifted[employee] += 1
        self.kinds[change.kind] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{employee}: {change.text}")

    def report(self, method: str, rosters: int, took: Estimate, *, dry_run: bool) -> SyncReport:
        """Return what was counted."""
        return SyncReport(
            dry_run=dry_run,
            method=method,
            rosters=rosters,
            drifted=dict(self.drifted),
            kinds={kind: self.kinds[kind] for kind in KINDS},
            examples=tuple(self.examples),
            deleted_by_hand=self.deleted_by_hand,
            unreadable=tuple(self.unreadable),
            server_seconds=round(took.server, 6),
            seconds=round(took.total, 6),
        )


class _Following:
    """Follows the worker until it has looked at some employees' rosters; a `Follower`."""

    def __init__(self, expected: Mapping[str, int], tell: Tell) -> None:
        self.findings = _Findings()
        self.finished = asyncio.Event()
        self._left = set(expected)
        self._expected = sum(expected.values())
        self._tell = tell

    def made(self, employee: str, change: Change) -> None:
        """Count it, if it is one of those that were asked for."""
        if employee in self._left:
            self.findings.add(employee, change)
        self.tell()

    def looked_at(self, employee: str) -> None:
        """One employee less to wait for."""
        self._left.discard(employee)
        self.tell()
        if not self._left:
            self.finished.set()

    def stuck(self, problem: str) -> None:
        """Say so; the worker tries again."""
        self.tell(f"waiting, {problem}")

    def tell(self, what: str = CHANGES_MADE) -> None:
        """Say how far it is; also when nothing is new, so that whoever asked knows that it goes on."""
        made = self.findings.drifted.total()
        # Who has changed his roster meanwhile makes more work, or less.
        self._tell(Progress(made, max(made, self._expected) if self._left else made, what))


class Syncing:
    """Finds drift and has it repaired; the background worker does the work, so nothing is lost by an interruption."""

    def __init__(
        self, company: Company, provisioning: Provisioning, *, still_here_every: float = STILL_HERE_EVERY
    ) -> None:
        self._company = company
        self._still_here_every = still_here_every
        self._provisioning = provisioning

    async def survey(self, restore: str | None, tell: Tell) -> SyncReport:
        """See `Operations.survey_rosters`; only reads."""
        way, asked = await self._way(), self._asked(restore)
        findings = _Findings()
        for number, employee in enumerate(asked):
            tell(Progress(number, len(asked), "rosters read"))
            if viewer := self._company.directory.employees.get(employee):
                await self._look_at(way, viewer, findings, restoring=restore is not None)
        tell(Progress(len(asked), len(asked), "rosters read"))
        estimate = self._provisioning.calls.estimate(len(findings.drifted), findings.drifted.total())
        return findings.report(way.name, len(asked), estimate, dry_run=True)

    async def sync(self, drifted: Mapping[str, int], restore: str | None, *, yes: bool, tell: Tell) -> SyncReport:
        """See `Operations.sync_rosters`."""
        way = await self._way()
        known = {one: count for one, count in drifted.items() if one in self._company.directory.employees}
        self._refuse_many(known, yes)
        if restore is not None:
            await self._forget_deletions(way, self._asked(restore)[0])
        loop, provisioning = asyncio.get_running_loop(), self._provisioning
        following, started, before = _Following(known, tell), loop.time(), provisioning.calls.spent
        if known:
            provisioning.followers.add(following)
            try:
                provisioning.request(known)
                await self._until_finished(following)
            finally:
                provisioning.followers.discard(following)
        findings = following.findings
        findings.unreadable += [provisioning.problems[one] for one in known if one in provisioning.problems]
        findings.deleted_by_hand = sum(len(self._deleted(one)) for one in known)
        took = Estimate(provisioning.calls.spent - before, loop.time() - started)
        return findings.report(way.name, len(known), took, dry_run=False)

    async def _until_finished(self, following: _Following) -> None:
        following.tell()
        while not following.finished.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._still_here_every):
                    await following.finished.wait()
                    return
            stuck = self._provisioning.method == "handshake"
            following.tell(f"waiting, {self._provisioning.reason}" if stuck else CHANGES_MADE)

    async def _way(self) -> RosterWay:
        try:
            way = await self._provisioning.way()
        except RosterError as problem:
            raise _unreachable(problem) from None
        if way is None:
            raise OperationError(
                "handshake",
                "nothing can be synced: with the plain subscription handshake the component can neither read nor "
                f"write rosters; people add their colleagues themselves ({self._provisioning.reason})",
                "to have rosters filled, give the component a way to them: panel-presence check says what is missing",
            )
        return way

    def _asked(self, restore: str | None) -> list[str]:
        employees = self._company.directory.employees
        if restore is None:
            return sorted(employees)
        if restore not in employees:
            raise OperationError("item-not-found", f"no employee '{restore}'", "see: panel-presence employees list")
        return [restore]

    async def _look_at(self, way: RosterWay, viewer: Employee, findings: _Findings, *, restoring: bool) -> None:
        domain = self._company.settings.domain
        try:
            actual = await self._provisioning.calls.read(lambda: way.read(viewer.account))
        except NoSuchAccount as problem:
            findings.unreadable.append(str(problem))
            return
        except RosterError as problem:
            raise _unreachable(problem) from None
        to_do = planned(self._company, viewer, actual, restoring=restoring)
        for change in changes(to_do, actual, domain):
            findings.add(viewer.id, change)
        if not restoring:
            findings.deleted_by_hand += len(to_do.deleted_by_hand | self._deleted(viewer.id))

    def _deleted(self, viewer: str) -> set[str]:
        return {one for one in self._company.deleted_by_hand(viewer) if self._company.directory.may_see(viewer, one)}

    async def _forget_deletions(self, way: RosterWay, employee: str) -> None:
        """Let what was deleted by hand be pending: that is set, and does not count as deleted by hand again."""
        viewer = self._company.directory.employees[employee]
        try:
            actual = await self._provisioning.calls.read(lambda: way.read(viewer.account))
        except RosterError as problem:
            raise _unreachable(problem) from None
        to_do = planned(self._company, viewer, actual)
        deleted = to_do.deleted_by_hand | self._deleted(employee)
        missing = {one for one in deleted if self._company.contact_jid(one) not in actual}
        self._company.set_roster(employee, pending=self._company.roster(employee).pending | missing)
        for contact in deleted:
            self._company.set_exception(employee, contact, None)

    def _refuse_many(self, known: Mapping[str, int], yes: bool) -> None:
        contacts = {one: len(self._company.directory.visible_to(one)) for one in known}
        many = [one for one, count in contacts.items() if count > MANY_CONTACTS]
        if many and not yes:
            largest = max(contacts.values())
            raise OperationError(
                "too-many-contacts",
                f"{len(many)} of the rosters to change have more than {MANY_CONTACTS} contacts, the largest "
                f"{largest}; nothing was changed",
                "a server may rewrite a roster whole for each change (Prosody stands still meanwhile): add --yes to "
                "do it all the same, or fill rosters in bulk on the server first; see docs/rosters.md",
            )


def _unreachable(problem: RosterError) -> OperationError:
    return OperationError(
        "rosters", f"the rosters cannot be reached: {problem}", "panel-presence check says more; then try again"
    )
