"""One server's process: start, wait, stop, kill, and what it costs."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import socket
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

HOST = "127.0.0.1"
START_TIMEOUT = 30.0
STOP_TIMEOUT = 20.0
_POLL = 0.02
_SHARES = 16
_own_ports = range(20_000 + os.getpid() % _SHARES, 32_000, _SHARES)
_ports = itertools.cycle(random.sample(_own_ports, len(_own_ports)))
# For a run with another libexpat, say.
_KEPT = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}


class ServerError(Exception):
    """The server is missing, or did not start; the text says what to do or what it logged."""


class ServerProcess:
    """A server in the foreground, a child of this process."""

    def __init__(self, name: str, why: Callable[[], str]) -> None:
        """`name` is for the texts of errors; `why` gives the end of the log, for a start that failed."""
        self._name = name
        self._why = why
        self._process: Process | None = None

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process id. Raises ServerError when it does not run."""
        if self._process is None or self._process.returncode is not None:
            raise ServerError(f"{self._name} does not run")
        return self._process.pid

    async def start(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, places: Sequence[int | Path]
    ) -> None:
        """Start in a folder, its output in `console.log`, and return when it accepts connections at all `places`.

        A place is a loopback TCP port or the path of a Unix socket, on which nobody may listen yet.
        Its standard input is a pipe that ends with this process. Raises ServerError with the end of the log when it
        ends or takes longer than START_TIMEOUT seconds.
        """
        if self.running:
            raise ServerError(f"{self._name} runs already")
        with (folder / "console.log").open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                env={**_KEPT, **environment},
                cwd=folder,
                stdin=PIPE,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                for place in places:
                    await self._wait_for(place)
        except TimeoutError as error:
            await self.kill()
            raise ServerError(f"{self._name} did not open {place} in time:\n{self._why()}") from error

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

    def cpu_seconds(self) -> float:
        """Processor time so far, user and system, in seconds (proc(5), stat)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self) -> int:
        """Resident memory in bytes (proc(5), statm)."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    async def _wait_for(self, place: int | Path) -> None:
        while self.running:
            try:
                if isinstance(place, int):
                    _, writer = await asyncio.open_connection(HOST, place)
                else:
                    _, writer = await asyncio.open_unix_connection(place)
            except OSError:
                await asyncio.sleep(_POLL)
                continue
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return
        raise ServerError(f"{self._name} ended at its start:\n{self._why()}")


def free_numbers(count: int) -> list[int]:
    """So many loopback ports that are free at this moment, and that nobody else is given.

    They lie below those that Linux gives to outgoing connections: a server that restarts finds them still free. Other
    processes (pytest-xdist's workers) have others.
    """
    found: list[int] = []
    while len(found) < count:
        port = next(_ports)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            found.append(port)
    return found


async def run_tool(*command: str | Path) -> str:
    """Run a short program, such as openssl; returns what it printed.

    Raises ServerError with its output when it fails or is missing.
    """
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)
    except FileNotFoundError as error:
        raise ServerError(f"{command[0]} is not installed: apt-get install {command[0]}") from error
    output, _ = await process.communicate()
    text = output.decode(errors="replace")
    if process.returncode:
        raise ServerError(f"{command[0]} failed:\n{text}")
    return text
