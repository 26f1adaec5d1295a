"""A company of any size for fault runs: server, proxy, component, one session and more for each employee."""

import asyncio
import csv
import io
import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from component.services.operations import ImportReport, StatusRow
from scripts.fault_runs.bulk import Item, make_accounts
from scripts.fault_runs.client import Client
from scripts.fault_runs.proxy import Proxy
from scripts.fault_runs.reading import NOTHING
from tests.servers.component import Component
from tests.servers.server import Server

PASSWORD = "secret"
SMALL = 50
"""So many employees can be hurried: with more, a busy machine would make the impatient component give up what lives."""
EVERYONE = "Все"
_sites = itertools.count(1)


@dataclass
class Person:
    """An employee; `groups` decide who sees him."""

    id: str
    name: str
    groups: frozenset[str] = frozenset({EVERYONE})
    mode: str = "softphone"


@dataclass(frozen=True, slots=True)
class Lie:
    """A client that believes what is not."""

    client: str
    contact: str
    believes: tuple[str, str]
    is_so: tuple[str, str]

    def __str__(self) -> str:
        return f"{self.client} believes of {self.contact} {self.believes}, but it is {self.is_so}"


class NeverTrue(Exception):
    """A client still believes what is not after the longest wait; the text names the pairs."""


class Site:
    """Everything that runs. `open` starts it, `close` leaves nothing behind."""

    def __init__(self, server: Server, folder: Path, people: int) -> None:
        number = next(_sites)
        self.server = server
        self.folder = folder
        self.small = people <= SMALL
        self.grace = 2.0 if self.small else 30.0
        self.loop = asyncio.get_running_loop()
        self.people = {one.id: one for one in (Person(f"e{number}x{n:03}", f"Сотрудник {n:03}") for n in range(people))}
        self.pbx = f"pbx{number}"
        self.proxy = Proxy(server.ports.component)
        self.component: Component
        self.others: list[Component] = []
        self.clients: list[Client] = []
        self._news = asyncio.Event()
        self.by_groups = False
        self.notes: list[str] = []
        self.rosters: dict[str, set[str]] | None = None
        self.pause = 3.0

    async def open(self, groups: bool = False) -> None:
        """Make the accounts with their rosters, start the component and import the directory."""
        self.by_groups = groups
        await self.proxy.start()
        await make_accounts(self.server, PASSWORD, {one: self._roster(one) for one in self.people} | {self.pbx: ()})
        self.component = Component(self.folder / "component", self.settings())
        await self.component.start()
        await self.import_directory()
        await self.component.wait_log(r"rosters: all are as they should be", within=60 + len(self.people))

    def another(self, *, same_store: bool) -> Component:
        """A second instance with the same configuration, not yet started."""
        settings = self.settings()
        if same_store:
            settings["store"] = self.component.settings["store"]
        other = Component(self.folder / f"component{len(self.others) + 2}", settings)
        self.others.append(other)
        return other

    def settings(self) -> dict[str, Mapping[str, object]]:
        """The component's configuration."""
        server = self.server
        return {
            "xmpp": {
                "domain": server.component_domain,
                "secret": server.secret,
                "port": self.proxy.port,
                "beat": "1s" if self.small else "5s",
            },
            "company": {"visibility": "groups" if self.by_groups else "everyone"},
            "status": {"session_grace": f"{self.grace:g}s"},
            "pbx": {"jids": [f"{self.pbx}@{server.domain}"]},
            "rosters": server.rosters,
        }

    async def close(self) -> None:
        """End all clients, the component and the proxy."""
        for client in self.clients:
            client.abort()
        for component in (self.component, *self.others):
            await component.kill()
        await self.proxy.close()

    async def import_directory(self) -> ImportReport:
        """Import the people as they are now."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["id", "account", "name", "groups", "mode"])
        for one in self.people.values():
            account = f"{one.id}@{self.server.domain}"
            writer.writerow([one.id, account, one.name, ";".join(sorted(one.groups)), one.mode])
        control = self.component.control
        return await control.import_employees(
            out.getvalue(), dry_run=False, allow_removals=None, progress=lambda _: None
        )

    def client(self, person: str, resource: str = "pc") -> Client:
        """A client of an employee, not yet logged in."""
        server = self.server
        client = Client(
            person, f"{person}@{server.domain}", PASSWORD, resource, server.ports.c2s, server.component_domain
        )
        client.news = self._news.set
        self.clients.append(client)
        return client

    async def login(self, clients: Iterable[Client]) -> None:
        """Log many clients in, a few at a time."""
        clients = list(clients)
        for start in range(0, len(clients), 20):
            await asyncio.gather(*(client.login() for client in clients[start : start + 20]))

    def online(self) -> list[Client]:
        """The clients that are online now."""
        return [client for client in self.clients if client.online and client.name in self.people]

    def contact(self, person: str) -> str:
        """An employee's contact on the component."""
        return f"{person}@{self.server.component_domain}"

    def seen_by(self, viewer: str) -> Iterator[str]:
        """The ids of the colleagues that an employee is to see."""
        me = self.people[viewer]
        for one in self.people.values():
            if one.id != viewer and not me.groups.isdisjoint(one.groups):
                yield one.id

    async def read_rosters(self) -> None:
        """Read from the server who has whom in the roster: who deleted a contact by hand is shown it no more."""
        rosters = {}
        for person in self.people:
            items = await self.server.roster(person)
            rosters[person] = {item.jid for item in items if item.subscription in ("to", "both")}
        self.rosters = rosters

    def lies(self, rows: Iterable[StatusRow]) -> list[Lie]:
        """What clients believe that is not so, over all pairs; of a contact not to be seen: nothing or unavailable."""
        truth = {row.id: (row.show, row.shown) for row in rows}
        found = []
        for client in self.online():
            client.read()
            visible = set(self.seen_by(client.name))
            if self.rosters is not None:
                visible = {person for person in visible if self.contact(person) in self.rosters[client.name]}
            for person in self.people:
                if person == client.name:
                    continue
                shown = client.believes(self.contact(person))
                believed = (shown.show, shown.status)
                if person not in visible:
                    if shown.available:
                        why = "not of his groups"
                        if person in self.seen_by(client.name):
                            why = "not in his roster"
                        found.append(Lie(client.jid, person, believed, (NOTHING.show, why)))
                elif believed != truth[person]:
                    found.append(Lie(client.jid, person, believed, truth[person]))
        return found

    def available(self) -> list[str]:
        """The pairs of a client and a contact that the client believes to be available."""
        found = []
        for client in self.online():
            client.read()
            found += [f"{client.jid}: {contact}" for contact, shown in client.belief.items() if shown.available]
        return found

    async def settle(self, within: float = 30.0, *, by_rosters: bool = False) -> list[StatusRow]:
        """Wait until every client believes what the component says, and return that.

        `by_rosters`: only contacts that the server has in the client's roster are to be seen.
        The component has answered a ping of each client before the comparison, so that nothing is on its way.
        Raises NeverTrue.
        """
        lies: list[Lie] = []
        problem: Exception | None = None
        try:
            async with asyncio.timeout(within):
                while True:
                    self._news.clear()
                    try:
                        if by_rosters:
                            await self.read_rosters()
                        rows = await self.component.control.statuses()
                        await asyncio.gather(*(client.ping() for client in self.online()))
                        lies = self.lies(rows)
                        if not lies and all(client.online for client in self.clients if client.wanted):
                            return rows
                    except Exception as error:
                        problem = error
                    await self._wait_news(1.0)
        except TimeoutError:
            shown = "\n  ".join(f"{lie}\n{self._story(lie)}" for lie in lies[:10])
            text = f"{len(lies)} pairs are wrong after {within:g} s:\n  {shown}\n{problem or ''}"
            raise NeverTrue(f"{text}\n{self.component.tail()}") from None

    def _story(self, lie: Lie) -> str:
        """What a client heard last of a contact, and since when it is there; times as in the log of events."""
        client = next(one for one in self.clients if one.jid == lie.client)
        heard = [one for one in client.heard if one.contact == self.contact(lie.contact)]
        lines = [f"{one.at:.2f} {one.kind}: {one.shown.show!r} {one.shown.status!r}" for one in heard[-5:]]
        return "\n".join(f"      {line}" for line in (f"{client.online_at:.2f} online", *lines))

    def refreshes(self) -> list[float]:
        """When a refresh of everybody began: at each handshake, and after a second connection has gone."""
        offset = self.loop.time() - time.time()
        times = [
            datetime.fromisoformat(line[:19]).timestamp() + offset
            for component in (self.component, *self.others)
            for line in component.lines
            if "everybody is asked again" in line
        ]
        return sorted([*self.proxy.handshakes, *times])

    async def calm(self, quiet: float = 0.5, within: float = 60.0) -> None:
        """Wait until no client has received anything for `quiet` seconds."""
        async with asyncio.timeout(within):
            while True:
                self._news.clear()
                if not await self._wait_news(quiet):
                    return

    async def _wait_news(self, within: float) -> bool:
        try:
            async with asyncio.timeout(within):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _roster(self, viewer: str) -> list[Item]:
        domain = self.server.component_domain
        items = [Item(domain, "Статусы телефонии", "Телефония", "from")]
        return items + [Item(self.contact(one), self.people[one].name, EVERYONE, "to") for one in self.seen_by(viewer)]
