"""`scripts/bench`: the command line of the benchmarks."""

import argparse
import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from scripts.benchmarks import company

console = Console()


def main() -> None:
    """Run the benchmark that the command line names."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Medians of several rounds on this machine; the figures are targets to look at, never gates.",
    )
    parser.add_argument("--rounds", type=int, default=3, help="how many rounds (default: 3)")
    parser.add_argument("--json", type=Path, help="write all rounds to this file")
    benches = parser.add_subparsers(dest="bench", required=True)
    one = benches.add_parser("company", help="import, memory and start with many employees")
    one.add_argument("--employees", type=int, default=10_000)
    one.add_argument("--group", type=int, default=200, help="employees in a group (default: 200)")
    given = parser.parse_args()
    rows = asyncio.run(_company(given))
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2), encoding="utf-8")


async def _company(given: argparse.Namespace) -> list[dict[str, object]]:
    rounds = [await company.measure(given.employees, given.group) for _ in range(given.rounds)]

    def middle(value: Callable[[company.Round], float]) -> float:
        return median(value(one) for one in rounds)

    table = Table("what", "median", "target", title=f"{given.employees} employees in groups of {given.group}")
    table.add_row("employees import, the whole command", f"{middle(lambda one: one.import_seconds):.2f} s", "< 10 s")
    table.add_row("the same file once more", f"{middle(lambda one: one.again_seconds):.2f} s", "")
    table.add_row("start until connected", f"{middle(lambda one: one.start_seconds):.2f} s", "<= 3 s")
    table.add_row("memory without employees", f"{middle(lambda one: one.empty_bytes) / 1e6:.0f} MB", "")
    table.add_row("memory after two imports", f"{middle(lambda one: one.imported_bytes) / 1e6:.0f} MB", "")
    table.add_row("memory after a restart", f"{middle(lambda one: one.restarted_bytes) / 1e6:.0f} MB", "<= 200 MB")
    console.print(table)
    return [asdict(one) for one in rounds]


if __name__ == "__main__":
    main()
