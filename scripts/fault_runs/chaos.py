"""Chaos: random events and random faults; at the end every client believes what the core says."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.fault_runs.client import Visit
from scripts.fault_runs.events import GROUPS, Day
from scripts.fault_runs.faults import FAULTS
from scripts.fault_runs.matrix import QUIET
from scripts.fault_runs.site import Site
from tests.servers.server import Server

LAST = 80
"""How many of the last events a failure prints."""
EARLY = 2.0
"""Seconds before a session's first presence within which a handshake still concerns it."""


@dataclass
class Outcome:
    """A chaos run: what was done, and what was wrong at its end.

    Presences: `told` in all, `repeats` changed nothing, `idle` of them neither probes nor handshakes explain.
    """

    server: str
    seed: int
    events: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    pairs: int = 0
    told: int = 0
    repeats: int = 0
    idle: list[str] = field(default_factory=list)
    failed: str = ""


async def run(
    server: Server,
    folder: Path,
    seed: int,
    faults: Sequence[str],
    *,
    people: int = 12,
    events: int = 1000,
    checks: int = 5,
) -> Outcome:
    """Let these faults strike one after another, events before and during each.

    `checks` is after how many faults the beliefs are compared, besides at the end.
    """
    dice = random.Random(seed)
    outcome = Outcome(server.name, seed)
    site = Site(server, folder, people)
    site.pause = 0.5
    for person in site.people.values():
        person.groups = frozenset(dice.sample(GROUPS, dice.choice((1, 2))))
    day = Day(site, dice)
    share = max(1, events // (2 * len(faults)))
    try:
        await site.open(groups=True)
        await day.begin()
        for number, fault in enumerate(faults, 1):
            await day.happen(share)
            day.log.append(f"{site.loop.time():.2f} FAULT {fault}")
            outcome.faults[fault] += 1
            await FAULTS[fault].strike(site, lambda: day.happen(share))
            outcome.events += 2 * share
            if number % checks == 0 or number == len(faults):
                await _compare(site, day, outcome)
    except Exception as problem:  # whatever it is, the events before it are to be seen
        outcome.failed = f"{type(problem).__name__}: {problem}\nlast events:\n" + "\n".join(day.log[-LAST:])
    finally:
        await site.close()
    audit(site, outcome)
    return outcome


async def _compare(site: Site, day: Day, outcome: Outcome) -> None:
    await day.end()
    await site.calm(QUIET + site.grace)
    rows = await site.settle(90, by_rosters=True)
    outcome.pairs += len(site.online()) * (len(rows) - 1)


def audit(site: Site, outcome: Outcome) -> None:
    """Find presences that changed nothing and that no probe of the client's own and no refresh explains."""
    for client in site.clients:
        for visit in client.past:
            outcome.told += len(visit.heard)
            outcome.idle += unexplained(visit, site.refreshes())
            outcome.repeats += sum(one.kind == "repeat" for one in visit.heard)


def unexplained(visit: Visit, refreshes: list[float]) -> list[str]:
    """Return the presences of one session that repeat what was told, beyond one for each refresh and each probe."""
    begin, found = visit.heard[0].at - EARLY, []
    explained = [at for at in refreshes if at >= begin]
    for contact in {one.contact for one in visit.heard}:
        heard = [one for one in visit.heard if one.contact == contact]
        if sum(one.kind == "repeat" for one in heard) > len(explained) + visit.probes[contact]:
            story = ", ".join(f"{one.at:.2f} {one.kind} {one.shown.show!r} {one.shown.status!r}" for one in heard[-8:])
            at = ", ".join(f"{one:.2f}" for one in explained[-8:])
            found.append(f"{visit.jid} was told of {contact}: {story}; handshakes at {at}")
    return found
