"""mcabber against the real server and component: the truth comes back after a crash, without a login.

Its roster has a letter for each contact, o online, a away, d do not disturb, _ offline, in braces because the
subscription goes one way.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.clients.mcabber import mcabber
from tests.clients.tmux import Terminal
from tests.conftest import OpenOffice
from tests.integration.office import PASSWORD, Office, Person

PEOPLE = {
    "ivanov": Person("Иванов Иван"),
    "orlov": Person("Орлов Олег"),
    "petrov": Person("Петров Пётр", mode="deskphone"),
    "sidorov": Person("Сидоров Сидор"),
}


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    return await open_office(PEOPLE)


@pytest.fixture
async def shown(office: Office, tmp_path: Path) -> AsyncIterator[Terminal]:
    """Petrov's terminal, logged in, with his colleagues in the roster."""
    port = office.server.ports.c2s
    async with mcabber(tmp_path / "mcabber", office.account("petrov"), PASSWORD, port) as terminal:
        await terminal.wait(r"{o} Иванов Иван")
        yield terminal


async def test_the_truth_comes_back_after_a_crash_without_a_login(office: Office, shown: Terminal) -> None:
    ivanov, sidorov = await office.panel("ivanov"), await office.panel("sidorov")
    await ivanov.set_status("dnd")
    await sidorov.set_status("busy")
    await shown.wait(r"{d} Иванов Иван")
    await shown.wait(r"{d} Сидоров Сидор")
    await office.component.kill()
    await ivanov.close()
    await sidorov.idle(datetime.now(UTC) - timedelta(minutes=20))
    orlov = await office.panel("orlov", phone="offline")
    await office.component.start()
    await shown.wait(r"{_} Иванов Иван")
    await shown.wait(r"{a} Сидоров Сидор")
    await shown.wait(r"{_} Орлов Олег")
    await shown.wait(r"status has changed: \[\S>a\].* Был\(а\) на месте")
    await orlov.report_phone("online")
    await shown.wait(r"{o} Орлов Олег")
