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

from scripts.benchmarks import company, privacy

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
    two = benches.add_parser("privacy", help="answers about hidden, blocked and nonexistent contacts: their time")
    two.add_argument("--employees", type=int, default=1_000)
    two.add_argument("--group", type=int, default=50, help="employees in a group (default: 50)")
    two.add_argument("--requests", type=int, default=1_000, help="of each question to each contact (default: 1,000)")
    given = parser.parse_args()
    rows = asyncio.run({"company": _company, "privacy": _privacy}[given.bench](given))
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


async def _privacy(given: argparse.Namespace) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    others = privacy.NAMES[1:]
    for number in range(given.rounds):
        medians = await privacy.measure(given.employees, given.group, given.requests)
        title = f"round {number + 1}: medians of {given.requests} requests each, in turn; target: within 5 %"
        table = Table("question", *privacy.NAMES, *(f"{one} more" for one in others), title=title)
        for question, found in medians.items():
            ratios = {f"{one}:nobody": found[one] / found["nobody"] for one in others}
            times = (f"{found[name] * 1e6:.0f} µs" for name in privacy.NAMES)
            table.add_row(question, *times, *(f"{ratio - 1:+.1%}" for ratio in ratios.values()))
            rows.append({"round": number + 1, "question": question, **found, **ratios})
        console.print(table)
    return rows


if __name__ == "__main__":
    main()
