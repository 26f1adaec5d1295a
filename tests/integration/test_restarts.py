"""Restarts, crashes and hung sessions: nobody flaps, nothing that was chosen is lost, nothing wrong stays."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from component.panel_client import Event, PanelClient, Seen
from tests.conftest import OpenOffice
from tests.integration.office import PEOPLE, Office, sees
from tests.integration.wire import Wire
from tests.servers.ejabberd import Ejabberd

WITHDRAWN = "Статусы временно недоступны"


def told_to(client: PanelClient, contact: str) -> list[tuple[str, str, str]]:
    """Record all that a client is told of a contact from now on: type, show and first status."""
    told: list[tuple[str, str, str]] = []

    def note(event: Event) -> None:
        if isinstance(event, Seen) and event.jid.partition("/")[0] == contact:
            told.append((event.type, event.show, event.status))

    client.on_event = note
    return told


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
async def test_nobody_flaps_when_the_component_restarts_under_running_panels(
    office: Office, number: signal.Signals
) -> None:
    petrov, ivanov, sidorov = await office.client("petrov"), await office.panel("ivanov"), await office.panel("sidorov")
    await ivanov.set_status("busy", "занят")
    await sees(petrov, office.contact("ivanov"), show="dnd")
    await sees(petrov, office.contact("sidorov"), show="")
    told = told_to(petrov, office.contact("ivanov"))
    await office.component.restart(number)
    await sidorov.set_status("dnd")
    await sees(petrov, office.contact("sidorov"), show="dnd")
    await ivanov.set_status("dnd", "ещё занят")
    await sees(petrov, office.contact("ivanov"), status="Не беспокоить — ещё занят")
    assert set(told) <= {("available", "dnd", "Занят — занят"), ("available", "dnd", "Не беспокоить — ещё занят")}


async def test_panels_announce_themselves_again(open_office: OpenOffice) -> None:
    office = await open_office(settings={"status": {"session_grace": "2s"}})
    petrov, ivanov = await office.client("petrov"), await office.panel("ivanov")
    await ivanov.set_status("dnd")
    await sees(petrov, office.contact("ivanov"), show="dnd")
    told = told_to(petrov, office.contact("ivanov"))
    begin = len(office.component.lines)
    hung = await Wire.open(office, "sidorov", "panel")  # neither announces itself again nor answers pings
    hung.write(
        f"<presence to='{hung.domain}'><panel xmlns='urn:panel-presence:1' mode='softphone' phone='online'/></presence>"
    )
    await hung.settled()
    await sees(petrov, office.contact("sidorov"), show="")
    await office.component.restart()
    await office.component.wait_log(f"{hung.jid} has not shown itself again", begin=begin, within=10)
    await sees(petrov, office.contact("sidorov"), type="unavailable")
    assert (await office.component.control.status(office.id("ivanov"))).sessions == 1
    assert set(told) <= {("available", "dnd", "Не беспокоить")}
    await hung.close()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
async def test_a_panel_that_ended_meanwhile_is_shown_offline(office: Office, number: signal.Signals) -> None:
    petrov, ivanov = await office.client("petrov"), await office.panel("ivanov")
    await ivanov.set_status("busy")
    await sees(petrov, office.contact("ivanov"), show="dnd")
    await office.component.stop(number)
    await ivanov.close()
    await office.component.start()
    await sees(petrov, office.contact("ivanov"), type="unavailable", within=5)  # the grace is 30 s


async def test_a_colleague_who_logged_in_meanwhile_sees_everybody(office: Office) -> None:
    ivanov = await office.panel("ivanov")
    await ivanov.set_status("dnd", "пишу")
    await office.component.kill()
    petrov = await office.client("petrov")
    await office.component.start()
    await sees(petrov, office.contact("ivanov"), show="dnd", status="Не беспокоить — пишу")
    await sees(petrov, office.contact("sidorov"), show="")


async def test_a_stop_withdraws_and_a_start_brings_back(office: Office) -> None:
    petrov, ivanov = await office.client("petrov"), await office.panel("ivanov")
    await ivanov.set_status("busy")
    await sees(petrov, office.contact("ivanov"), show="dnd")
    assert await office.component.stop(signal.SIGTERM) == 0
    for name in ("ivanov", "sidorov"):
        await sees(petrov, office.contact(name), type="unavailable", status=WITHDRAWN)
    await office.component.start()
    await sees(petrov, office.contact("ivanov"), show="dnd", status="Занят")
    await sees(petrov, office.contact("sidorov"), show="")


async def test_a_restart_keeps_every_choice(office: Office) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    ivanov, sidorov = await office.panel("ivanov"), await office.panel("sidorov")
    await ivanov.set_status("busy", "отпуск", until)
    await sidorov.set_status("offline")
    await office.component.kill()
    await ivanov.close()
    await sidorov.close()
    await office.component.start()
    control = office.component.control
    one = await control.status(office.id("ivanov"))
    assert (one.chosen, one.text, one.until) == ("busy", "отпуск", until)
    assert (await control.status(office.id("sidorov"))).chosen == "offline"
    petrov = await office.client("petrov")
    await office.panel("ivanov")
    await sees(petrov, office.contact("ivanov"), show="dnd", status="Занят — отпуск")


async def test_the_server_restarts(tmp_path: Path) -> None:
    server = Ejabberd(tmp_path / "ejabberd")
    await server.start()
    office = Office(server, tmp_path / "office", PEOPLE, {})
    try:
        await office.open()
        ivanov = await office.panel("ivanov")
        await ivanov.set_status("busy", "до перезапуска")
        begin = len(office.component.lines)
        await server.stop()
        await office.component.wait_log("the connection ended", begin=begin)
        await server.start()
        await office.component.wait_log("connected to", begin=begin, within=30)
        petrov = await office.client("petrov")
        await sees(petrov, office.contact("ivanov"), type="unavailable", within=10)
        await office.panel("ivanov", resource="again")
        await sees(petrov, office.contact("ivanov"), show="dnd", status="Занят — до перезапуска")
    finally:
        await office.close()
        await server.stop()
