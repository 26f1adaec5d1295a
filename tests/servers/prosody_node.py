"""One Prosody: its configuration in a folder, and the command that starts it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.servers.process import ServerError, ServerProcess

_MODULES = Path("/usr/lib/prosody/modules")


def require_prosody() -> None:
    """Raise ServerError when Prosody or its mod_privilege is not installed."""
    if shutil.which("prosody") is None:
        raise ServerError("prosody is not installed. Install it as root: apt-get install prosody")
    if not list(_MODULES.glob("mod_privilege*")):
        raise ServerError("mod_privilege is not installed. Install it as root: apt-get install prosody-modules")


class ProsodyNode:
    """A Prosody with the configuration `folder/prosody.cfg.lua`, its data in `folder/data`, its log in `folder` too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shell = folder / "data" / "prosody.sock"
        self.process = ServerProcess("prosody", self._why)

    async def start(self, ports: Sequence[int]) -> None:
        """Start and return when every one of `ports`, on loopback, and the shell accept a connection.

        Raises ServerError when Prosody or its mod_privilege is not installed, or does not start.
        """
        require_prosody()
        # One that was killed leaves its socket behind.
        self.shell.unlink(missing_ok=True)
        # Prosody reads no standard input; the kernel ends it when the process that started it ends, even a killed one.
        command = ["setpriv", "--pdeathsig", "TERM", "prosody", "-F", "--config", str(self.folder / "prosody.cfg.lua")]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": str(self.folder)}
        await self.process.start(command, environment, self.folder, [*ports, self.shell])

    def log(self) -> str:
        """The text of the server's log, and of its console when there is no log yet."""
        return self._read("prosody.log") or self._read("console.log")

    def _read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def _why(self) -> str:
        last_start = self._read("prosody.log").rpartition("Hello and welcome")[2]
        return (self._read("console.log")[-2000:] + last_start)[-4000:]
