"""The real server, started once, and an office beside it for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.office import PEOPLE, Office, Person
from tests.servers.ejabberd import Ejabberd

OpenOffice = Callable[..., Awaitable[Office]]


@pytest.fixture(scope="session")
async def ejabberd(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ejabberd]:
    """A private ejabberd; a missing one fails."""
    server = Ejabberd(tmp_path_factory.mktemp("ejabberd"))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def open_office(ejabberd: Ejabberd, tmp_path: Path) -> AsyncIterator[OpenOffice]:
    """Opens offices with people and settings of the test's own; they are closed after it."""
    offices: list[Office] = []

    async def open_one(
        people: Mapping[str, Person] = PEOPLE,
        *,
        settings: Mapping[str, Any] | None = None,
        start: bool = True,
        ready: bool = True,
    ) -> Office:
        office = Office(ejabberd, tmp_path / f"office{len(offices)}", people, settings or {})
        offices.append(office)
        if start:
            await office.open(ready=ready)
        return office

    yield open_one
    for office in offices:
        await office.close()


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    """Three employees who see each other, the component and its rosters ready."""
    return await open_office()
