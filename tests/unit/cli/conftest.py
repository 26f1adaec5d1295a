"""Commands as a user types them, and the control socket that they ask."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from component.cli import app
from component.control.server import ControlServer
from tests.unit.fake_operations import FakeOperations

WIDE = {"COLUMNS": "200", "TERM": "dumb"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str


Invoke = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def operations() -> FakeOperations:
    return FakeOperations()


@pytest.fixture
async def socket(operations: FakeOperations, tmp_path: Path) -> AsyncIterator[Path]:
    path = tmp_path / "control.sock"
    server = ControlServer(operations, path)
    await server.start()
    yield path
    await server.stop()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "panel.toml"
    path.write_text(
        '[xmpp]\ndomain = "panel.example.test"\nsecret = "hunter2"\n'
        '[company]\ntimezone = "Asia/Vladivostok"\n[control]\nsocket = "control.sock"\n'
    )
    return path


@pytest.fixture
def invoke() -> Invoke:
    """Run a command in a thread of its own: it has an event loop of its own."""

    async def command(*arguments: str | Path, obj: object = None, env: dict[str, str] | None = None) -> Outcome:
        runner = CliRunner(env=WIDE | (env or {}))
        words = [str(part) for part in arguments]
        result = await asyncio.to_thread(lambda: runner.invoke(app, words, obj=obj))
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return command
