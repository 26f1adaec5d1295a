"""A private Prosody on loopback for tests, from `prosody-config/`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.servers.process import free_numbers
from tests.servers.prosody_node import ProsodyNode
from tests.servers.prosody_shell import call, quoted
from tests.servers.server import RosterItem, make_certificate

CONFIG_FOLDER = Path(__file__).resolve().parents[2] / "prosody-config"


@dataclass(frozen=True)
class Ports:
    """Loopback TCP ports: clients, component."""

    c2s: int
    component: int


def with_locals(text: str, values: Mapping[str, object]) -> str:
    """The Lua `text` with the values of these local variables replaced, what stands behind them on the line gone.

    Raises ValueError for a variable that is not defined exactly once.
    """
    for name, value in values.items():
        line = f"local {name} = {quoted(value) if isinstance(value, str) else value}"
        parts = re.split(rf"(?m)^local {name} = .*$", text)
        if len(parts) != 2:
            raise ValueError(f"local {name} is defined {len(parts) - 1} times")
        text = line.join(parts)
    return text


class Prosody:
    """A running server: `await start()`, then `ports` and `secret` say how to reach it; `await stop()`.

    The folder holds all of it and may be used again: accounts and rosters are still there at the next start.
    """

    name: ClassVar[str] = "prosody"
    domain = "example.test"
    component_domain = "panel.example.test"
    tells_presence = True
    # It needs no bot and no API: the component has a privilege (XEP-0356), and finds it.
    rosters: Mapping[str, Any] = {}

    def __init__(self, folder: Path, ports: Ports | None = None) -> None:
        self.folder = folder.resolve()
        self.ports = ports or Ports(*free_numbers(2))
        self.secret = secrets.token_hex(16)
        self._node = ProsodyNode(self.folder)

    @property
    def pid(self) -> int:
        """The server's process id. Raises ServerError when it does not run."""
        return self._node.process.pid

    async def start(self) -> None:
        """Write the configuration, start, and wait until its ports and its shell accept.

        Raises ServerError when Prosody or its mod_privilege is not installed, or does not start.
        """
        self._write_config()
        certificate = self.folder / "certs" / f"{self.domain}.crt"
        if not certificate.exists():
            await make_certificate(self.domain, certificate, certificate.with_suffix(".key"))
        try:
            await self._node.start([self.ports.c2s, self.ports.component])
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """End in good order and wait until the process is gone. A second stop does nothing."""
        await self._node.process.stop()

    async def kill(self) -> None:
        """SIGKILL, as a crash would; `start` works again afterwards."""
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

    async def register(self, users: Mapping[str, str]) -> None:
        """Make accounts: localpart -> password. One that is there already keeps its password. Raises ServerError."""
        await self._call("register", accounts=dict(users))

    async def roster(self, user: str) -> list[RosterItem]:
        """The roster of the account with this localpart, sorted by JID. Raises ServerError."""
        items = await self._call("roster", user=user)
        return [
            RosterItem(
                jid,
                one.get("name", ""),
                one["subscription"],
                one.get("ask", "none"),
                tuple(sorted(filter(None, one["groups"].split("\n")))),
            )
            for jid, one in sorted(dict(items).items())
        ]

    async def set_roster_item(
        self, user: str, jid: str, name: str = "", subscription: str = "both", groups: Iterable[str] = ()
    ) -> None:
        """Put a bare JID or a domain into an account's roster; the server pushes it. Raises ServerError."""
        item = {"subscription": subscription, "groups": "\n".join(groups)} | ({"name": name} if name else {})
        await self._call("put", user=user, jid=jid, item=item)

    async def delete_roster_item(self, user: str, jid: str) -> None:
        """Remove an item from an account's roster. Raises ServerError."""
        await self._call("put", user=user, jid=jid)

    async def _call(self, function: str, **arguments: object) -> Any:
        return await call(self._node.shell, function, host=self.domain, **arguments)

    def _write_config(self) -> None:
        for folder in (self.folder, self.folder / "data", self.folder / "certs"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        values: dict[str, dict[str, object]] = {
            "prosody.cfg.lua": {
                "folder": str(self.folder),
                "c2s_port": self.ports.c2s,
                "component_port": self.ports.component,
            },
            "panel-presence.cfg.lua": {"secret": self.secret},
        }
        for name, variables in values.items():
            text = (CONFIG_FOLDER / name).read_text(encoding="utf-8")
            (self.folder / name).write_text(with_locals(text, variables), encoding="utf-8")
