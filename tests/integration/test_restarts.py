"""Restarts, crashes and hung sessions: nobody flaps, nothing that was chosen is lost, nothing wrong stays."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from component.panel_client import Event, PanelClient, Seen
from tests.conftest import OpenOffice
from tests.integration.office import PEOPLE, Office, Person, sees
from tests.integration.wire import Wire
from tests.servers.server import Server

WITHDRAWN = "Статусы временно недоступны"


Told = dict[str, set[tuple[str, str, str]]]


def told_to(client: PanelClient) -> Told:
    """Record all that a client is told of each contact from now on: type, show and first status."""
    told: Told = {}

    def note(event: Event) -> None:
        if isinstance(event, Seen):
            told.setdefault(event.jid.partition("/")[0], set()).add((event.type, event.show, event.status))

    client.on_event = note
    return told


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
async def test_nobody_flaps_when_the_component_restarts_under_running_panels(
    open_office: OpenOffice, number: signal.Signals
) -> None:
    office = await open_office({**PEOPLE, "orlov": Person("Орлов Олег")})
    petrov, busy, idle = await office.client("petrov"), await office.panel("ivanov"), await office.panel("sidorov")
    await busy.set_status("busy", "занят")
    await idle.idle(datetime.now(UTC) - timedelta(minutes=20))
    contacts = [office.contact(name) for name in ("ivanov", "sidorov", "orlov")]  # orlov never launched
    shows = [(await sees(petrov, one, show=show)) for one, show in zip(contacts, ("dnd", "away", ""), strict=True)]
    told = told_to(petrov)
    await office.component.restart(number)
    for _ in range(2):  # the first answer comes after the announce, the second after what it was answered with
        for client in (busy, idle, petrov):
            await client.status()
    for contact, before in zip(contacts, shows, strict=True):
        assert told.get(contact, set()) <= {("available", before.show, before.status)}
        assert petrov.seen(contact).panel == before.panel
    await idle.active()
    await sees(petrov, contacts[1], show="")
    await busy.set_status("dnd", "ещё занят")
    await sees(petrov, contacts[0], status="Не беспокоить — ещё занят")


async def test_panels_announce_themselves_again(open_office: OpenOffice) -> None:
    office = await open_office(settings={"status": {"session_grace": "2s"}})
    petrov, ivanov = await office.client("petrov"), await office.panel("ivanov")
    await ivanov.set_status("dnd")
    await sees(petrov, office.contact("ivanov"), show="dnd")
    told = told_to(petrov)
    begin = len(office.component.lines)
    hung = await Wire.open(office, "sidorov", "panel")  # neither announces itself again nor answers pings
    hung.write(
        f"<presence to='{hung.domain}'><panel xmlns='urn:panel-presence:1' mode='softphone' phone='online'/></presence>"
    )
    await hung.settled()
    await sees(petrov, office.contact("sidorov"), show="")
    await office.component.restart()
    await hung.next(lambda one: one.find("{urn:panel-presence:1}announce") is not None)
    await hung.next(lambda one: one.find("{urn:xmpp:ping}ping") is not None)
    await office.component.wait_log(f"{hung.jid} has not shown itself again", begin=begin, within=10)
    await sees(petrov, office.contact("sidorov"), type="unavailable")
    assert (await office.component.control.status(office.id("ivanov"))).sessions == 1
    assert told.get(office.contact("ivanov"), set()) <= {("available", "dnd", "Не беспокоить")}
    await hung.close()


async def test_who_ended_and_who_came_while_the_component_was_away(office: Office) -> None:
    petrov, ivanov, sidorov = await office.client("petrov"), await office.panel("ivanov"), await office.panel("sidorov")
    await ivanov.set_status("busy")
    await sidorov.set_status("dnd", "пишу")
    await sees(petrov, office.contact("ivanov"), show="dnd")
    await office.component.kill()
    await ivanov.close()
    late = await office.client("petrov", "late")
    await office.component.start()
    for watching in (petrov, late):
        await sees(watching, office.contact("ivanov"), type="unavailable", within=5)  # the grace is 30 s
    await sees(late, office.contact("sidorov"), show="dnd", status="Не беспокоить — пишу")


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
    await sidorov.set_status("offline", "перезвоню")
    await office.component.kill()  # what was answered is stored
    await ivanov.close()
    await sidorov.close()
    await office.component.start()
    control = office.component.control
    one = await control.status(office.id("ivanov"))
    assert (one.chosen, one.text, one.until) == ("busy", "отпуск", until)
    petrov = await office.client("petrov")
    await office.panel("ivanov")
    await sees(petrov, office.contact("ivanov"), show="dnd", status="Занят — отпуск")
    again = await office.panel("sidorov")
    status = await again.status()
    assert (status.value, status.chosen, status.phone, status.text) == ("offline", "offline", "online", "перезвоню")


async def test_the_server_restarts(kind: type[Server], tmp_path: Path) -> None:
    server = kind(tmp_path / "server")
    await server.start()
    office = Office(server, tmp_path / "office", PEOPLE, {})
    try:
        await office.open()
        ivanov, sidorov = await office.client("ivanov", "panel", reconnect=True), await office.panel("sidorov")
        await ivanov.launch("softphone")
        await ivanov.set_status("busy", "до перезапуска")
        await sidorov.set_status("dnd")
        begin = len(office.component.lines)
        await server.stop()
        await office.component.wait_log("the connection ended", begin=begin)
        await server.start()
        await office.component.wait_log("connected to", begin=begin, within=30)
        petrov = await office.client("petrov")
        await ivanov.wait_online()
        await sees(petrov, office.contact("sidorov"), type="unavailable", within=10)  # his panel did not return
        await ivanov.set_status("busy", "после перезапуска")
        # Where the panel was back before the component, it was told an error and announces itself again after a while.
        await sees(petrov, office.contact("ivanov"), show="dnd", status="Занят — после перезапуска", within=10)
    finally:
        await office.close()
        await server.stop()
