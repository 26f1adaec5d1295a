"""One ejabberd process: start, wait, stop, kill, and what it costs.

The virtual machine is started directly instead of by `ejabberdctl`: that script changes to the user `ejabberd`,
who cannot enter a private folder such as pytest's or `.run/`, and leaves behind a daemon that is nobody's child.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Sequence
from pathlib import Path

HOST = "127.0.0.1"
START_TIMEOUT = 20.0
STOP_TIMEOUT = 20.0
_POLL = 0.02

# The node ends when its standard input does, so it never outlives the process that started it, even a killed one.
_END_WITH_PARENT = 'spawn(fun() -> io:get_line(""), init:stop() end)'
_INETRC = '{lookup,["file","native"]}.\n{host,{127,0,0,1},["localhost"]}.\n'


class EjabberdError(Exception):
    """The server is missing, or did not start; the text says what to do or what it logged."""


def installed_libraries() -> Path:
    """The folder with Debian's Erlang libraries, ejabberd among them.

    Raises EjabberdError when the package is not installed.
    """
    found = sorted(Path("/usr/lib").glob("*/ejabberd-*/ebin/ejabberd.app"))
    if not found or shutil.which("erl") is None:
        raise EjabberdError("ejabberd is not installed. Install it as root: apt-get install ejabberd")
    return found[-1].parents[2]


class ErlangNode:
    """An ejabberd with the configuration `folder/ejabberd.yml`; its data, log and cookie live in `folder` too.

    `dist_port` is a free loopback port for the Erlang distribution: with it no epmd is needed, and several nodes may
    have one name.
    """

    def __init__(self, folder: Path, dist_port: int) -> None:
        self.folder = folder
        self._dist_port = dist_port
        self._process: Process | None = None

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process id. Raises EjabberdError when it does not run."""
        if self._process is None or self._process.returncode is not None:
            raise EjabberdError("ejabberd does not run")
        return self._process.pid

    async def start(self, ports: Sequence[int]) -> None:
        """Start and return when every one of `ports` accepts a connection on loopback.

        Raises EjabberdError with the end of the log when the node ends or takes longer than START_TIMEOUT seconds.
        """
        if self.running:
            raise EjabberdError("ejabberd runs already")
        environment, console = self._prepare()
        with console.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(),
                env=environment,
                cwd=self.folder,
                stdin=PIPE,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                for port in ports:
                    await self._wait_for(port)
        except TimeoutError as error:
            await self.kill()
            raise EjabberdError(f"ejabberd did not open its ports in time:\n{self._why()}") from error

    async def stop(self) -> None:
        """End in good order, after STOP_TIMEOUT seconds by force, and wait for it. A second stop does nothing."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
            except TimeoutError:
                await self.kill()
        self._process = None

    async def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._process = None

    def log(self) -> str:
        """The text of the server's log, and of its console when there is no log yet."""
        for name in ("ejabberd.log", "console.log"):
            path = self.folder / name
            if path.exists() and path.stat().st_size:
                return path.read_text(encoding="utf-8", errors="replace")
        return ""

    def cpu_seconds(self) -> float:
        """Processor time of the node so far, user and system, in seconds (proc(5), stat)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self) -> int:
        """Resident memory of the node in bytes (proc(5), statm)."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def _prepare(self) -> tuple[dict[str, str], Path]:
        libraries = installed_libraries()
        (self.folder / "spool").mkdir(parents=True, exist_ok=True)
        (self.folder / "inetrc").write_text(_INETRC)
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "ERL_LIBS": str(libraries),
            "ERL_INETRC": str(self.folder / "inetrc"),
            "ERL_CRASH_DUMP_BYTES": "0",
            "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log"),
        }
        return environment, self.folder / "console.log"

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

    async def _wait_for(self, port: int) -> None:
        while self.running:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(_POLL)
                continue
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return
        raise EjabberdError(f"ejabberd ended at its start:\n{self._why()}")


async def run_tool(*command: str | Path) -> None:
    """Run a short program, such as openssl. Raises EjabberdError with its output when it fails or is missing."""
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)
    except FileNotFoundError as error:
        raise EjabberdError(f"{command[0]} is not installed: apt-get install {command[0]}") from error
    output, _ = await process.communicate()
    if process.returncode:
        raise EjabberdError(f"{command[0]} failed:\n{output.decode(errors='replace')}")
