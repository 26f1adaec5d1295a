"""The real servers, each started once, and an office beside one of them for each test.

Whoever asks for `server`, `open_office` or `office` runs once on each server. Where the servers differ by nature, the
difference stands in their classes (tests/servers), not in the tests.
"""

import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.integration.office import PEOPLE, Office, Person
from tests.servers.ejabberd import Ejabberd
from tests.servers.prosody import Prosody
from tests.servers.server import Server

OpenOffice = Callable[..., Awaitable[Office]]
KINDS: tuple[type[Server], ...] = (Ejabberd, Prosody)


class FileOnServer(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist is not typed
    """Gives a worker of pytest-xdist a file on one server as a whole: its office opens once.

    `--dist loadgroup` would do the same by marks, but 3.8.0 sees none of them with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        names = "|".join(kind.name for kind in KINDS)
        found = re.search(rf"\[({names})\b", test)
        return f"{file} on {found[1] if found else 'its own'}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileOnServer:
    """With `-n`, whatever `--dist` says."""
    return FileOnServer(config, log)


@pytest.fixture(scope="session", params=KINDS, ids=[kind.name for kind in KINDS])
def kind(request: pytest.FixtureRequest) -> type[Server]:
    """Each kind of server in turn, for tests that start one of their own: `kind(folder)`."""
    chosen: type[Server] = request.param
    return chosen


@pytest.fixture(scope="session")
async def ejabberd(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ejabberd]:
    """A private ejabberd; a missing one fails."""
    server = Ejabberd(tmp_path_factory.mktemp("ejabberd"))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="session")
async def prosody(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prosody]:
    """A private Prosody; a missing one fails."""
    server = Prosody(tmp_path_factory.mktemp("prosody"))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="session")
def server(kind: type[Server], request: pytest.FixtureRequest) -> Server:
    """Each server in turn. It is not async: pytest-asyncio cannot set up a fixture from within one."""
    chosen: Server = request.getfixturevalue(kind.name)
    return chosen


@pytest.fixture
async def open_office(server: Server, tmp_path: Path) -> AsyncIterator[OpenOffice]:
    """Opens offices with people and settings of the test's own; they are closed after it."""
    numbers, opened = itertools.count(), AsyncExitStack()

    async def open_one(
        people: Mapping[str, Person] = PEOPLE,
        *,
        settings: Mapping[str, Any] | None = None,
        start: bool = True,
        ready: bool = True,
    ) -> Office:
        office = Office(server, tmp_path / f"office{next(numbers)}", people, settings or {})
        opened.push_async_callback(office.close)
        if start:
            await office.open(ready=ready)
        return office

    async with opened:
        yield open_one


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    """Three employees who see each other, the component and its rosters ready."""
    return await open_office()
