"""`scripts/run`: the demo with a live table, or with --check the day as a test."""

import argparse
import asyncio
import logging
import signal
import sys
import time
from contextlib import nullcontext

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from component.panel_client import Event, Seen
from scripts.demo.board import Board, plain
from scripts.demo.company import WATCHER, AlreadyRunning, Demo, never, take_folder
from scripts.demo.day import STEPS, Day
from tests.servers.component import ComponentError
from tests.servers.process import ServerError

BREATH = 1.1
"""Seconds between two steps of the check: a contact's changes are told at most once a second."""
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, `kill`, and a terminal that is closed."""


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/run", description="Panel Presence at work; see scripts/run --help")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--port", type=_port)
    parser.add_argument("--pace", type=float, default=4.0)
    return parser.parse_args()


async def check(demo: Demo, console: Console) -> int:
    """Play the day fast; return the exit code."""
    begin = time.monotonic()
    plain(console, f"ejabberd and the component run; {WATCHER} watches")
    told: list[Seen] = []

    def note(event: Event) -> None:
        if isinstance(event, Seen):
            told.append(event)

    day = Day(demo, await demo.client(WATCHER, "watcher", note), told)
    for number, (title, act) in enumerate(STEPS, 1):
        await asyncio.sleep(BREATH)
        started = time.monotonic()
        try:
            await act(day)
        except Exception as problem:  # whatever a step raises is its failure and must be shown as such
            plain(console, f"FAILED           {title}\n{type(problem).__name__}: {problem}\n{demo.component.tail()}")
            plain(console, f"step {number} of {len(STEPS)} failed")
            return 1
        plain(console, f"ok  {(time.monotonic() - started) * 1000:7.0f} ms  {title}")
    plain(console, f"{len(STEPS)} steps ok in {time.monotonic() - begin:.1f} s")
    return 0


async def show(demo: Demo, console: Console, pace: float) -> int:
    """Play the day for people, then leave it to them."""
    board = Board(demo)
    live = Live(board, console=console, refresh_per_second=4) if console.is_terminal else nullcontext()
    day = Day(demo, await demo.client(WATCHER, "watcher", board.note), board.told)
    board.watch(day.watcher)
    if not console.is_terminal:
        console.print(board.logins())
    with live:
        for title, act in STEPS:
            board.steps.append(title)
            if not console.is_terminal:
                plain(console, title)
            try:
                await act(day)
            except Exception as problem:  # whoever takes part may be in the way of a step: the day goes on
                missed = f"       not as expected: {str(problem).partition(chr(10))[0]}"
                board.steps.append(escape(missed))
                if not console.is_terminal:
                    plain(console, missed)
            await asyncio.sleep(pace)
        board.steps.append("       the day is over; everything keeps running for you")
        await never()
    return 0


async def main() -> int:
    """Start everything, play, and leave nothing behind."""
    given, console = arguments(), Console()
    logging.getLogger("slixmpp").setLevel(logging.CRITICAL)
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    for number in ENDINGS:
        loop.add_signal_handler(number, task.cancel)
    demo = Demo(given.port)
    try:
        take_folder()
    except AlreadyRunning as problem:
        plain(console, str(problem))
        return 1
    try:
        plain(console, "starting ejabberd and the component …")
        await demo.open()
        return await (check(demo, console) if given.check else show(demo, console, given.pace))
    except asyncio.CancelledError:
        return 1 if given.check else 0
    except (ComponentError, ServerError) as problem:
        plain(console, str(problem))
        return 1
    finally:
        for number in ENDINGS:
            loop.add_signal_handler(number, lambda: None)
        try:
            plain(console, "stopping …")
        finally:  # a terminal or a pipe that is gone refuses the line
            await demo.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
