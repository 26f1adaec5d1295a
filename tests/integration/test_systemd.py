"""The component as systemd's service, as far as that can be shown without systemd; and a stop that has a bound."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.conftest import OpenOffice
from tests.integration.office import PEOPLE, Office
from tests.servers.component import Component
from tests.servers.process import free_numbers
from tests.servers.server import Server

UNIT = Path(__file__).resolve().parents[2] / "scripts/panel-presence.service"


class Systemd:
    """The socket that a service tells what it does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    async def next(self, fits: Callable[[str], bool], within: float = 10.0) -> str:
        """Wait for a message that fits; those before it are passed by."""
        async with asyncio.timeout(within):
            while True:
                message = (await asyncio.get_running_loop().sock_recv(self._socket, 4096)).decode()
                if fits(message):
                    return message

    def forget(self) -> None:
        """Drop what has come."""
        while True:
            try:
                self._socket.recv(4096)
            except BlockingIOError:
                return

    def watch(self, component: Component, seconds: float) -> None:
        """Start the component as its service."""
        component.environment = {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": str(int(seconds * 1e6))}

    def close(self) -> None:
        self._socket.close()


def is_fed(message: str) -> bool:
    return message == "WATCHDOG=1"


@pytest.fixture
async def systemd(tmp_path: Path) -> AsyncIterator[Systemd]:
    listening = Systemd(tmp_path / "notify")
    yield listening
    listening.close()


async def test_a_service_whose_server_is_not_there_yet(tmp_path: Path, systemd: Systemd) -> None:
    (port,) = free_numbers(1)
    xmpp = {"domain": "panel.example.test", "secret": "x", "port": port}
    component = Component(tmp_path / "component", {"xmpp": xmpp, "rosters": {"method": "handshake"}})
    systemd.watch(component, 3.0)
    try:
        await component.start(until="cannot connect")
        await systemd.next(lambda message: message == "READY=1")
        await systemd.next(lambda message: message.startswith("STATUS=not connected: cannot connect"))
        for _ in range(3):
            await systemd.next(is_fed)
        os.kill(component.pid, signal.SIGSTOP)
        await asyncio.to_thread(os.waitid, os.P_PID, component.pid, os.WSTOPPED | os.WNOWAIT)
        systemd.forget()
        with pytest.raises(TimeoutError):
            await systemd.next(is_fed, within=3.0)
        os.kill(component.pid, signal.SIGCONT)
        await systemd.next(is_fed)
        ending = asyncio.create_task(component.stop(signal.SIGTERM))
        message = await systemd.next(lambda message: message.startswith("STOPPING=1"))
        assert "EXTEND_TIMEOUT_USEC=40000000" in message.splitlines()
        assert await ending == 0
    finally:
        await component.stop()


async def test_systemctl_status_says_what_is(open_office: OpenOffice, systemd: Systemd) -> None:
    office = await open_office(start=False)
    systemd.watch(office.component, 60.0)
    await office.open(ready=False)
    await systemd.next(lambda message: message == f"STATUS=connected as {office.server.component_domain}; 3 employees")
    ending = asyncio.create_task(office.component.stop(signal.SIGHUP))
    message = await systemd.next(lambda message: message.startswith("STOPPING=1"))
    assert "STATUS=ending: what colleagues see is kept" in message.splitlines()
    assert await ending == 0


async def test_a_server_that_does_not_read_cannot_hold_a_stop_up(tmp_path: Path, kind: type[Server]) -> None:
    server = kind(tmp_path / "server")
    await server.start()
    office = Office(server, tmp_path / "office", PEOPLE, {"stop": {"timeout": "2s"}})
    try:
        await office.open()
        begin = len(office.component.lines)
        os.kill(server.pid, signal.SIGSTOP)
        assert await office.component.stop(signal.SIGTERM, within=10.0) == 0
        await office.component.wait_log("the withdrawals of 3 contacts are owed", begin=begin, within=1)
    finally:
        os.kill(server.pid, signal.SIGCONT)
        await office.close()
        await server.stop()


async def test_the_unit_is_right(tmp_path: Path) -> None:
    """systemd's own check; the command is not installed here."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/panel-presence/bin/panel-presence", sys.executable))
    checks = (("verify", str(unit)), ("security", "--offline=true", "--threshold=20", str(unit)))
    for arguments in checks:
        process = await asyncio.create_subprocess_exec(
            "systemd-analyze", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        if arguments[0] == "verify":
            assert output == b""
