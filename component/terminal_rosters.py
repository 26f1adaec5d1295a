"""What `panel-presence rosters sync` prints."""

from collections.abc import Mapping

from rich.console import Console

from component import terminal
from component.services.operations import SyncReport

_WORDS: Mapping[str, str] = {
    "domain-item": "of the component itself",
    "missing": "missing",
    "subscription": "with a wrong subscription",
    "renamed": "to rename",
    "surplus": "surplus",
}


def print_found(report: SyncReport, console: Console) -> None:
    """Print what is wrong in the rosters, the first examples, and how long the repair will take."""
    changes = sum(report.drifted.values())
    if changes:
        drifted = len(report.drifted)
        console.print(f"{report.rosters} rosters read, {drifted} have drifted: {changes} items to change")
        _print_kinds(report, console)
        _print_examples(report, console)
        server, total = _seconds(report.server_seconds), _seconds(report.seconds)
        console.print(f"the repair will take about {server} of the server's time, {total} in all")
    else:
        console.print(f"{report.rosters} rosters read: all are as they should be")
    _print_rest(report, console)


def print_made(report: SyncReport) -> None:
    """Print what was put right."""
    console = terminal.output()
    changes = sum(report.drifted.values())
    if changes:
        console.print(
            f"put right: {changes} items in {len(report.drifted)} rosters over {report.method}, "
            f"{_seconds(report.server_seconds)} of the server's time, {_seconds(report.seconds)} in all"
        )
        _print_kinds(report, console)
    else:
        console.print("nothing was changed")
    for line in report.unreadable[: terminal.MAX_DETAILS]:
        console.print(f"  ! {line}")


def _print_kinds(report: SyncReport, console: Console) -> None:
    for kind, count in report.kinds.items():
        if count:
            console.print(f"  {count:>6}  {_WORDS.get(kind, kind)}")


def _print_examples(report: SyncReport, console: Console) -> None:
    for line in report.examples:
        console.print(f"  · {line}")
    more = sum(report.drifted.values()) - len(report.examples)
    if more > 0:
        console.print(f"  · … and {more} more")


def _print_rest(report: SyncReport, console: Console) -> None:
    if report.deleted_by_hand:
        console.print(
            f"{report.deleted_by_hand} contacts were deleted by hand and stay so "
            "(rosters sync --restore ID brings an employee's back)"
        )
    for line in report.unreadable[: terminal.MAX_DETAILS]:
        console.print(f"  ! {line}")
    if len(report.unreadable) > terminal.MAX_DETAILS:
        console.print(f"  ! … and {len(report.unreadable) - terminal.MAX_DETAILS} more accounts")


def _seconds(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
