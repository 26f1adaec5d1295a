"""What the tests may use of an XMPP server, whichever it is, and what both kinds are made with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from tests.servers.process import run_tool


class ServerPorts(Protocol):
    """Loopback TCP ports for clients and for the component."""

    @property
    def c2s(self) -> int: ...
    @property
    def component(self) -> int: ...


@dataclass(frozen=True)
class RosterItem:
    """One item of an account's roster, as the server stores it (RFC 6121 section 2.1.2).

    `ask` is "none" or "subscribe"; `groups` are sorted.
    """

    jid: str
    name: str
    subscription: str
    ask: str
    groups: tuple[str, ...]


class Server(Protocol):
    """A private server in a folder of its own, on free loopback ports.

    The folder may be used again: after `stop` or `kill`, `start` brings the same server back on the same ports, with
    its accounts, rosters and messages.
    """

    name: ClassVar[str]
    """Which server it is: "ejabberd" or "prosody"."""
    folder: Path
    secret: str

    def __init__(self, folder: Path) -> None: ...

    @property
    def domain(self) -> str:
        """The domain of the accounts."""

    @property
    def component_domain(self) -> str:
        """The domain of the component."""

    @property
    def ports(self) -> ServerPorts:
        """Where it listens."""

    @property
    def rosters(self) -> Mapping[str, Any]:
        """What the component's section [rosters] needs so that it can fill them on this server."""

    @property
    def tells_presence(self) -> bool:
        """Whether the component is told of each session without a subscription (XEP-0356, managed_entity)."""

    @property
    def pid(self) -> int:
        """The server's process id. Raises ServerError when it does not run."""

    async def start(self) -> None:
        """Start, and return when all ports accept. Raises ServerError when it is not installed or does not start."""

    async def stop(self) -> None:
        """End in good order and wait until the process is gone. A second stop does nothing."""

    async def kill(self) -> None:
        """SIGKILL, as a crash would; `start` works again afterwards."""

    def log(self) -> str:
        """The text of the server's log."""

    def cpu_seconds(self) -> float:
        """Processor time of the server so far, in seconds."""

    def rss_bytes(self) -> int:
        """Resident memory of the server in bytes."""

    async def register(self, users: Mapping[str, str]) -> None:
        """Make accounts: localpart -> password. One that is there already keeps its password."""

    async def roster(self, user: str) -> list[RosterItem]:
        """The roster of the account with this localpart, sorted by JID; empty when there is no such account."""

    async def set_roster_item(
        self, user: str, jid: str, name: str = "", subscription: str = "both", groups: Iterable[str] = ()
    ) -> None:
        """Put a bare JID or a domain into an account's roster; the server pushes it to its clients."""

    async def delete_roster_item(self, user: str, jid: str) -> None:
        """Remove an item from an account's roster; the server pushes it to its clients."""


async def make_certificate(domain: str, certificate: Path, key: Path) -> None:
    """Write a self-signed certificate of a domain and its subdomains. Raises ServerError when openssl cannot."""
    names = f"subjectAltName=DNS:{domain},DNS:*.{domain}"
    await run_tool(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-days", "3650", "-subj", f"/CN={domain}", "-addext", names),
        *("-keyout", key, "-out", certificate),
    )
