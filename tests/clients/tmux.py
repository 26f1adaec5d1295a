"""A terminal program on a terminal of its own: keys go in, the screen comes out."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

WIDTH, HEIGHT = 240, 50
_POLL = 0.05
_numbers = itertools.count(1)


class TerminalError(Exception):
    """A program is missing, or the screen does not show what was waited for; the text has the screen."""


class Terminal:
    """What `terminal` gives: `send`, `key`, `screen` and `wait`."""

    def __init__(self, name: str) -> None:
        """`name` is that of a tmux server of this terminal's own."""
        self._name = name

    async def send(self, line: str) -> None:
        """Type a line of text and Enter."""
        await self._tmux("send-keys", "-l", "--", line)
        await self._tmux("send-keys", "Enter")

    async def key(self, *names: str) -> None:
        """Press keys by tmux's names, such as `F2` or `M-1`."""
        await self._tmux("send-keys", *names)

    async def screen(self) -> str:
        """What the terminal shows now."""
        return await self._tmux("capture-pane", "-p")

    async def wait(self, pattern: str, within: float = 10.0) -> re.Match[str]:
        """Wait until the screen has text that matches; `^` and `$` match at its lines.

        Raises TerminalError with the screen after `within` seconds.
        """
        wanted = re.compile(pattern, re.MULTILINE)
        screen = ""
        try:
            async with asyncio.timeout(within):
                # A terminal tells nobody that it has changed: looking again is the only way.
                while not (found := wanted.search(screen := await self.screen())):  # noqa: ASYNC110 - no event to wait for
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            raise TerminalError(f"no {pattern!r} on the screen within {within} s:\n{screen}") from None
        return found

    async def _tmux(self, *arguments: str) -> str:
        code, text = await _run("tmux", "-u", "-L", self._name, "-f", os.devnull, *arguments)
        if code:
            raise TerminalError(f"tmux {arguments[0]}: {text}")
        return text


@asynccontextmanager
async def terminal(*command: str, environment: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """Run a program with nothing but these variables on a new terminal, and end it with the terminal.

    Raises TerminalError when the program (or tmux) is not installed; the package has the program's name.
    """
    for program in ("tmux", command[0]):
        require(program)
    name = f"panel-presence-{os.getpid()}-{next(_numbers)}"
    variables = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **environment}
    # A program that ends leaves its last words on the screen.
    start = ("start-server", ";", "set-option", "-g", "remain-on-exit", "on", ";")
    size = ("-x", str(WIDTH), "-y", str(HEIGHT))
    given = ("env", "-i", "TERM=screen", *(f"{key}={value}" for key, value in variables.items()), *command)
    code, text = await _run("tmux", "-u", "-L", name, "-f", os.devnull, *start, "new-session", "-d", *size, *given)
    try:
        if code:
            raise TerminalError(f"tmux does not start {command[0]}: {text}")
        yield Terminal(name)
    finally:
        await _run("tmux", "-L", name, "kill-server")


def require(program: str) -> None:
    """Raise TerminalError when a program is not installed; Debian's package must have the program's name."""
    if shutil.which(program) is None:
        raise TerminalError(f"{program} is not installed. Install it as root: apt-get install {program}")


async def _run(*command: str) -> tuple[int, str]:
    """Run a short program; returns its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "LANG": "C.UTF-8", "TMUX": ""},
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")
