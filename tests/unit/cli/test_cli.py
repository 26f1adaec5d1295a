"""The command line, against a real control socket and with an application that the test hands in."""

import asyncio
import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from component import __version__
from component.config import Config
from component.control.codec import ControlError
from component.services.operations import CheckLine
from tests.unit.cli.conftest import Invoke
from tests.unit.fake_operations import IVANOV, FakeOperations

CSV = "id,account,name\nivanov,ivanov@example.test,Иван\n"


class FakeApp:
    """An application that answers at once."""

    def __init__(self, lines: tuple[CheckLine, ...] = (), failure: Exception | None = None) -> None:
        self.lines = lines
        self.failure = failure
        self.config: Config | None = None

    async def run(self, config: Config) -> int:
        """Return 3, or fail."""
        if self.failure is not None:
            raise self.failure
        self.config = config
        return 3

    async def check(self, config: Config) -> AsyncIterator[CheckLine]:
        """Give the lines."""
        for line in self.lines:
            yield line


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root, component = logging.getLogger(), logging.getLogger("component")
    levels, handlers = (root.level, component.level), list(root.handlers)
    yield
    root.setLevel(levels[0])
    component.setLevel(levels[1])
    root.handlers[:] = handlers


async def test_help_teaches(invoke: Invoke) -> None:
    for arguments in ((), ("employees",), ("status",), ("rosters",)):
        assert (await invoke(*arguments, "--help")).exit_code == 0
    assert "panel-presence check -c panel-presence.toml" in (await invoke("--help")).stdout
    assert "panel-presence why ivanov --for petrov" in (await invoke("why", "--help")).stdout
    assert "panel-presence rosters sync --dry-run" in (await invoke("rosters", "sync", "--help")).stdout
    text = (await invoke("status", "set", "-h")).stdout
    assert 'panel-presence status set ivanov busy --text "На совещании" --until 18:00' in text
    assert "PANEL_PRESENCE_CONFIG" in text


async def test_version(invoke: Invoke) -> None:
    assert (await invoke("--version")).stdout == f"panel-presence {__version__}\n"


async def test_the_directory(invoke: Invoke, socket: Path) -> None:
    result = await invoke("employees", "list", "--socket", socket)
    assert result.exit_code == 0
    assert "Иван Иванов" in result.stdout
    assert "Продажи, Офис" in result.stdout
    assert result.stderr == "1 employees\n"


async def test_the_directory_as_json(invoke: Invoke, socket: Path) -> None:
    result = await invoke("employees", "list", "--json", "--socket", socket)
    assert json.loads(result.stdout) == [
        {
            "id": "ivanov",
            "account": "ivanov@example.test",
            "name": "Иван Иванов",
            "extension": "101",
            "groups": ["Продажи", "Офис"],
            "mode": "softphone",
            "language": None,
            "timezone": "Asia/Omsk",
        }
    ]


async def test_a_pipe_gets_cells_between_tabs(invoke: Invoke, operations: FakeOperations, socket: Path) -> None:
    operations.rows = [IVANOV] * 10_000
    result = await invoke("employees", "list", "--socket", socket)
    header, *lines = result.stdout.splitlines()
    assert header.split("\t")[:3] == ["id", "name", "account"]
    assert [line.split("\t")[2] for line in lines] == ["ivanov@example.test"] * 10_000


async def test_statuses_in_the_zone_of_the_company(invoke: Invoke, socket: Path, config: Path) -> None:
    result = await invoke("status", "list", "-c", config)
    assert "2026-11-24 21:05" in result.stdout
    assert "[red]На совещании" in result.stdout
    assert "[dnd] Занят — На совещании" in result.stdout


async def test_one_status(invoke: Invoke, socket: Path) -> None:
    result = await invoke("status", "show", "ivanov", "--socket", socket, env={"TZ": "Asia/Omsk"})
    assert "2026-11-24 17:05" in result.stdout
    assert "ivanov@panel.example.test" in result.stdout
    shown = json.loads((await invoke("status", "show", "ivanov", "--json", "--socket", socket)).stdout)
    assert (shown["since"], shown["until"], shown["sessions"]) == ("2026-11-24T11:05:00Z", None, 2)


async def test_statuses_as_json(invoke: Invoke, socket: Path) -> None:
    (row,) = json.loads((await invoke("status", "list", "--json", "--socket", socket)).stdout)
    assert (row["status"], row["show"]) == ("busy", "dnd")


async def test_setting_a_status(invoke: Invoke, operations: FakeOperations, socket: Path, config: Path) -> None:
    arguments = ("status", "set", "ivanov", "dnd", "--text", "На обеде", "--until")
    result = await invoke(*arguments, "2099-11-24T18:00", "--config", config)
    assert result.exit_code == 0
    assert "На обеде" in result.stdout
    assert operations.choices == [("ivanov", "dnd", "На обеде", datetime(2099, 11, 24, 8, tzinfo=UTC))]
    before = datetime.now(UTC)
    await invoke(*arguments, "+30m", "--json", "--socket", socket)
    moment = operations.choices[1][3]
    assert moment is not None
    assert timedelta(minutes=30) <= moment - before < timedelta(minutes=31)


async def test_blocks(invoke: Invoke, operations: FakeOperations, socket: Path) -> None:
    blocked = await invoke("block", "ivanov", "petrov", "--socket", socket)
    assert blocked.stdout == "blocked: Иван Иванов (ivanov) blocks Пётр Петров (petrov)\n"
    ended = await invoke("unblock", "ivanov", "petrov", "--socket", socket)
    assert ended.stdout == "unblocked: Иван Иванов (ivanov) no longer blocks Пётр Петров (petrov)\n"
    assert operations.blocked == [("block", "ivanov", "petrov"), ("unblock", "ivanov", "petrov")]
    listed = await invoke("blocks", "--socket", socket)
    assert listed.stdout.splitlines()[1].split("\t") == ["ivanov", "Иван Иванов", "petrov", "Пётр Петров"]
    assert listed.stderr == "1 blocks\n"
    (row,) = json.loads((await invoke("blocks", "--json", "--socket", socket)).stdout)
    assert (row["employee"], row["blocked"]) == ("ivanov", "petrov")
    refused = await invoke("block", "ivanov", "ivanov", "--socket", socket)
    assert (refused.exit_code, refused.stderr) == (1, "error: nobody can block himself\n")


async def test_the_zone_of_the_machine(invoke: Invoke, operations: FakeOperations, socket: Path) -> None:
    arguments = ("status", "set", "ivanov", "dnd", "--until", "2099-11-24T18:00", "--socket", socket)
    for zone, hour in (("Asia/Vladivostok", 8), (":Europe/Moscow", 15), ("No/Such", 18)):
        assert (await invoke(*arguments, env={"TZ": zone})).exit_code == 0
        assert operations.choices.pop()[3] == datetime(2099, 11, 24, hour, tzinfo=UTC)
    assert (await invoke(*arguments, env={"TZ": ""})).exit_code == 0


async def test_a_wrong_time_is_wrong_usage(invoke: Invoke, operations: FakeOperations, socket: Path) -> None:
    result = await invoke("status", "set", "ivanov", "dnd", "--until", "soon", "--socket", socket)
    assert result.exit_code == 2
    assert '"soon" must be a time such as "18:00"' in result.stderr
    assert operations.choices == []


async def test_a_refusal(invoke: Invoke, socket: Path) -> None:
    result = await invoke("status", "set", "ivanov", "offline", "--socket", socket)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: offline needs a softphone\nhint: choose dnd instead\n"


async def test_an_import(invoke: Invoke, operations: FakeOperations, socket: Path, tmp_path: Path) -> None:
    file = tmp_path / "employees.csv"
    file.write_text(CSV, "utf-8-sig")
    result = await invoke("employees", "import", file, "--allow-removals", "4", "--socket", socket)
    assert (result.exit_code, operations.imports) == (0, [(CSV, False, 4)])
    assert result.stdout == "imported: 3 added, 2 changed, 1 moved, 0 removed, 4 unchanged\n"
    assert result.stderr == "reading: 0 of 2\nreading: 2 of 2\n"
    result = await invoke("employees", "import", file, "--dry-run", "--socket", socket)
    assert result.stdout.startswith("dry run, nothing applied: 3 added")


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16"])
async def test_other_encodings(
    invoke: Invoke, operations: FakeOperations, socket: Path, tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "employees.csv"
    file.write_bytes(CSV.encode(encoding))
    result = await invoke("employees", "import", file, "--socket", socket)
    assert operations.imports == [(CSV, False, None)]
    assert f"employees.csv is not UTF-8: read as {encoding}" in result.stderr


async def test_files_that_cannot_be_imported(invoke: Invoke, socket: Path, tmp_path: Path) -> None:
    result = await invoke("employees", "import", tmp_path / "none.csv", "--socket", socket)
    assert result.exit_code == 1
    assert "none.csv cannot be read: No such file or directory" in result.stderr
    (tmp_path / "binary").write_bytes(b"\x98\xff")
    result = await invoke("employees", "import", tmp_path / "binary", "--socket", socket)
    assert result.stderr.endswith("binary is not text\nhint: save it as CSV in UTF-8\n")


async def test_bad_rows_are_named(invoke: Invoke, socket: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("bad")
    result = await invoke("employees", "import", tmp_path / "bad.csv", "--socket", socket)
    assert result.exit_code == 1
    assert result.stderr == (
        "error: the file was not applied\n  line 2: no account\n  line 5: the id is empty\nhint: correct the rows\n"
    )


async def test_thousands_of_bad_rows_do_not_bury_the_hint(invoke: Invoke, socket: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("bad5000")
    result = await invoke("employees", "import", tmp_path / "bad.csv", "--socket", socket)
    lines = result.stderr.splitlines()
    assert len(lines) == 33
    assert lines[-2:] == ["  … and 4970 more", "hint: correct the rows"]


async def test_no_component(invoke: Invoke, config: Path) -> None:
    result = await invoke("status", "list", "-c", config)
    assert result.exit_code == 1
    assert "the component does not run (no socket at" in result.stderr
    assert "hint: start it with `panel-presence run -c FILE`" in result.stderr


async def test_a_wrong_configuration(invoke: Invoke, config: Path) -> None:
    await asyncio.to_thread(config.write_text, "[xmpp]\nprot = 1\n")
    for command in (("status", "list"), ("run",), ("check",), ("employees", "list")):
        result = await invoke(*command, env={"PANEL_PRESENCE_CONFIG": str(config)})
        assert result.exit_code == 2
        assert 'xmpp.prot is not a known key; did you mean "port"?' in result.stderr


async def test_no_configuration(invoke: Invoke, tmp_path: Path) -> None:
    result = await invoke("employees", "list", "-c", tmp_path / "none.toml")
    assert result.exit_code == 2
    assert "none.toml: cannot be read" in result.stderr


@pytest.mark.usefixtures("restored_logging")
async def test_run(invoke: Invoke, config: Path) -> None:
    application = FakeApp()
    result = await invoke("run", "-c", config, obj=application)
    assert result.exit_code == 3
    assert application.config is not None
    assert application.config.xmpp.domain == "panel.example.test"


@pytest.mark.usefixtures("restored_logging")
async def test_a_start_that_fails(invoke: Invoke, config: Path) -> None:
    result = await invoke("run", "-c", config, obj=FakeApp(failure=ControlError("taken", "stop it")))
    assert result.exit_code == 1
    assert result.stderr == "error: taken\nhint: stop it\n"


async def test_check(invoke: Invoke, config: Path) -> None:
    good = (CheckLine("link", True, "up"), CheckLine("rosters", None, "handshake", "set an API user"))
    result = await invoke("check", "-c", config, obj=FakeApp(good))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"✓ configuration: {config} is valid",
        "✓ link: up",
        "! rosters: handshake",
        "  → set an API user",
    ]
    bad = (*good, CheckLine("store", False, "read-only", "mount it writable"), CheckLine("end", True, "seen"))
    result = await invoke("check", "-c", config, obj=FakeApp(bad))
    assert result.exit_code == 1
    assert result.stdout.endswith("✗ store: read-only\n  → mount it writable\n✓ end: seen\n")


async def on_a_terminal(*arguments: str | Path) -> str:
    """Run the command as a process on a terminal and return what the terminal got."""
    terminal, side = pty.openpty()
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "component", *map(str, arguments)],
        stdout=side,
        stderr=side,
        env=dict(os.environ) | {"TERM": "xterm", "COLUMNS": "200"},
        check=True,
    )
    os.close(side)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    return shown


async def test_the_progress_bar_of_a_terminal(socket: Path, tmp_path: Path) -> None:
    (tmp_path / "employees.csv").write_text(CSV, "utf-8")
    shown = await on_a_terminal("employees", "import", tmp_path / "employees.csv", "--socket", socket)
    assert "reading" in shown
    assert "2/2" in shown
    assert "imported: 3 added" in shown


async def test_the_table_of_a_terminal(socket: Path) -> None:
    shown = await on_a_terminal("status", "list", "--socket", socket)
    assert "colleagues see" in shown
    assert "\x1b[33mbusy" in shown
    assert "[red]На совещании" in shown
