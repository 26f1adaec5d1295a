"""profanity against the real server and component: what a colleague who uses it sees and can do."""

import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.clients.profanity import profanity
from tests.clients.tmux import Terminal
from tests.conftest import OpenOffice
from tests.integration.office import PASSWORD, Office, Person, sees

PEOPLE = {
    "ivanov": Person("Иванов Иван"),
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
    async with profanity(tmp_path / "profanity", office.account("petrov"), PASSWORD, port) as terminal:
        # The roster beside, not a line in the console: there is none for presences that are faster than the roster.
        await terminal.wait(r"Иванов Иван *$\n.* online *$")
        yield terminal


async def test_show_text_and_idle_time_are_shown(office: Office, shown: Terminal) -> None:
    ivanov = await office.panel("ivanov")
    await ivanov.set_status("busy", "На совещании")
    await shown.wait(r'Иванов Иван \(panel\) is dnd, "Занят — На совещании"')
    await ivanov.idle(datetime.now(UTC) - timedelta(minutes=25, seconds=5))
    await shown.wait(r'Иванов Иван \(panel\) is away, last activity: .*"Был\(а\) на месте .* — На совещании"')
    await shown.send("/clear")
    await shown.send("/who")
    await shown.wait(r'Иванов Иван is away, idle 25m\d+s, "Был\(а\) на месте')
    await ivanov.idle(datetime.now(UTC) - timedelta(minutes=61))
    await shown.wait(r"Иванов Иван \(panel\) is xa")
    await ivanov.active()
    await shown.wait(r'Иванов Иван \(panel\) is dnd, "Занят — На совещании"')
    await ivanov.close()
    await shown.wait(r"Иванов Иван \(panel\) is offline|-- Иванов Иван.*offline")


async def test_chat_with_a_contact_whose_phone_is_offline(office: Office, shown: Terminal) -> None:
    ivanov = await office.panel("ivanov", phone="offline")
    await shown.wait(r"-- Иванов Иван|Иванов Иван.* is offline")
    await shown.send(f"/msg {office.contact('ivanov')} Перезвони мне")
    asked = await ivanov.next_message(lambda message: message.body == "Перезвони мне")
    await ivanov.send_chat(asked.sender, "Уже звоню")
    await shown.wait("Уже звоню")


async def test_a_command_sets_the_status_that_others_see(office: Office, shown: Terminal) -> None:
    sidorov = await office.client("sidorov")
    domain = office.server.component_domain
    await shown.send(f"/cmd list {domain}")
    await shown.wait("set-status")
    await shown.send(f"/cmd exec set-status {domain}")
    await shown.wait("field2")
    await shown.send("/field1 dnd")
    await shown.send('/field2 "На обеде до 14:00"')
    await shown.send("/form submit")
    await sees(sidorov, office.contact("petrov"), show="dnd", status="Не беспокоить — На обеде до 14:00")


async def test_the_truth_comes_back_after_a_crash_without_a_login(office: Office, shown: Terminal) -> None:
    ivanov = await office.panel("ivanov")
    await ivanov.set_status("dnd")
    await shown.wait(r"Иванов Иван \(panel\) is dnd")
    await office.component.stop(signal.SIGKILL)
    await ivanov.close()
    await office.component.start()
    await shown.wait(r"-- Иванов Иван|Иванов Иван.* is offline")
