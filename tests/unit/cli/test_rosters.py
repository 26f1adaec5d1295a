"""`panel-presence rosters sync`."""

import asyncio
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.unit.cli.conftest import Invoke
from tests.unit.fake_operations import FOUND, FakeOperations


async def test_drifted_rosters_are_named_and_then_put_right(
    invoke: Invoke, operations: FakeOperations, socket: Path
) -> None:
    result = await invoke("rosters", "sync", "--yes", "--socket", socket)
    assert (result.exit_code, operations.syncs) == (0, [({"petrov": 2, "sidorov": 1}, None, True)])
    assert result.stderr.splitlines() == [
        "rosters read: 3 of 3",
        "3 rosters read, 2 have drifted: 3 items to change",
        "       2  missing",
        "       1  surplus",
        "  · petrov: ivanov@panel.example.test is missing",
        "  · petrov: gone@panel.example.test is surplus",
        "  · … and 1 more",
        "the repair will take about 0.0 s of the server's time, 1 min 40 s in all",
        "4 contacts were deleted by hand and stay so (rosters sync --restore ID brings an employee's back)",
        "  ! ejabberd has no account ghost@example.test",
        "changes made: 0 of 3",
    ]
    assert result.stdout.splitlines() == [
        "put right: 3 items in 2 rosters over ejabberd-api, 0.0 s of the server's time, 1 min 40 s in all",
        "       2  missing",
        "       1  surplus",
        "  ! ejabberd has no account ghost@example.test",
    ]


async def test_a_dry_run_of_a_sync_changes_nothing(invoke: Invoke, operations: FakeOperations, socket: Path) -> None:
    result = await invoke("rosters", "sync", "--dry-run", "--socket", socket)
    assert (result.exit_code, operations.syncs) == (0, [])
    assert result.stdout.startswith("3 rosters read, 2 have drifted: 3 items to change\n")
    found = json.loads((await invoke("rosters", "sync", "--dry-run", "--json", "--socket", socket)).stdout)
    assert (found["dry_run"], found["drifted"]) == (True, {"petrov": 2, "sidorov": 1})
    assert operations.syncs == []


async def test_a_sync_as_json(invoke: Invoke, operations: FakeOperations, socket: Path) -> None:
    made = json.loads((await invoke("rosters", "sync", "--restore", "petrov", "--json", "--socket", socket)).stdout)
    assert (made["dry_run"], made["kinds"]["missing"]) == (False, 2)
    assert operations.syncs == [({"petrov": 2, "sidorov": 1}, "petrov", False)]


async def test_rosters_that_are_right(invoke: Invoke, operations: FakeOperations, socket: Path) -> None:
    many = tuple(f"no account {number}" for number in range(40))
    operations.found = replace(FOUND, drifted={}, kinds={}, examples=(), deleted_by_hand=0, unreadable=many)
    result = await invoke("rosters", "sync", "--socket", socket)
    assert "3 rosters read: all are as they should be\n" in result.stderr
    assert "  ! … and 10 more accounts\n" in result.stderr
    assert result.stdout.startswith("nothing was changed\n")


async def test_a_sync_over_the_handshake(invoke: Invoke, socket: Path) -> None:
    result = await invoke("rosters", "sync", "--restore", "handshake", "--socket", socket)
    assert (result.exit_code, result.stderr) == (1, "error: nothing can be synced\nhint: configure a way\n")


async def test_ctrl_c_ends_the_command_and_not_the_sync(operations: FakeOperations, socket: Path) -> None:
    operations.go_on.clear()
    words = ("-m", "component", "rosters", "sync", "--socket", str(socket))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    await operations.importing.wait()
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        _, said = await process.communicate()
    assert process.returncode == 130
    assert "interrupted; the component goes on" in said.decode()
    operations.go_on.set()
    await operations.imported.wait()
