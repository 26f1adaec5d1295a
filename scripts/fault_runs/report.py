"""What a person reads, and what a program reads."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.fault_runs.chaos import Outcome
from scripts.fault_runs.faults import FAULTS
from scripts.fault_runs.matrix import Cell

console = Console()


def show(cells: Sequence[Cell], seed: int) -> None:
    """Print the matrix: for each fault and server the longest lie, and presences that changed nothing."""
    servers = list(dict.fromkeys(cell.server for cell in cells))
    people = max(cell.people for cell in cells)
    title = f"Faults, {people} employees, seed {seed}. Seconds: the longest that a client was wrong after the return"
    table = Table("fault", title=title, caption="flaps / presences that changed nothing, beyond answers and refresh")
    for server in servers:
        table.add_column(server, justify="right")
        table.add_column("flaps / idle", justify="right")
    for name in dict.fromkeys(cell.fault for cell in cells):
        row = [FAULTS[name].title]
        for server in servers:
            cell = next((one for one in cells if (one.fault, one.server) == (name, server)), None)
            if cell is None:
                row += ["", ""]
            elif cell.failed:
                row += ["[red]NEVER TRUE[/red]", ""]
            else:
                row += [f"{cell.wrong:.2f} s", f"{cell.flaps} / {cell.idle}"]
        table.add_row(*row)
    console.print(table)
    for cell in cells:
        for line in (*cell.notes, *([cell.failed] if cell.failed else [])):
            console.print(f"{cell.server}, {cell.fault}: {line}", markup=False, highlight=False)


def line(cell: Cell) -> None:
    """Print a cell as soon as it is measured."""
    result = "NEVER TRUE" if cell.failed else f"{cell.wrong:.2f} s, {cell.flaps} flaps, {cell.idle} idle"
    counts = f"{cell.changes} changes, {cell.answers} answers, {cell.refreshed} refreshed"
    console.print(f"{cell.server} {cell.fault}: {result} ({counts}; back after {cell.noticed:.1f} s)", highlight=False)


def outcome(one: Outcome) -> None:
    """Print how a chaos run ended."""
    faults = ", ".join(f"{count} {name}" for name, count in one.faults.most_common())
    console.print(
        f"{one.server} chaos, seed {one.seed}: {one.events} events, {one.faults.total()} faults ({faults}); "
        f"{one.pairs} beliefs compared; {one.told} presences, {one.repeats} of them repeated what was known, "
        f"{len(one.idle)} without a reason",
        highlight=False,
    )
    for line in (*one.idle[:10], *([f"FAILED: {one.failed}"] if one.failed else ["all clients believe the truth"])):
        console.print(line, markup=False, highlight=False)


def write(path: Path, cells: Sequence[Cell], outcomes: Sequence[Outcome], seed: int) -> None:
    """Write all that was measured as JSON."""
    measured = {"seed": seed, "cells": [*map(asdict, cells)], "chaos": [*map(asdict, outcomes)]}
    path.write_text(json.dumps(measured, indent=2, ensure_ascii=False), encoding="utf-8")
