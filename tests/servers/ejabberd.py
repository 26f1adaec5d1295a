"""A private ejabberd on loopback for tests, benchmarks and the demo, from `ejabberd-config/`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import aiohttp

from tests.servers.erlang_node import ErlangNode, installed_libraries
from tests.servers.process import HOST, free_numbers
from tests.servers.server import RosterItem, make_certificate

CONFIG_FOLDER = Path(__file__).resolve().parents[2] / "ejabberd-config"
_BAD_REQUEST, _CONFLICT = 400, 409
_API_TIMEOUT = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True)
class Ports:
    """Loopback TCP ports: clients, component, HTTP API, Erlang distribution."""

    c2s: int
    component: int
    api: int
    dist: int


class ApiError(Exception):
    """The HTTP API refused a command. `status` is the HTTP status, `body` the answer's text."""

    def __init__(self, command: str, status: int, body: str) -> None:
        super().__init__(f"{command}: HTTP {status}: {body}")
        self.status = status
        self.body = body


def free_ports() -> Ports:
    """Four distinct loopback ports that are free at this moment."""
    return Ports(*free_numbers(4))


def with_macros(text: str, values: Mapping[str, object]) -> str:
    """The YAML `text` with the values of these macros replaced in its `define_macro` block.

    Raises ValueError for a macro that the block does not define exactly once.
    """
    for name, value in values.items():
        text, count = re.subn(rf"(?m)^(  {name}:) .*$", rf"\g<1> {value}", text)
        if count != 1:
            raise ValueError(f"macro {name} is defined {count} times")
    return text


class Ejabberd:
    """A running server: `await start()`, then `api_url`, `ports`, `secret` say how to reach it; `await stop()`.

    The folder holds all of it and may be used again: accounts and rosters are still there at the next start.
    """

    name: ClassVar[str] = "ejabberd"
    domain = "example.test"
    component_domain = "panel.example.test"
    tells_presence = False
    bot = "panelbot@example.test"

    def __init__(self, folder: Path, ports: Ports | None = None) -> None:
        self.folder = folder.resolve()
        self.ports = ports or free_ports()
        self.secret = secrets.token_hex(16)
        self.bot_password = secrets.token_hex(16)
        self.api_url = f"http://{HOST}:{self.ports.api}/api"
        self._node = ErlangNode(self.folder, self.ports.dist)
        self._http: aiohttp.ClientSession | None = None

    @property
    def rosters(self) -> Mapping[str, Any]:
        """The component's section [rosters]: the HTTP API."""
        return {"ejabberd_api": {"url": self.api_url, "user": self.bot, "password": self.bot_password}}

    @property
    def pid(self) -> int:
        """The server's process id. Raises ServerError when it does not run."""
        return self._node.process.pid

    async def start(self) -> None:
        """Write the configuration, start, wait until all ports accept, and make the bot account.

        Raises ServerError when ejabberd is not installed or does not start.
        """
        installed_libraries()
        certificate = self.folder / "server.pem"
        self._write_config(certificate)
        if not certificate.exists():
            await make_certificate(self.domain, certificate, certificate)
        try:
            await self._node.start([self.ports.c2s, self.ports.component, self.ports.api])
            user = self.bot.partition("@")[0]
            await self.register({user: self.bot_password})
            # A folder used again has the bot with an earlier password.
            await self.api("change_password", user=user, host=self.domain, newpass=self.bot_password)
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """End in good order and wait until the process is gone. A second stop does nothing."""
        await self._close_http()
        await self._node.process.stop()

    async def kill(self) -> None:
        """SIGKILL, as a crash would; `start` works again afterwards."""
        await self._close_http()
        await self._node.process.kill()

    def log(self) -> str:
        """The text of the server's log."""
        return self._node.log()

    def cpu_seconds(self) -> float:
        """Processor time of the server so far, in seconds."""
        return self._node.process.cpu_seconds()

    def rss_bytes(self) -> int:
        """Resident memory of the server in bytes."""
        return self._node.process.rss_bytes()

    async def api(self, command: str, **arguments: object) -> object:
        """Call an API command from loopback with every right; returns the decoded JSON answer. Raises ApiError."""
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=_API_TIMEOUT)
        async with self._http.post(f"{self.api_url}/{command}", json=arguments) as answer:
            if answer.status != 200:
                raise ApiError(command, answer.status, await answer.text())
            return await answer.json(content_type=None)

    async def register(self, users: Mapping[str, str]) -> None:
        """Make accounts: localpart -> password. One that is there already keeps its password. Raises ApiError."""
        for user, password in users.items():
            try:
                await self.api("register", user=user, host=self.domain, password=password)
            except ApiError as error:
                if error.status != _CONFLICT:
                    raise

    async def roster(self, user: str) -> list[RosterItem]:
        """The roster of the account with this localpart, sorted by JID. Raises ApiError."""
        found: dict[str, RosterItem] = {}
        rows = await self.api("get_roster", user=user, host=self.domain)
        assert isinstance(rows, list)
        for row in rows:  # up to 23.04 an item is listed once for each of its groups, later once with all of them
            jid = row["jid"]
            earlier = found[jid].groups if jid in found else ()
            groups = (*earlier, *(group for group in row.get("groups", [row.get("group")]) if group))
            ask = "subscribe" if row.get("ask", row.get("pending")) in ("subscribe", "out", "both") else "none"
            found[jid] = RosterItem(jid, row["nick"], row["subscription"], ask, tuple(sorted(groups)))
        return [found[jid] for jid in sorted(found)]

    async def set_roster_item(
        self, user: str, jid: str, name: str = "", subscription: str = "both", groups: Iterable[str] = ()
    ) -> None:
        """Put a bare JID or a domain into an account's roster; the server pushes it. Raises ApiError."""
        local, host = _split(jid)
        item = {"localuser": user, "localhost": self.domain, "user": local, "host": host, "nick": name}
        item |= {"subs": subscription}
        try:
            await self.api("add_rosteritem", **item, group=";".join(groups))
        except ApiError as error:
            if error.status != _BAD_REQUEST:
                raise
            await self.api("add_rosteritem", **item, groups=list(groups))  # from 24.02 on

    async def delete_roster_item(self, user: str, jid: str) -> None:
        """Remove an item from an account's roster. Raises ApiError."""
        local, host = _split(jid)
        await self.api("delete_rosteritem", localuser=user, localhost=self.domain, user=local, host=host)

    async def _close_http(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    def _write_config(self, certificate: Path) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        values: dict[str, dict[str, object]] = {
            "ejabberd.yml": {"C2S_PORT": self.ports.c2s, "CERTIFICATE": f'"{certificate}"'},
            "panel-presence.yml": {
                "PANEL_PRESENCE_SECRET": f'"{self.secret}"',
                "PANEL_PRESENCE_PORT": self.ports.component,
                "PANEL_PRESENCE_API_PORT": self.ports.api,
            },
        }
        for name, macros in values.items():
            text = (CONFIG_FOLDER / name).read_text(encoding="utf-8")
            (self.folder / name).write_text(with_macros(text, macros), encoding="utf-8")


def _split(jid: str) -> tuple[str, str]:
    local, at, host = jid.rpartition("@")
    return (local, host) if at else ("", jid)
