"""The control socket: a real Unix socket, with operations that have no component behind them."""

import asyncio
import json
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from component.control.client import ControlClient
from component.control.codec import ControlError
from component.control.server import ControlServer, make_way, open_socket
from component.services.operations import OperationError, Progress
from tests.unit.fake_operations import BLOCK, BUSY, FOUND, IVANOV, REPORT, WHY, FakeOperations


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "control.sock"


@pytest.fixture
def operations() -> FakeOperations:
    return FakeOperations()


@pytest.fixture
async def server(operations: FakeOperations, path: Path) -> AsyncIterator[ControlServer]:
    server = ControlServer(operations, path)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(server: ControlServer, path: Path) -> ControlClient:
    return ControlClient(path)


async def post(path: Path, command: str, body: bytes) -> tuple[int, dict[str, dict[str, object]]]:
    """Send raw bytes and return the HTTP status and the only line of the answer."""
    connector = aiohttp.UnixConnector(path=str(path))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post(f"http://component/{command}", data=body) as response,
    ):
        (line,) = (await response.text()).splitlines()
        return response.status, json.loads(line)


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def exists(path: Path) -> bool:
    """Whether there is a file."""
    return path.exists()


def move_away(path: Path) -> None:
    """Give a file another name."""
    path.rename(path.with_suffix(".old"))


async def test_answers(client: ControlClient, operations: FakeOperations) -> None:
    assert await client.employees() == [IVANOV]
    assert await client.statuses() == [BUSY]
    assert await client.status("ivanov") == BUSY
    assert [line.ok for line in await client.health()] == [True, False, None]
    until = datetime(2026, 11, 24, 15, tzinfo=UTC)
    assert await client.set_status("ivanov", "dnd", text="На обеде", until=until) == replace(
        BUSY, status="dnd", chosen="dnd", text="На обеде", until=until
    )
    assert operations.choices == [("ivanov", "dnd", "На обеде", until)]


async def test_blocks(client: ControlClient, operations: FakeOperations) -> None:
    assert await client.block("ivanov", "petrov") == BLOCK
    assert await client.unblock("ivanov", "petrov") == BLOCK
    assert await client.blocks() == [BLOCK]
    assert operations.blocked == [("block", "ivanov", "petrov"), ("unblock", "ivanov", "petrov")]


async def test_an_import_with_progress(client: ControlClient, operations: FakeOperations) -> None:
    steps: list[Progress] = []
    report = await client.import_employees("id\n", dry_run=True, allow_removals=3, progress=steps.append)
    assert report == replace(REPORT, dry_run=True)
    assert steps == [Progress(0, 2, "reading"), Progress(2, 2, "reading")]
    assert operations.imports == [("id\n", True, 3)]


async def test_rosters_are_surveyed_and_synced(client: ControlClient, operations: FakeOperations) -> None:
    steps: list[Progress] = []
    assert await client.survey_rosters(restore=None, progress=steps.append) == FOUND
    made = await client.sync_rosters({"petrov": 2}, restore="petrov", yes=True, progress=steps.append)
    assert made == replace(FOUND, dry_run=False)
    assert operations.syncs == [({"petrov": 2}, "petrov", True)]
    assert steps == [Progress(3, 3, "rosters read"), Progress(0, 3, "changes made")]


async def test_why(client: ControlClient) -> None:
    assert await client.why("ivanov", "petrov") == WHY
    assert await client.why("ivanov", None) == replace(WHY, viewer=None)


async def test_progress_arrives_while_the_import_runs(client: ControlClient, operations: FakeOperations) -> None:
    operations.go_on.clear()
    first = asyncio.Event()
    importing = asyncio.create_task(
        client.import_employees("id", dry_run=False, allow_removals=None, progress=lambda _: first.set())
    )
    await first.wait()
    assert not operations.imported.is_set()
    operations.go_on.set()
    assert await importing == REPORT


async def test_a_directory_larger_than_any_buffer(client: ControlClient, operations: FakeOperations) -> None:
    operations.rows = [replace(IVANOV, id=f"employee{number}") for number in range(10_000)]
    assert await client.employees() == operations.rows
    text = "x" * 3_000_000
    await client.import_employees(text, dry_run=False, allow_removals=None, progress=lambda _: None)
    assert operations.imports == [(text, False, None)]


async def test_a_refusal_keeps_everything_that_was_said(client: ControlClient) -> None:
    with pytest.raises(OperationError) as caught:
        await client.import_employees("bad", dry_run=False, allow_removals=None, progress=lambda _: None)
    error = caught.value
    assert (error.code, error.text, error.hint) == ("bad-rows", "the file was not applied", "correct the rows")
    assert error.details == ("line 2: no account", "line 5: the id is empty")


async def test_a_defect_is_logged_and_answered(client: ControlClient, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(OperationError, match="the component failed: ZeroDivisionError") as caught:
        await client.status("defect")
    assert caught.value.code == "internal"
    assert "a defect" in caplog.text
    assert await client.statuses() == [BUSY]


@pytest.mark.parametrize(
    ("command", "body", "said"),
    [
        ("status", b"{", "Invalid JSON"),
        ("status", b"[]", "object"),
        ("status", b"", "employee: Field required"),
        ("status", b'{"employee": 5}', "employee: Input should be a valid string"),
        ("employees", b'{"all": true}', "all: Extra inputs are not permitted"),
        ("set-status", b'{"employee":"a","value":"b","until":"2026-11-24T18:00"}', "until"),
        ("restart", b"{}", "commands: import-employees, employees"),
    ],
)
async def test_bad_requests(server: ControlServer, path: Path, command: str, body: bytes, said: str) -> None:
    status, answer = await post(path, command, body)
    assert (status, answer["error"]["code"]) in {(400, "bad-request"), (404, "unknown-command")}
    assert said in json.dumps(answer)


async def test_a_request_that_is_too_large(operations: FakeOperations, path: Path) -> None:
    server = ControlServer(operations, path, max_request=100)
    await server.start()
    status, answer = await post(path, "import-employees", b" " * 101)
    assert (status, answer["error"]["code"]) == (413, "too-large")
    assert answer["error"]["text"] == "a request is at most 100 bytes"
    await server.stop()


async def test_a_client_that_goes_away_does_not_stop_an_import(
    client: ControlClient, operations: FakeOperations
) -> None:
    operations.go_on.clear()
    importing = asyncio.create_task(
        client.import_employees("id", dry_run=False, allow_removals=None, progress=lambda _: None)
    )
    await operations.importing.wait()
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing
    operations.go_on.set()
    await operations.imported.wait()
    assert await client.employees() == [IVANOV]


async def test_stop_lets_an_import_finish(
    server: ControlServer, client: ControlClient, operations: FakeOperations, path: Path
) -> None:
    operations.go_on.clear()
    importing = asyncio.create_task(
        client.import_employees("id", dry_run=False, allow_removals=None, progress=lambda _: None)
    )
    await operations.importing.wait()
    stopping = asyncio.create_task(server.stop())
    operations.go_on.set()
    await stopping
    assert await importing == REPORT


async def test_stop_does_not_wait_for_ever(operations: FakeOperations, path: Path) -> None:
    server = ControlServer(operations, path, stop_timeout=0.01)
    await server.start()
    operations.go_on.clear()
    importing = asyncio.create_task(
        ControlClient(path).import_employees("", dry_run=False, allow_removals=None, progress=lambda _: None)
    )
    await operations.importing.wait()
    await server.stop()
    with pytest.raises(OperationError, match="was stopped meanwhile"):
        await importing


async def test_the_socket_is_private_and_goes_at_the_stop(operations: FakeOperations, path: Path) -> None:
    mask = os.umask(0)
    try:
        server = ControlServer(operations, path)
        await server.start()
        assert mode(path) == 0o600
        assert mode(path.parent) == 0o700
        assert os.umask(0) == 0
    finally:
        os.umask(mask)
    await server.stop()
    await server.stop()
    assert not exists(path)


async def test_a_stale_socket_is_replaced(operations: FakeOperations, path: Path) -> None:
    open_socket(path).close()
    with pytest.raises(ControlError, match="nobody listens on"):
        await ControlClient(path).employees()
    server = ControlServer(operations, path)
    await server.start()
    assert await ControlClient(path).employees() == [IVANOV]
    await server.stop()


async def test_a_live_socket_is_refused(
    server: ControlServer, client: ControlClient, operations: FakeOperations, path: Path
) -> None:
    other = ControlServer(operations, path)
    with pytest.raises(ControlError, match="another component listens on") as caught:
        await other.start()
    assert caught.value.hint == "stop it first, or give this one a control.socket of its own"
    await other.stop()
    assert await client.employees() == [IVANOV]


async def test_a_socket_that_another_has_taken_over_stays(operations: FakeOperations, path: Path) -> None:
    first, second = ControlServer(operations, path), ControlServer(operations, path)
    await first.start()
    move_away(path)
    await second.start()
    await first.stop()
    assert await ControlClient(path).employees() == [IVANOV]
    await second.stop()


async def test_a_path_that_cannot_be_used(operations: FakeOperations, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "control.sock"):
        with pytest.raises(ControlError, match="cannot be opened") as caught:
            await ControlServer(operations, path).start()
        assert "set control.socket" in str(caught.value.hint)
    with pytest.raises(ControlError, match="cannot be opened"):
        make_way(tmp_path / "file" / "control.sock")
    assert (tmp_path / "file").read_text() == ""


async def test_nobody_is_there(path: Path) -> None:
    with pytest.raises(ControlError) as caught:
        await ControlClient(path).employees()
    assert caught.value.text == f"the component does not run (no socket at {path})"
    assert caught.value.hint == "start it with `panel-presence run -c FILE`"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "went away"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"progress": 1}\n', "not understood"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"result": 1}\n', "not understood"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"error": 1}\n', "not understood"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}\n", "went away"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nx y\n", "went away"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"result"', "went away"),
    ],
)
async def test_a_strange_server(tmp_path: Path, answer: bytes, said: str) -> None:
    path = tmp_path / "control.sock"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_unix_server(serve, path):
        with pytest.raises(ControlError, match=said) as caught:
            await ControlClient(path).import_employees("", dry_run=True, allow_removals=None, progress=lambda _: None)
    assert caught.value.hint


async def test_a_component_that_hangs(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises(ControlError, match="did not answer in time"):
            await ControlClient(path, patience=0.01).employees()


async def test_an_absent_client_is_only_noted(
    client: ControlClient, server: ControlServer, operations: FakeOperations, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    operations.go_on.clear()
    importing = asyncio.create_task(
        client.import_employees("id", dry_run=False, allow_removals=None, progress=lambda _: None)
    )
    await operations.importing.wait()
    importing.cancel()
    await asyncio.wait([importing])
    operations.go_on.set()
    await server.stop()
    assert operations.imports == [("id", False, None)]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
