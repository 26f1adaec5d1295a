"""The fault matrix: one fault after another on one site, each measured from the watchers' side."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scripts.fault_runs.client import Client, Panel
from scripts.fault_runs.faults import FAULTS, Fault
from scripts.fault_runs.rate import plain_rate
from scripts.fault_runs.reading import NOTHING, Heard, Shown, right_since
from scripts.fault_runs.site import Site
from tests.servers.server import Server

RATED = ("kill", "server-restart", "server-kill")
"""Faults whose time is compared with the server's own for as many presences, measured in the same run."""
QUIET = 1.5
"""Seconds without a presence after which none is held back any more (core/fanout.py: one a second)."""
SHARE = 10
"""One employee in so many has each kind of change while a fault lasts."""


@dataclass
class Cell:
    """A fault on a server, as the watchers saw it.

    `wrong` is the longest time, in seconds, for which a client believed what is not, counted from the later of the
    component's return and the client's own initial presence; `pairs` how many beliefs there are; `late` in how many of
    them it was wrong at all then. Presences after the fault struck: `answers` were the first of a contact since the
    client's login, `changes` changed something, `flaps` of them more than was needed, `refreshed` changed nothing and
    were the one that a handshake brings, `idle` changed nothing beyond that. `noticed`: seconds from the stroke to the
    return; `rate`: plain presences a second that this server delivers to these clients, 0 where it was not measured.
    """

    fault: str
    server: str
    people: int
    failed: str = ""
    wrong: float = 0.0
    pairs: int = 0
    late: int = 0
    answers: int = 0
    changes: int = 0
    flaps: int = 0
    refreshed: int = 0
    idle: int = 0
    noticed: float = 0.0
    rate: float = 0.0
    notes: list[str] = field(default_factory=list)


class Crowd:
    """The employees of a matrix: panels, chat clients, absent ones, and how they change while a fault lasts."""

    def __init__(self, site: Site, dice: random.Random) -> None:
        self.site, self.dice = site, dice
        self.panels: list[Client] = []
        self.absent: list[Client] = []
        self.expected: dict[str, str] = {}

    async def arrive(self) -> None:
        """Three in five come with a panel, the others with a chat client; one in ten stays away."""
        for number, person in enumerate(self.site.people):
            client = self.site.client(person, ("pc", "panel")[number % 5 < 3])
            if number % 5 < 3:
                client.panel = Panel()
                self.panels.append(client)
        self.absent = self.dice.sample(self.site.clients, max(1, len(self.site.people) // SHARE))
        await self.site.login(client for client in self.site.clients if client not in self.absent)

    async def change(self, *, hears: bool) -> None:
        """Some panels end, some fall idle, those who were absent come, and (with `hears`) some choose to be busy."""
        share = max(1, len(self.panels) // SHARE)
        chosen = self.dice.sample([panel for panel in self.panels if panel.wanted], 3 * share)
        ending, idle, busy = (chosen[n::3] for n in range(3))
        self.expected = {}
        for number, panel in enumerate(ending):
            panel.abort() if number % 2 else await panel.logout()
            self.expected[panel.name] = "unavailable"
        for panel in idle:
            panel.show(Panel(idle_since=datetime.now(UTC) - timedelta(minutes=20)))
            self.expected[panel.name] = "away"
        for panel in busy if hears else ():
            status = "<status xmlns='urn:panel-presence:1' value='busy'/>"
            panel.send(f"<iq type='set' id='busy' to='{panel.component}'>{status}</iq>")
            self.expected[panel.name] = "dnd"
        for client in self.absent:
            client.wanted = True
            client.come_back()
            if client.panel:
                self.expected[client.name] = ""
        self.absent = ending


async def one_fault(server: Server, folder: Path, name: str, people: int, seed: int) -> Cell:
    """Open a site of its own on a server and measure one fault there."""
    site = Site(server, folder, people)
    try:
        await site.open()
        crowd = Crowd(site, random.Random(seed))
        await crowd.arrive()
        cell = await measure(site, crowd, name)
        if name in RATED and not cell.failed:
            await site.component.kill()
            cell.rate = await plain_rate(site)
            once = cell.pairs / cell.rate
            cell.notes.append(
                f"plain presences: {cell.rate:.0f}/s, so {once:.2f} s for every pair; wrong {cell.wrong / once:.2f} x"
            )
        return cell
    finally:
        await site.close()


async def measure(site: Site, crowd: Crowd, name: str) -> Cell:
    """Let one fault strike and measure it; a client that never believes the truth makes the cell a failure."""
    fault, cell = FAULTS[name], Cell(name, site.server.name, len(site.people))
    struck, refreshes, before = site.loop.time(), 0, {}
    try:
        await site.settle(120)
        await site.calm(QUIET)
        for client in site.clients:
            client.read()
        before = {client: (client.online_at, dict(client.belief), len(client.heard)) for client in site.clients}
        struck, refreshes = site.loop.time(), len(site.refreshes())
        back = await fault.strike(site, lambda: crowd.change(hears=fault.hears))
        cell.noticed = back - struck
        rows = await site.settle(60)
        await site.calm(QUIET + (site.grace if site.small else 0))
        rows = await site.settle(60)
    except Exception as problem:
        cell.failed = f"{type(problem).__name__}: {problem}"
        return cell
    cell.notes, site.notes = site.notes, []
    shows = {row.id: row.show for row in rows}
    wrong = [f"{one}: {shows[one]!r} instead of {show!r}" for one, show in crowd.expected.items() if shows[one] != show]
    if wrong:
        cell.failed = "the component itself is wrong: " + ", ".join(wrong[:5])
    truth = {site.contact(row.id): (row.show, row.shown) for row in rows}
    refreshed = len(site.refreshes()) - refreshes
    for client in site.online():
        online_at, belief, length = before.get(client, (0.0, {}, 0))
        same = client.online_at == online_at
        count(
            cell, fault, client, truth, belief if same else {}, client.heard[length if same else 0 :], back, refreshed
        )
    return cell


def count(
    cell: Cell,
    fault: Fault,
    client: Client,
    truth: dict[str, tuple[str, str]],
    before: dict[str, Shown],
    heard: list[Heard],
    back: float,
    refreshed: int,
) -> None:
    """Add what one client heard to a cell."""
    by_contact: dict[str, list[Heard]] = {contact: [] for contact in truth}
    for one in heard:
        by_contact.setdefault(one.contact, []).append(one)
    ready = max(back, client.online_at)
    for contact, presences in by_contact.items():
        if contact.partition("@")[0] == client.name:
            continue
        believed = before.get(contact, NOTHING)
        since = right_since(presences, believed, truth[contact])
        late = max(0.0, (since or 0.0) - ready)
        kinds = Counter(one.kind for one in presences)
        first = before.get(contact) or next((one.shown for one in presences), NOTHING)
        needed = 2 if fault.withdraws else int(bool(presences) and first != presences[-1].shown)
        refresh = min(kinds["repeat"], refreshed)
        cell.pairs += 1
        cell.late += late > 0
        cell.wrong = max(cell.wrong, late)
        cell.answers += kinds["first"]
        cell.changes += kinds["change"]
        cell.flaps += max(0, kinds["change"] - needed)
        cell.refreshed += refresh
        cell.idle += kinds["repeat"] - refresh
