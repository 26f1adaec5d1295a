"""What the command line asks of the running component."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from component.core.directory import Directory, Employee
from component.core.directory_file import Changes, changes_between, read_rows
from component.core.errors import BadRows, Refusal, TooManyRemovals
from component.core.facts import Status
from component.core.presence import Available
from component.core.status import choice_in_force
from component.core.texts import say
from component.services.blocking import Blocking
from component.services.choices import Choices
from component.services.company import Company
from component.services.directory_changes import DirectoryChanges
from component.services.explaining import Explaining
from component.services.heartbeat import Heartbeat
from component.services.operations import (
    BlockRow,
    CheckLine,
    EmployeeRow,
    ImportReport,
    OperationError,
    Progress,
    StatusRow,
    SyncReport,
)
from component.services.ports import HANDSHAKE_CONFIGURED, Clock, Store, StoreError, Stream
from component.services.provisioning import Provisioning
from component.services.publisher import Publisher
from component.services.syncing import Syncing
from component.services.why import Why


class Administration:
    """Serves `services.operations.Operations`."""

    def __init__(
        self,
        company: Company,
        choices: Choices,
        publisher: Publisher,
        provisioning: Provisioning,
        changes: DirectoryChanges,
        blocking: Blocking,
        store: Store,
        stream: Stream,
        heartbeat: Heartbeat,
        clock: Clock,
    ) -> None:
        self._company = company
        self._choices = choices
        self._publisher = publisher
        self._provisioning = provisioning
        self._changes = changes
        self._blocking = blocking
        self._store = store
        self._stream = stream
        self._heartbeat = heartbeat
        self._clock = clock
        self._syncing = Syncing(company, provisioning)
        self._explaining = Explaining(company, publisher, provisioning, stream, clock)

    async def import_employees(
        self,
        csv_text: str,
        *,
        dry_run: bool,
        allow_removals: int | None,
        progress: Callable[[Progress], None],
    ) -> ImportReport:
        """Make the directory equal to the CSV; see `Operations`. Two imports follow each other."""
        async with self._changes.lock:
            changes = await self._import(csv_text, dry_run, allow_removals, progress)
        return ImportReport(
            added=len(changes.added),
            changed=len(changes.changed),
            moved=len(changes.moved),
            removed=len(changes.removed),
            unchanged=changes.unchanged,
            dry_run=dry_run,
        )

    async def _import(
        self, csv_text: str, dry_run: bool, allow_removals: int | None, progress: Callable[[Progress], None]
    ) -> Changes:
        before, domain = self._company.directory, self._company.settings.domain
        try:
            # In a thread: a big file must not hold presences up.
            progress(Progress(0, 4, "reading"))
            employees = await asyncio.to_thread(read_rows, csv_text, self._account_domain(), domain)
            progress(Progress(1, 4, "comparing"))
            old = tuple(before.employees.values())
            changes = await asyncio.to_thread(changes_between, old, employees, allow_removals)
        except BadRows as bad:
            raise OperationError(
                "bad-file", "the file has bad lines; nothing was applied", "correct them and import again", bad.problems
            ) from None
        except TooManyRemovals as many:
            raise OperationError(
                "too-many-removals",
                f"{many}; nothing was applied",
                f"if it is meant, add --allow-removals {many.removals}",
            ) from None
        if not dry_run:
            progress(Progress(2, 4, "storing"))
            after = await asyncio.to_thread(Directory, employees, before.visibility, before.blocks)
            await self._apply(before, after, changes)
        progress(Progress(4, 4, "done"))
        return changes

    async def _apply(self, before: Directory, after: Directory, changes: Changes) -> None:
        renewed = {employee.id for employee in (*changes.changed, *changes.moved)}
        staying = before.employees.keys() & after.employees.keys()
        affected = self._changes.note_pending(staying, before, after, renewed)
        try:
            await self._store.replace_directory(tuple(after.employees.values()), changes.removed)
        except StoreError as problem:
            self._provisioning.request(sorted(affected))  # lest what was noted stays noted
            raise OperationError("store", f"{problem}; nothing was applied") from None
        # Once more: rosters may have been looked at meanwhile, by the directory as it was.
        self._changes.note_pending(affected, before, after, renewed)
        self._changes.take_back(before.employees, before, after)
        moved_out = [
            before.employees[one.id]
            for one in (*changes.changed, *changes.moved)
            if before.employees[one.id].account != one.account
        ]
        for employee in moved_out:
            self._company.forget_account(employee.id)
        former = [*moved_out, *(before.employees[employee] for employee in changes.removed)]
        affected |= {employee.id for employee in (*changes.added, *moved_out)}
        self._company.set_directory(after.employees.values())
        for one in {**before.employees, **after.employees}:  # a second time zone changes everybody's texts
            self._publisher.refresh(one)
        self._provisioning.request_clearing(former)
        self._provisioning.request(sorted(affected | self._provisioning.problems.keys()))

    def _account_domain(self) -> str | None:
        domains = self._company.directory.account_domains
        return next(iter(domains)) if len(domains) == 1 else None

    def employees(self) -> list[EmployeeRow]:
        """All employees, in the order of their ids."""
        return [
            EmployeeRow(
                id=one.id,
                account=one.account,
                name=one.name,
                extension=one.extension,
                groups=one.groups,
                mode=one.mode,
                language=one.language,
                timezone=one.timezone,
            )
            for _, one in sorted(self._company.directory.employees.items())
        ]

    def statuses(self) -> list[StatusRow]:
        """The statuses of all employees, in the order of their ids."""
        return [self._row(one) for _, one in sorted(self._company.directory.employees.items())]

    def status(self, employee: str) -> StatusRow:
        """The status of one employee, named by his id."""
        return self._row(self._known(employee))

    async def set_status(self, employee: str, value: str, *, text: str | None, until: datetime | None) -> StatusRow:
        """Choose a panel status for an employee and return what is in force afterwards."""
        known = self._known(employee)
        try:
            await self._choices.choose(known.id, value, text, until, None)
        except Refusal as refusal:
            presets = ", ".join(preset for preset, _ in self._company.settings.presets)
            hint = f"or a preset: {presets}" if presets and refusal.key == "unknown-status" else None
            raise _refused(refusal, hint) from None
        return self._row(known)

    async def block(self, employee: str, other: str) -> BlockRow:
        """Make one employee block another one; see `Operations`."""
        row = self._block_row(self._known(employee), self._known(other))
        try:
            await self._blocking.block(employee, other)
        except Refusal as refusal:
            raise _refused(refusal) from None
        return row

    async def unblock(self, employee: str, other: str) -> BlockRow:
        """End a block; see `Operations`."""
        row = self._block_row(self._known(employee), self._known(other))
        try:
            await self._blocking.unblock(employee, other)
        except Refusal as refusal:
            hint = "see: panel-presence blocks" if refusal.key == "not-blocked" else None
            raise _refused(refusal, hint) from None
        return row

    def blocks(self) -> list[BlockRow]:
        """All blocks, in the order of the ids."""
        directory = self._company.directory
        return [
            self._block_row(directory.employees[who], directory.employees[whom])
            for who, whom in sorted(directory.blocks)
        ]

    def _block_row(self, employee: Employee, blocked: Employee) -> BlockRow:
        return BlockRow(employee.id, employee.name, blocked.id, blocked.name)

    async def why(self, employee: str, viewer: str | None) -> Why:
        """Why an employee is shown as he is; see `Operations`."""
        return await self._explaining.why(employee, viewer)

    async def survey_rosters(self, *, restore: str | None, progress: Callable[[Progress], None]) -> SyncReport:
        """What is wrong in the rosters; see `Operations`."""
        return await self._syncing.survey(restore, progress)

    async def sync_rosters(
        self, drifted: dict[str, int], *, restore: str | None, yes: bool, progress: Callable[[Progress], None]
    ) -> SyncReport:
        """Put rosters right; see `Operations`."""
        return await self._syncing.sync(drifted, restore, yes=yes, tell=progress)

    async def health(self) -> list[CheckLine]:
        """The state of the running component."""
        directory, provisioning = self._company.directory, self._provisioning
        lines = [
            CheckLine("link", True, "connected to the server")
            if self._stream.up
            else CheckLine(
                "link",
                False,
                f"not connected: {self._stream.problem}",
                "it is tried again and again; the log has the details",
            ),
            CheckLine("store", self._store.failing is None, self._store.failing or f"writes to {self._store.url}"),
            self._rosters_line(),
        ]
        if self._heartbeat.stranger:
            hint = "end the other one, or give it a domain of its own"
            lines.append(CheckLine("instances", False, self._heartbeat.stranger, hint))
        if provisioning.waiting:
            lines.append(CheckLine("rosters", None, f"{provisioning.waiting} rosters are still to be looked at"))
        if provisioning.problems:
            sample = "; ".join(list(provisioning.problems.values())[:3])
            lines.append(
                CheckLine(
                    "accounts",
                    None,
                    f"{len(provisioning.problems)} employees have no account: {sample}",
                    "register the accounts on the server, or correct the directory",
                )
            )
        if directory.employees:
            lines.append(CheckLine("directory", True, f"{len(directory)} employees"))
        else:
            hint = "import the employees: panel-presence employees import FILE.csv"
            lines.append(CheckLine("directory", None, "empty: nobody is answered anything", hint))
        lines.append(CheckLine("watchers", True, f"{len(self._company.sessions)} sessions online"))
        return lines

    def _rosters_line(self) -> CheckLine:
        provisioning = self._provisioning
        if provisioning.failing is not None:
            return CheckLine("rosters", False, provisioning.failing)
        chosen = provisioning.method != "handshake" or provisioning.reason == HANDSHAKE_CONFIGURED
        return CheckLine("rosters", True if chosen else None, provisioning.reason)

    def _known(self, employee: str) -> Employee:
        known = self._company.directory.employees.get(employee)
        if known is None:
            raise OperationError("item-not-found", f"no employee '{employee}'", "see: panel-presence employees list")
        return known

    def _row(self, employee: Employee) -> StatusRow:
        now = self._clock()
        status, state = self._company.status(employee.id, now), self._company.state(employee.id)
        presence = self._company.presence(employee.id, now)
        choice = choice_in_force(state, now)
        return StatusRow(
            id=employee.id,
            name=employee.name,
            contact=self._company.contact_jid(employee.id),
            status=status.status,
            chosen=choice.status if choice else Status.ONLINE,
            phone=status.phone,
            text=status.text,
            since=status.since,
            until=status.until,
            sessions=len(state.sessions),
            shown=presence.texts[0][1] if presence.texts else "",
            show=(presence.show or "") if isinstance(presence, Available) else "unavailable",
        )


def _refused(refusal: Refusal, hint: str | None = None) -> OperationError:
    return OperationError(refusal.condition, say(refusal.key, "en", **refusal.values), hint)
