"""A small company for a test: accounts on the real server, the component beside it, panels and chat clients."""

import asyncio
import csv
import io
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from component.panel_client import PanelClient, Seen
from component.services.operations import ImportReport
from tests.servers.component import Component
from tests.servers.server import Server

PASSWORD = "secret"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """A row of the directory."""

    name: str
    groups: str = ""
    mode: str = "softphone"
    extension: str = ""
    language: str = ""
    timezone: str = ""


PEOPLE = {
    "ivanov": Person("Иванов Иван"),
    "petrov": Person("Петров Пётр"),
    "sidorov": Person("Сидоров Сидор"),
}


class Office:
    """Employees with ids of their own for each office, so that tests do not meet in the server's rosters."""

    def __init__(self, server: Server, folder: Path, people: Mapping[str, Person], settings: Mapping[str, Any]):
        self.server = server
        self.number = next(_numbers)
        self.people = dict(people)
        self.component = Component(folder, _settings(server, settings))
        self.clients: list[PanelClient] = []
        self.closing: list[Callable[[], Awaitable[None]]] = []

    def id(self, name: str) -> str:
        """The employee's id (and localpart) in this office."""
        return f"{name}{self.number}"

    def account(self, name: str) -> str:
        """The employee's account on the server."""
        return f"{self.id(name)}@{self.server.domain}"

    def contact(self, name: str) -> str:
        """The employee's contact on the component."""
        return f"{self.id(name)}@{self.server.component_domain}"

    async def open(self, *, ready: bool = True) -> None:
        """Register the accounts, start the component, import the directory and wait for the rosters."""
        await self.register(*self.people)
        try:
            await self.component.start()
            await self.import_directory()
            if ready:
                await self.rosters_ready()
        except BaseException:
            # A server has room for one component only: the next office would not get in.
            await self.component.stop()
            raise

    async def register(self, *names: str) -> None:
        """Make accounts on the server."""
        await self.server.register({self.id(name): PASSWORD for name in names})

    async def rosters_ready(self, begin: int = 0) -> None:
        """Wait until the component has put all rosters right."""
        await self.component.wait_log(r"rosters: all are as they should be", begin=begin)

    async def import_directory(self, *, allow_removals: int | None = None) -> ImportReport:
        """Import the people as they are now."""
        return await self.component.control.import_employees(
            self.csv(), dry_run=False, allow_removals=allow_removals, progress=lambda _: None
        )

    def csv(self) -> str:
        """The directory file."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["id", "account", "name", "extension", "groups", "mode", "language", "timezone"])
        for name, one in self.people.items():
            row = [one.name, one.extension, one.groups, one.mode, one.language, one.timezone]
            writer.writerow([self.id(name), self.account(name), *row])
        return out.getvalue()

    async def client(
        self, name: str, resource: str = "pc", *, connect: bool = True, reconnect: bool = False
    ) -> PanelClient:
        """An ordinary chat client of an employee (or of any other account), online.

        With `reconnect` it returns by itself and, launched, asks soon again for a component that was not there.
        """
        client = PanelClient(
            self.account(name),
            PASSWORD,
            component=self.server.component_domain,
            host="127.0.0.1",
            port=self.server.ports.c2s,
            resource=resource,
            plaintext=True,
            lang="ru",
            reconnect=reconnect,
            retry=1.0,
        )
        self.clients.append(client)
        if connect:
            await client.connect()
        return client

    async def panel(
        self,
        name: str,
        mode: Literal["softphone", "deskphone"] = "softphone",
        phone: Literal["online", "offline"] | None = "online",
        resource: str = "panel",
    ) -> PanelClient:
        """A panel of an employee, launched."""
        panel = await self.client(name, resource)
        await panel.launch(mode, phone)
        return panel

    async def close(self) -> None:
        """Close all clients and stop the component."""
        closing = [client.close for client in self.clients] + self.closing
        await asyncio.gather(*(close() for close in closing), return_exceptions=True)
        await self.component.stop()


async def sees(client: PanelClient, contact: str, *, within: float = 5.0, **expected: object) -> Seen:
    """Wait until a client is told a presence of a contact in which all attributes are as expected.

    `type` is "available" unless given; `status` is the first status that clients show.
    """
    wanted = {"type": "available", **expected}

    def fits(seen: Seen) -> bool:
        return seen.jid.partition("/")[0] == contact and all(
            getattr(seen, name) == value for name, value in wanted.items()
        )

    return await client.next_presence(fits, within)


def _settings(server: Server, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {
        "xmpp": {"domain": server.component_domain, "secret": server.secret, "port": server.ports.component},
        "rosters": dict(server.rosters),
    }
    for section, values in settings.items():
        merged[section] = {**merged.get(section, {}), **values}
    return merged
