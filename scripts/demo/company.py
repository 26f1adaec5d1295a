"""The demo's company: six employees in two groups, an ejabberd, the component, panels and a watching colleague."""

import asyncio
import csv
import os
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from component.panel_client import Event, PanelClient, Seen
from tests.servers.component import Component
from tests.servers.ejabberd import Ejabberd, free_ports

PASSWORD = "demo"
WATCHER = "petrova"
PBX = "pbx"
RUN = Path(__file__).resolve().parents[2] / ".run"


@dataclass(frozen=True)
class Person:
    """A row of the directory."""

    name: str
    extension: str
    groups: str
    mode: str


PEOPLE = {
    "ivanov": Person("Иванов Иван", "101", "Продажи", "softphone"),
    "petrova": Person("Петрова Анна", "102", "Продажи;Поддержка", "deskphone"),
    "sidorov": Person("Сидоров Пётр", "103", "Продажи", "deskphone"),
    "kuznetsova": Person("Кузнецова Мария", "201", "Поддержка", "softphone"),
    "orlov": Person("Орлов Дмитрий", "202", "Поддержка", "deskphone"),
    "smirnova": Person("Смирнова Ольга", "203", "Поддержка", "softphone"),
}


class AlreadyRunning(Exception):
    """Another demo uses the folder."""


class Demo:
    """Everything that runs; `open` starts it, `close` leaves nothing behind."""

    def __init__(self, port: int | None) -> None:
        self.server = Ejabberd(RUN / "ejabberd", replace(free_ports(), c2s=_client_port(port)))
        self.component = Component(RUN / "component", self._settings())
        self.clients: list[PanelClient] = []

    def _settings(self) -> dict[str, dict[str, object]]:
        server = self.server
        return {
            "xmpp": {"domain": server.component_domain, "secret": server.secret, "port": server.ports.component},
            "company": {"visibility": "groups"},
            "status": {"presets": {"На обеде": "busy", "На совещании": "dnd", "Работаю из дома": "online"}},
            "rosters": {"ejabberd_api": {"url": server.api_url, "user": server.bot, "password": server.bot_password}},
            "pbx": {"jids": [f"{PBX}@{server.domain}"]},
        }

    async def open(self) -> None:
        """Start the server and the component, make the accounts and import the directory."""
        await self.server.start()
        await self.server.register(dict.fromkeys([*PEOPLE, PBX], PASSWORD))
        await self.component.start()
        path = self.component.folder / "employees.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "account", "name", "extension", "groups", "mode"])
            for one, person in PEOPLE.items():
                writer.writerow([one, self.account(one), person.name, person.extension, person.groups, person.mode])
        await self.component.cli("employees", "import", str(path))
        await self.component.wait_log("rosters: all are as they should be")

    async def close(self) -> None:
        """Stop everything and remove the folder."""
        for client in self.clients:
            with suppress(Exception):  # whatever state a client is in, the others and the servers must still be ended
                await client.close()
        try:
            await self.component.stop()
        finally:
            await self.server.stop()
            shutil.rmtree(RUN, ignore_errors=True)

    def account(self, one: str) -> str:
        """An employee's account."""
        return f"{one}@{self.server.domain}"

    def contact(self, one: str) -> str:
        """An employee's contact."""
        return f"{one}@{self.server.component_domain}"

    async def client(
        self, one: str, resource: str = "client", on_event: Callable[[Event], None] | None = None
    ) -> PanelClient:
        """An ordinary client of an account, online."""
        client = PanelClient(
            self.account(one),
            PASSWORD,
            component=self.server.component_domain,
            host="127.0.0.1",
            port=self.server.ports.c2s,
            resource=resource,
            plaintext=True,
            lang="ru",
            on_event=on_event,
        )
        self.clients.append(client)
        await client.connect()
        return client

    async def panel(self, one: str) -> PanelClient:
        """An employee's panel, launched in his mode."""
        panel = await self.client(one, "panel")
        await panel.launch("softphone" if PEOPLE[one].mode == "softphone" else "deskphone")
        return panel

    async def sees(self, watcher: PanelClient, one: str, **expected: object) -> Seen:
        """Wait until the watcher is told such a presence of an employee; raises TimeoutError with what came instead."""
        wanted = {"type": "available", **expected}
        contact = self.contact(one)

        def fits(seen: Seen) -> bool:
            told = {name: getattr(seen, name) for name in wanted}
            return seen.jid.partition("/")[0] == contact and told == wanted

        return await watcher.next_presence(fits, 8.0)


def _client_port(port: int | None) -> int:
    for candidate in (port, 5222):
        if candidate is not None:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with suppress(OSError):
                    probe.bind(("127.0.0.1", candidate))
                    return candidate
            if candidate == port:
                raise SystemExit(f"port {port} is taken: give another one with --port, or leave it out")
    return free_ports().c2s


def take_folder() -> None:
    """Make the demo's folder anew; raises AlreadyRunning while another demo uses it."""
    owner = RUN / "pid"
    with suppress(OSError, ValueError):
        pid = int(owner.read_text())
        os.kill(pid, 0)
        raise AlreadyRunning(f"another demo runs already (process {pid}); stop it first")
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir()
    owner.write_text(str(os.getpid()))


async def never() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()
