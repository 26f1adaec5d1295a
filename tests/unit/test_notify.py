"""What systemd is told, over a real datagram socket (sd_notify(3))."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from component.notify import Notifier

PID = 42


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The address for NOTIFY_SOCKET, and the socket that listens there."""
    name = f"@panel-presence-{tmp_path}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0", 1))
        listener.settimeout(5)
        yield name, listener


@asynccontextmanager
async def alive(notifier: Notifier) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(notifier.keep_alive())
    try:
        yield task
    finally:
        task.cancel()


async def told(listener: socket.socket) -> str:
    return (await asyncio.to_thread(listener.recv, 4096)).decode()


async def test_variables_are_one_datagram(systemd: tuple[str, socket.socket]) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": systemd[0]}, PID)
    notifier.tell(READY="1", STATUS="two\nlines\0")
    assert await told(systemd[1]) == "READY=1\nSTATUS=two lines\0"
    notifier.stopping("ending", timedelta(seconds=40))
    assert await told(systemd[1]) == "STOPPING=1\nSTATUS=ending\nEXTEND_TIMEOUT_USEC=40000000"


async def test_without_systemd_nothing_happens(tmp_path: Path) -> None:
    notifier = Notifier({}, PID)
    notifier.tell(READY="1")
    await notifier.keep_alive()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}, PID).tell(READY="1")


def test_a_systemd_that_does_not_read_stops_nothing(systemd: tuple[str, socket.socket]) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": systemd[0]}, PID)
    for _ in range(2000):  # far more than the kernel keeps for a reader
        notifier.tell(WATCHDOG="1")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 0),
        ({"WATCHDOG_USEC": "60000000"}, 60),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "42"}, 60),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "43"}, 0),
        ({"WATCHDOG_USEC": "soon"}, 0),
    ],
)
def test_the_watchdog_is_ours_or_not(environ: dict[str, str], seconds: float) -> None:
    assert Notifier(environ, PID).watchdog == seconds


async def test_the_watchdog_is_fed_while_what_must_go_on_goes_on(systemd: tuple[str, socket.socket]) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": systemd[0], "WATCHDOG_USEC": "300000"}, PID)
    async with alive(notifier):
        assert [await told(systemd[1]) for _ in range(5)] == ["STATUS=starting", *["WATCHDOG=1"] * 4]
        notifier.rounds, notifier.status = lambda: 7, lambda: "stuck"
        while (message := await told(systemd[1])) != "STATUS=stuck":
            assert message == "WATCHDOG=1"
        assert [await told(systemd[1]) for _ in range(2)] == ["WATCHDOG=1"] * 2
        systemd[1].settimeout(1)
        with pytest.raises(TimeoutError):
            for _ in range(5):
                await told(systemd[1])


async def test_without_a_watchdog_only_the_status_is_told(systemd: tuple[str, socket.socket]) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": systemd[0]}, PID)
    async with alive(notifier):
        assert await told(systemd[1]) == "STATUS=starting"
        systemd[1].settimeout(0.1)
        with pytest.raises(TimeoutError):
            await told(systemd[1])
