"""The component as its own process, as an administrator runs it, for tests, benchmarks and the demo."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from component.control.client import ControlClient


class ComponentError(Exception):
    """The component did not do what was waited for; the text has the end of its log."""


class Component:
    """A component in a folder of its own: configuration, store, control socket, log."""

    def __init__(self, folder: Path, settings: Mapping[str, Mapping[str, object]]) -> None:
        """`settings` is the configuration, section by section; store and socket are put into the folder."""
        self.folder = folder
        self.config = folder / "panel-presence.toml"
        self.socket = folder / "control.sock"
        self.store = folder / "panel-presence.db"
        self.lines: list[str] = []
        self.environment: dict[str, str] = {}
        self.settings: dict[str, Mapping[str, object]] = {
            "store": {"url": f"sqlite+aiosqlite:///{self.store}"},
            "control": {"socket": str(self.socket)},
            **settings,
        }
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()

    @property
    def control(self) -> ControlClient:
        """A client of the control socket."""
        return ControlClient(self.socket)

    @property
    def pid(self) -> int:
        """The process id; raises ComponentError when it does not run."""
        if self._process is None or self._process.returncode is not None:
            raise ComponentError("the component does not run\n" + self.tail())
        return self._process.pid

    async def start(self, *, until: str = r"connected to ", within: float = 20.0) -> None:
        """Write the configuration, start, and wait for a line of the log (by default for the handshake)."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(to_toml(self.settings), encoding="utf-8")
        begin = len(self.lines)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "component", "run", "-c", str(self.config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=_environment() | self.environment,
        )
        self._reader = asyncio.create_task(self._read(self._process))
        await self.wait_log(until, begin=begin, within=within)

    async def wait_log(self, pattern: str, *, begin: int = 0, within: float = 20.0) -> str:
        """Wait for a line of the log that matches, from line `begin` on; returns it."""
        wanted = re.compile(pattern)

        def found() -> str | None:
            return next((line for line in self.lines[begin:] if wanted.search(line)), None)

        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: found() or self._ended)
        except TimeoutError:
            raise ComponentError(f"no line {pattern!r} within {within} s\n{self.tail()}") from None
        line = found()
        if line is None:
            raise ComponentError(f"the component ended without a line {pattern!r}\n{self.tail()}")
        return line

    async def stop(self, number: signal.Signals = signal.SIGTERM, within: float = 20.0) -> int:
        """Send a signal and wait for the end; returns the exit code. A second stop does nothing."""
        process = self._process
        if process is None or self._reader is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        try:
            async with asyncio.timeout(within):
                code = await process.wait()
                await self._reader
        except TimeoutError:
            process.kill()
            await process.wait()
            raise ComponentError(f"it did not end within {within} s of {number.name}\n{self.tail()}") from None
        self._process = self._reader = None
        return code

    async def kill(self) -> None:
        """SIGKILL, as a crash."""
        await self.stop(signal.SIGKILL)

    async def restart(self, number: signal.Signals = signal.SIGHUP) -> None:
        """Stop and start; SIGHUP keeps what colleagues see."""
        await self.stop(number)
        await self.start()

    async def wait_exit(self, within: float = 20.0) -> int:
        """Wait until it ends by itself; returns the exit code."""
        assert self._process and self._reader
        async with asyncio.timeout(within):
            code = await self._process.wait()
            await self._reader
        self._process = self._reader = None
        return code

    async def cli(self, *arguments: str, expect: int | None = 0, config: bool = True) -> str:
        """Run a command of the command line; returns what it printed (both streams).

        Raises ComponentError for another exit code than `expect`.
        """
        given = (*arguments, "-c", str(self.config)) if config else arguments
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "component", *given),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=_environment(),
        )
        output, _ = await process.communicate()
        text = output.decode()
        if expect is not None and process.returncode != expect:
            raise ComponentError(f"{' '.join(arguments)}: exit code {process.returncode}\n{text}\n{self.tail()}")
        return text

    def tail(self, lines: int = 30) -> str:
        """The end of the log."""
        return "\n".join(self.lines[-lines:])

    @property
    def _ended(self) -> bool:
        return self._reader is not None and self._reader.done()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr
        while line := await process.stderr.readline():
            async with self._news:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._news.notify_all()
        asyncio.get_running_loop().call_soon(self._wake)

    def _wake(self) -> None:
        async def wake() -> None:
            async with self._news:
                self._news.notify_all()

        self._waking = asyncio.ensure_future(wake())


def to_toml(settings: Mapping[str, object], prefix: str = "") -> str:
    """Write nested tables of strings, numbers, booleans and lists as TOML (JSON's literals are TOML's)."""
    plain = {key: value for key, value in settings.items() if not isinstance(value, Mapping)}
    tables = {key: value for key, value in settings.items() if isinstance(value, Mapping)}
    lines = [f"[{prefix}]"] if prefix else []
    lines += [f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}" for key, value in plain.items()]
    parts = ["\n".join(lines)] if lines else []
    parts += [to_toml(table, f"{prefix}.{key}" if prefix else key) for key, table in tables.items()]
    return "\n\n".join(parts) + "\n"


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PANEL_PRESENCE_")}
    return kept | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200", "NO_COLOR": "1"}
