"""What the command line prints: tables, check lines, progress and errors."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table
from rich.text import Text

from component.services.operations import BlockRow, CheckLine, EmployeeRow, ImportReport, Progress, StatusRow

MAX_DETAILS = 30
"""Lines of details under an error; a broken file can have one for each of its rows."""

_PIPE_WIDTH = 500
_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("!", "yellow")}
_STYLES = {"online": "green", "busy": "yellow", "dnd": "red", "was-here": "cyan", "offline": "bright_black"}


def output() -> Console:
    """Return the console of standard output. Into a pipe, lines are as long as they need to be."""
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)


def errors() -> Console:
    """Return the console of standard error."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_json(value: object) -> None:
    """Print a value made of plain dicts, lists and scalars as JSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_error(text: str, hint: str | None = None, details: Sequence[str] = ()) -> None:
    """Print an error in red, its details, and what to do next, on standard error."""
    console = errors()
    console.print(f"error: {text}", style="red")
    for line in details[:MAX_DETAILS]:
        console.print(f"  {line}")
    if len(details) > MAX_DETAILS:
        console.print(f"  … and {len(details) - MAX_DETAILS} more")
    if hint:
        console.print(f"hint: {hint}", style="yellow")


def print_employees(rows: Sequence[EmployeeRow]) -> None:
    """Print the directory, one line each."""
    columns = ("id", "name", "account", "extension", "groups", "mode", "language", "timezone")
    cells = [
        (
            row.id,
            row.name,
            row.account,
            row.extension,
            ", ".join(row.groups),
            row.mode or "",
            row.language or "",
            row.timezone or "",
        )
        for row in rows
    ]
    _print_rows(columns, cells)
    errors().print(f"{len(rows)} employees")


def print_blocks(rows: Sequence[BlockRow]) -> None:
    """Print who blocks whom, one block a line."""
    cells = [(row.employee, row.name, row.blocked, row.blocked_name) for row in rows]
    _print_rows(("id", "name", "blocks", "blocked name"), cells)
    errors().print(f"{len(rows)} blocks")


def print_statuses(rows: Sequence[StatusRow], zone: tzinfo) -> None:
    """Print statuses, one line each, with times in `zone`."""
    columns = ("id", "name", "status", "text", "since", "until", "phone", "sessions", "colleagues see")
    cells = [
        (
            row.id,
            row.name,
            row.status,
            row.text or "",
            _time(row.since, zone),
            _time(row.until, zone),
            row.phone,
            str(row.sessions),
            _seen(row),
        )
        for row in rows
    ]
    _print_rows(columns, cells)


def print_status(row: StatusRow, zone: tzinfo) -> None:
    """Print everything about one employee's status, with times in `zone`."""
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("employee", f"{row.name} ({row.id})"),
        ("contact", row.contact),
        ("status", Text(row.status, _STYLES.get(row.status, ""))),
        ("chosen", row.chosen),
        ("text", row.text or "—"),
        ("since", _time(row.since, zone) or "—"),
        ("until", _time(row.until, zone) or "—"),
        ("phone", row.phone),
        ("sessions", str(row.sessions)),
        ("colleagues see", _seen(row)),
    ):
        table.add_row(Text(name, "bold"), value)
    output().print(table)


def print_report(report: ImportReport) -> None:
    """Print what an import did, or would do."""
    counts = ("added", "changed", "moved", "removed", "unchanged")
    line = ", ".join(f"{getattr(report, name)} {name}" for name in counts)
    output().print(f"dry run, nothing applied: {line}" if report.dry_run else f"imported: {line}")


def print_check(line: CheckLine) -> None:
    """Print one line of `check`, and under a bad one what to do."""
    mark, style = _MARKS[line.ok]
    console = output()
    console.print(Text.assemble((mark, style), " ", (line.name, "bold"), f": {line.text}"), soft_wrap=True)
    if line.hint and line.ok is not True:
        console.print(f"  → {line.hint}", style=style, soft_wrap=True)


@contextmanager
def progress() -> Iterator[Callable[[Progress], None]]:
    """Give a function that shows progress on standard error: a bar on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield _plain_progress()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ProgressBar(*columns, console=errors(), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda step: bar.update(task, description=step.what, completed=step.done, total=step.total)


def _plain_progress() -> Callable[[Progress], None]:
    told: tuple[str, int] | None = None

    def tell(step: Progress) -> None:
        nonlocal told
        tenth = 10 * step.done // step.total if step.total else 10
        if (step.what, tenth) != told:
            told = (step.what, tenth)
            errors().print(f"{step.what}: {step.done} of {step.total}")

    return tell


def _print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on a terminal, and lines of cells between tabs into a pipe."""
    if not sys.stdout.isatty():
        # Not only for cut and awk: rich needs seconds for the table of ten thousand employees.
        sys.stdout.writelines("\t".join(row) + "\n" for row in (columns, *rows))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = zip(columns, row, strict=True)
        table.add_row(*(Text(cell, _STYLES.get(cell, "") if name == "status" else "") for name, cell in cells))
    output().print(table)


def _time(moment: datetime | None, zone: tzinfo) -> str:
    return "" if moment is None else moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _seen(row: StatusRow) -> str:
    return f"[{row.show or 'available'}] {row.shown}".rstrip()
