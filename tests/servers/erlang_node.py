"""One ejabberd: its configuration in a folder, and the command that starts it.

The virtual machine is started directly instead of by `ejabberdctl`: that script changes to the user `ejabberd`,
who cannot enter a private folder such as pytest's or `.run/`, and leaves behind a daemon that is nobody's child.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.servers.process import ServerError, ServerProcess

OTHER = "TEST_EJABBERD"
"""The environment variable that names a folder with another ejabberd's unpacked packages (scripts/newer-ejabberd)."""

# The node ends when its standard input does, so it never outlives the process that started it, even a killed one.
_END_WITH_PARENT = 'spawn(fun() -> io:get_line(""), init:stop() end)'
_INETRC = '{lookup,["file","native"]}.\n{host,{127,0,0,1},["localhost"]}.\n'


def installed_libraries() -> list[Path]:
    """The folders with Debian's Erlang libraries, ejabberd among them; the first ones win.

    Raises ServerError when the package is not installed.
    """
    root = Path(os.environ.get(OTHER, "/"))
    found = sorted(root.glob("usr/lib/*/ejabberd-*/ebin/ejabberd.app"))
    if not found or shutil.which("erl") is None:
        raise ServerError(f"no ejabberd in {root}. Install it as root: apt-get install ejabberd")
    return [found[-1].parents[2], root / "usr/lib/erlang/lib"]


class ErlangNode:
    """An ejabberd with the configuration `folder/ejabberd.yml`; its data, log and cookie live in `folder` too.

    `dist_port` is a free loopback port for the Erlang distribution: with it no epmd is needed, and several nodes may
    have one name.
    """

    def __init__(self, folder: Path, dist_port: int) -> None:
        self.folder = folder
        self._dist_port = dist_port
        self.process = ServerProcess("ejabberd", self._why)

    async def start(self, ports: Sequence[int]) -> None:
        """Start and return when every one of `ports` accepts a connection on loopback. Raises ServerError."""
        libraries = installed_libraries()
        (self.folder / "spool").mkdir(parents=True, exist_ok=True)
        (self.folder / "inetrc").write_text(_INETRC)
        await self.process.start(self._command(), self._environment(libraries), self.folder, ports)

    def log(self) -> str:
        """The text of the server's log, and of its console when there is no log yet."""
        for name in ("ejabberd.log", "console.log"):
            path = self.folder / name
            if path.exists() and path.stat().st_size:
                return path.read_text(encoding="utf-8", errors="replace")
        return ""

    def _environment(self, libraries: list[Path]) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "ERL_LIBS": ":".join(map(str, libraries)),
            "ERL_INETRC": str(self.folder / "inetrc"),
            "ERL_CRASH_DUMP_BYTES": "0",
            "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log"),
        }

    def _command(self) -> list[str]:
        return [
            *("erl", "+K", "true", "+P", "250000", "-noshell"),
            # Mnesia keeps the node's name in its files, so the name must not depend on the port.
            *("-sname", "panel@localhost"),
            *("-erl_epmd_port", str(self._dist_port), "-start_epmd", "false"),
            *("-kernel", "inet_dist_use_interface", "{127,0,0,1}"),
            *("-mnesia", "dir", f'"{self.folder / "spool"}"'),
            *("-eval", _END_WITH_PARENT, "-s", "ejabberd"),
        ]

    def _why(self) -> str:
        last_start = self.log().rpartition("Loading configuration from")[2]
        critical = [line for line in last_start.splitlines() if "[critical]" in line]
        return "\n".join(critical) or last_start[-3000:]
