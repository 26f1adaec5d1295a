"""What can be asked of the running component: the questions, the answers and their errors."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from component.services.why import Why


@dataclass(frozen=True, slots=True)
class EmployeeRow:
    """One employee of the directory, as imported; None stands for the company's default."""

    id: str
    account: str
    name: str
    extension: str
    groups: tuple[str, ...]
    mode: str | None
    language: str | None
    timezone: str | None


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One employee's panel status and what colleagues see of it (RFC 6121 4.7.2).

    `status` and `chosen` are panel status words, `phone` is online, offline or unknown; `show` is empty,
    away, dnd, xa or unavailable, and `shown` the first <status/> of the presence, which may be empty.
    """

    id: str
    name: str
    contact: str
    status: str
    chosen: str
    phone: str
    text: str | None
    since: datetime | None
    until: datetime | None
    sessions: int
    shown: str
    show: str


@dataclass(frozen=True, slots=True)
class BlockRow:
    """Who blocks whom: two employees' ids and names."""

    employee: str
    name: str
    blocked: str
    blocked_name: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many employees an import touched; with `dry_run`, how many it would touch."""

    added: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    dry_run: bool


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One checked thing: True is well, False is broken, None is a warning; `hint` says what to do next."""

    name: str
    ok: bool | None
    text: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long operation has come: `done` of `total` of what `what` names."""

    done: int
    total: int
    what: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What is wrong in the rosters (`dry_run`), or what was put right.

    `rosters` were looked at; `drifted` has the changes of each employee whose roster needs or needed some, `kinds`
    how many of each kind (`core.drift.Kind`), `examples` the first ones in words; `deleted_by_hand` contacts stay
    deleted; `unreadable` has a line for each employee without an account. `server_seconds` is the server's own time
    for the changes, `seconds` all of it with the pauses: estimated for a dry run, measured otherwise.
    """

    dry_run: bool
    method: str
    rosters: int
    drifted: dict[str, int]
    kinds: dict[str, int]
    examples: tuple[str, ...]
    deleted_by_hand: int
    unreadable: tuple[str, ...]
    server_seconds: float
    seconds: float


class OperationError(Exception):
    """An operation was refused or failed, and nothing of it was applied.

    `code` is a stable word for programs, `text` a sentence for people, `hint` what to do next, `details` one
    line for each thing that was wrong (a bad row of a CSV, for example).
    """

    def __init__(self, code: str, text: str, hint: str | None = None, details: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.hint = hint
        self.details = details


class Operations(Protocol):
    """What the control socket serves. Every method raises OperationError when it refuses."""

    async def import_employees(
        self,
        csv_text: str,
        *,
        dry_run: bool,
        allow_removals: int | None,
        progress: Callable[[Progress], None],
    ) -> ImportReport:
        """Make the directory equal to the CSV, or, with `dry_run`, only count what that would change.

        An import that removes too many is refused unless `allow_removals` is at least their number.
        """
        ...

    def employees(self) -> list[EmployeeRow]:
        """All employees, in the order of their ids."""
        ...

    def statuses(self) -> list[StatusRow]:
        """The statuses of all employees, in the order of their ids."""
        ...

    def status(self, employee: str) -> StatusRow:
        """The status of one employee, named by his id."""
        ...

    async def set_status(self, employee: str, value: str, *, text: str | None, until: datetime | None) -> StatusRow:
        """Choose a panel status for an employee and return what is in force afterwards."""
        ...

    async def block(self, employee: str, other: str) -> BlockRow:
        """Make one employee block another one, both named by their ids: neither sees the other any more."""
        ...

    async def unblock(self, employee: str, other: str) -> BlockRow:
        """End a block that one employee made, or that was made in his name."""
        ...

    def blocks(self) -> list[BlockRow]:
        """All blocks, in the order of the ids."""
        ...

    async def why(self, employee: str, viewer: str | None) -> Why:
        """The chain from an employee's facts to what is shown of him, and to what one viewer sees."""
        ...

    async def survey_rosters(self, *, restore: str | None, progress: Callable[[Progress], None]) -> SyncReport:
        """Compare all rosters with what they should hold, and change nothing.

        With `restore`, an employee's id, only his, as if he had never deleted a contact by hand.
        """
        ...

    async def sync_rosters(
        self, drifted: dict[str, int], *, restore: str | None, yes: bool, progress: Callable[[Progress], None]
    ) -> SyncReport:
        """Put rosters right, those that a survey found, with the number of changes that it expects for each.

        Whoever stops listening stops nothing. Without `yes` rosters of many contacts are refused. With `restore`
        this employee's deletions by hand are forgotten first.
        """
        ...

    async def health(self) -> list[CheckLine]:
        """The state of the running component: link, store, rosters, directory, watchers."""
        ...
