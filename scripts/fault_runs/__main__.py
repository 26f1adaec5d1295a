"""`scripts/faults`: the command line of the fault runs."""

import argparse
import asyncio
import random
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from scripts.fault_runs import chaos, report
from scripts.fault_runs.faults import FAULTS
from scripts.fault_runs.matrix import Cell, one_fault
from tests.servers.ejabberd import Ejabberd
from tests.servers.prosody import Prosody
from tests.servers.server import Server

SERVERS: dict[str, type[Server]] = {"ejabberd": Ejabberd, "prosody": Prosody}


def main() -> None:
    """Run what the command line names; the exit code is 1 when a client was left with a lie."""
    parser = argparse.ArgumentParser(
        prog="scripts/faults",
        description="Breaks things on purpose and measures what colleagues believe. Seconds are printed, never gates; "
        "a client that never believes the truth is a failure, and so is a presence that says nothing new in chaos.",
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of all that is random")
    parser.add_argument("--server", choices=SERVERS, action="append", help="only this server (default: both)")
    parser.add_argument("--json", type=Path, help="write everything to this file")
    runs = parser.add_subparsers(dest="run", metavar="matrix|chaos", help="default: both")
    matrix = runs.add_parser("matrix", help="one fault after another")
    matrix.add_argument("--people", type=int, default=200, help="employees (default: 200)")
    matrix.add_argument("--fault", action="append", choices=FAULTS, help="only this fault; may be given several times")
    disorder = runs.add_parser("chaos", help="random events and random faults")
    disorder.add_argument("--people", type=int, default=12, help="employees (default: 12)")
    disorder.add_argument("--events", type=int, default=1000, help="default: 1000")
    disorder.add_argument("--faults", type=int, default=50, help="default: 50")
    disorder.add_argument(
        "--fault", action="append", choices=FAULTS, help="only this fault; may be given several times"
    )
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    sys.exit(asyncio.run(_run(given)))


async def _run(given: argparse.Namespace) -> int:
    folder = Path(tempfile.mkdtemp())
    cells: list[Cell] = []
    outcomes: list[chaos.Outcome] = []
    try:
        for kind in given.server or SERVERS:
            server = SERVERS[kind](folder / kind)
            await server.start()
            try:
                if given.run != "chaos":
                    cells += await _matrix(server, folder, given)
                if given.run != "matrix":
                    outcomes.append(await _chaos(server, folder, given))
                    report.outcome(outcomes[-1])
            finally:
                await server.stop()
    finally:
        shutil.rmtree(folder)
        if cells:
            report.show(cells, given.seed)
        if given.json:
            report.write(given.json, cells, outcomes, given.seed)
    return int(any(cell.failed for cell in cells) or any(one.failed or one.idle for one in outcomes))


async def _matrix(server: Server, folder: Path, given: argparse.Namespace) -> list[Cell]:
    cells = []
    for name in getattr(given, "fault", None) or FAULTS:
        people = getattr(given, "people", 200)
        cells.append(await one_fault(server, folder / f"{server.name}-{name}", name, people, given.seed))
        report.line(cells[-1])
    return cells


async def _chaos(server: Server, folder: Path, given: argparse.Namespace) -> chaos.Outcome:
    chosen = (given.run == "chaos" and given.fault) or list(FAULTS)
    faults = random.Random(given.seed).choices(chosen, k=getattr(given, "faults", 50))
    people, events = (given.people, given.events) if given.run == "chaos" else (12, 1000)
    return await chaos.run(server, folder / f"{server.name}-chaos", given.seed, faults, people=people, events=events)


if __name__ == "__main__":
    main()
