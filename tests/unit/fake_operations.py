"""Operations without a component behind them, for the tests of the control socket and of the command line."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

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
from component.services.why import (
    ChoiceFact,
    Decision,
    Facts,
    ItemFact,
    ReportFact,
    SessionFact,
    Shown,
    ToldFact,
    ViewerFact,
    Watchers,
    Why,
)

IVANOV = EmployeeRow(
    "ivanov", "ivanov@example.test", "Иван Иванов", "101", ("Продажи", "Офис"), "softphone", None, "Asia/Omsk"
)
BUSY = StatusRow(
    id="ivanov",
    name="Иван Иванов",
    contact="ivanov@panel.example.test",
    status="busy",
    chosen="busy",
    phone="online",
    text="[red]На совещании",
    since=datetime(2026, 11, 24, 11, 5, tzinfo=UTC),
    until=None,
    sessions=2,
    shown="Занят — На совещании",
    show="dnd",
)
BLOCK = BlockRow("ivanov", "Иван Иванов", "petrov", "Пётр Петров")
REPORT = ImportReport(added=3, changed=2, moved=1, removed=0, unchanged=4, dry_run=False)

FOUND = SyncReport(
    dry_run=True,
    method="ejabberd-api",
    rosters=3,
    drifted={"petrov": 2, "sidorov": 1},
    kinds={"domain-item": 0, "missing": 2, "subscription": 0, "renamed": 0, "surplus": 1},
    examples=("petrov: ivanov@panel.example.test is missing", "petrov: gone@panel.example.test is surplus"),
    deleted_by_hand=4,
    unreadable=("ejabberd has no account ghost@example.test",),
    server_seconds=0.02,
    seconds=100.0,
)

WHY = Why(
    id="ivanov",
    name="Иван Иванов",
    contact="ivanov@panel.example.test",
    answer="petrov still sees ivanov as available: a newer presence is held back",
    facts=Facts(
        launched_at=BUSY.since,
        was_activity=True,
        last_activity=BUSY.since,
        mode="softphone",
        sessions=(
            SessionFact("ivanov@example.test/panel", True, "softphone", "online", None),
            SessionFact("ivanov@example.test/pc", False, None, None, BUSY.since),
        ),
        report=ReportFact("pbx.example.test", "offline", datetime(2026, 11, 24, 10, tzinfo=UTC), BUSY.since, False),
        choice=ChoiceFact("busy", "[red]На совещании", datetime(2026, 11, 24, 11, 5, tzinfo=UTC), BUSY.since, False),
    ),
    decision=Decision(
        status="was-here",
        phone="online",
        text="[red]На совещании",
        since=BUSY.since,
        until=BUSY.since,
        rule="R3",
        because="every session has been idle for 15 minutes or longer",
        rules={"R3": "launched and inactive", "R6": "the custom text"},
        hidden="busy",
    ),
    presence=Shown("available", "away", {"ru": "Был(а) на месте", "en": "Was here"}, BUSY.since),
    told=ToldFact("a newer presence is held back", False, BUSY.since, Shown("unavailable", "", {"ru": "Нет"}, None)),
    watchers=Watchers(5, 4, 3, 6),
    viewer=ViewerFact(
        id="petrov",
        name="Пётр Петров",
        account="petrov@example.test",
        may_see=True,
        visibility="they share Продажи",
        subscribed=True,
        subscription="the component keeps the contact in his roster",
        known_sessions=True,
        sessions=("petrov@example.test/pc", "petrov@example.test/phone"),
        item=ItemFact(True, "Иван", ("Продажи", "Офис"), "to", ""),
        domain_item="from",
    ),
)


class FakeOperations:
    """Answers from constants, records what it was asked, and imports in steps that the test can hold."""

    def __init__(self) -> None:
        self.imports: list[tuple[str, bool, int | None]] = []
        self.blocked: list[tuple[str, str, str]] = []
        self.found = FOUND
        self.why_answer = WHY
        self.syncs: list[tuple[dict[str, int], str | None, bool]] = []
        self.choices: list[tuple[str, str, str | None, datetime | None]] = []
        self.rows = [IVANOV]
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.importing = asyncio.Event()
        self.imported = asyncio.Event()

    async def import_employees(
        self,
        csv_text: str,
        *,
        dry_run: bool,
        allow_removals: int | None,
        progress: Callable[[Progress], None],
    ) -> ImportReport:
        """Import nothing; a text that says "bad" has bad rows: two, or as many as its number says."""
        if "bad" in csv_text:
            lines: tuple[str, ...] = ("line 2: no account", "line 5: the id is empty")
            if count := csv_text.removeprefix("bad"):
                lines = lines[:1] * int(count)
            raise OperationError("bad-rows", "the file was not applied", "correct the rows", lines)
        progress(Progress(0, 2, "reading"))
        self.importing.set()
        await self.go_on.wait()
        progress(Progress(2, 2, "reading"))
        self.imports.append((csv_text, dry_run, allow_removals))
        self.imported.set()
        return replace(REPORT, dry_run=dry_run)

    def employees(self) -> list[EmployeeRow]:
        """One employee, unless the test has set others."""
        return self.rows

    def statuses(self) -> list[StatusRow]:
        """One status."""
        return [BUSY]

    def status(self, employee: str) -> StatusRow:
        """The status of ivanov; "defect" stands for a defect of the component."""
        if employee == "defect":
            raise ZeroDivisionError("a defect")
        if employee != "ivanov":
            raise OperationError("unknown-employee", f'there is no employee "{employee}"')
        return BUSY

    async def set_status(self, employee: str, value: str, *, text: str | None, until: datetime | None) -> StatusRow:
        """Record the choice."""
        if value == "offline":
            raise OperationError("not-allowed", "offline needs a softphone", "choose dnd instead")
        self.choices.append((employee, value, text, until))
        return replace(BUSY, status=value, chosen=value, text=text, until=until)

    async def block(self, employee: str, other: str) -> BlockRow:
        """Record the block."""
        if employee == other:
            raise OperationError("bad-request", "nobody can block himself")
        self.blocked.append(("block", employee, other))
        return BLOCK

    async def unblock(self, employee: str, other: str) -> BlockRow:
        """Record its end."""
        self.blocked.append(("unblock", employee, other))
        return BLOCK

    def blocks(self) -> list[BlockRow]:
        """One block."""
        return [BLOCK]

    async def why(self, employee: str, viewer: str | None) -> Why:
        """What the test has set, with a viewer if one was asked for."""
        return self.why_answer if viewer else replace(self.why_answer, viewer=None)

    async def survey_rosters(self, *, restore: str | None, progress: Callable[[Progress], None]) -> SyncReport:
        """What the test has set; "handshake" is refused."""
        if restore == "handshake":
            raise OperationError("handshake", "nothing can be synced", "configure a way")
        progress(Progress(3, 3, "rosters read"))
        return self.found

    async def sync_rosters(
        self, drifted: dict[str, int], *, restore: str | None, yes: bool, progress: Callable[[Progress], None]
    ) -> SyncReport:
        """Record it, in steps that the test can hold, and say that all was done."""
        progress(Progress(0, 3, "changes made"))
        self.importing.set()
        await self.go_on.wait()
        self.syncs.append((drifted, restore, yes))
        self.imported.set()
        return replace(self.found, dry_run=False)

    async def health(self) -> list[CheckLine]:
        """One line of each kind."""
        return [
            CheckLine("link", True, "up"),
            CheckLine("store", False, "read-only", "mount it writable"),
            CheckLine("rosters", None, "handshake", "set an API user"),
        ]
