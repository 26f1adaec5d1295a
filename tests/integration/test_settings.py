"""Settings that change what colleagues see, and the PBX."""

from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest

from component.panel_client import PanelError
from tests.conftest import OpenOffice
from tests.integration.office import PEOPLE, Person, sees


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


async def test_other_languages_zones_and_shows(open_office: OpenOffice) -> None:
    people = {
        "ivanov": Person("Ivanov", timezone="Asia/Yekaterinburg"),
        "petrov": Person("Petrov", mode="deskphone"),
    }
    company = {"language": "en", "timezone": "Europe/Moscow"}
    office = await open_office(people, settings={"company": company, "status": {"busy_show": "away"}})
    petrov, panel = await office.client("petrov"), await office.panel("ivanov")
    await panel.set_status("busy", "lunch")
    seen = await sees(petrov, office.contact("ivanov"), show="away")
    assert seen.statuses == (("en", "Busy — lunch"), ("ru", "Занят — lunch"))
    since = ago(minutes=20)
    await panel.idle(since)
    seen = await sees(petrov, office.contact("ivanov"), show="away", idle_since=since.replace(microsecond=0))
    local = since + timedelta(hours=5)
    day = f"{local.day} {local:%b}"
    assert seen.status == f"Was here on {day} at {local:%H:%M} (UTC+5) — lunch"


async def test_time_alone_makes_away_and_xa_and_activity_may_end_a_choice(open_office: OpenOffice) -> None:
    status = {"was_here_after": "2s", "extended_away_after": "4s", "after_was_here": "online"}
    people = {**PEOPLE, "sidorov": Person("Сидоров Сидор", mode="deskphone")}
    office = await open_office(people, settings={"status": status})
    petrov, panel, client = await office.client("petrov"), await office.panel("ivanov"), await office.client("sidorov")
    panels, clients = office.contact("ivanov"), office.contact("sidorov")
    await client.set_status("online")  # any road launches
    await client.send_presence("xa", idle=ago(hours=1))  # this client tells when it is idle
    await panel.set_status("busy", "совещание")
    await sees(petrov, clients, show="xa")
    await client.send_presence()
    await sees(petrov, clients, show="", idle_since=None)
    began = datetime.now(UTC).replace(microsecond=0)
    await panel.idle(began)
    await client.send_presence("away")  # without <idle/>: idle from now on
    for contact in (panels, clients):
        seen = await sees(petrov, contact, show="away")
        assert seen.idle_since is not None
        assert began <= seen.idle_since <= ago(seconds=1)
    for contact in (panels, clients):
        await sees(petrov, contact, show="xa")
    await panel.active()
    await client.send_presence()
    await sees(petrov, panels, show="", status="совещание", idle_since=None)
    assert (await panel.status()).chosen == "online"
    await sees(petrov, clients, show="", status="", idle_since=None)


def presence(to: str) -> Element:
    return Element("{jabber:client}presence", {"to": to})


async def test_a_pbx_goes_before_the_panels(open_office: OpenOffice) -> None:
    office = await open_office(start=False)
    office.component.settings["pbx"] = {"jids": [office.account("pbx")]}
    office.component.settings["status"] = {"session_grace": "2s"}
    await office.register("pbx")
    await office.open()
    petrov, panel = await office.client("petrov"), await office.panel("ivanov")
    contact, other = office.contact("ivanov"), office.contact("sidorov")
    await sees(petrov, contact, show="")
    pbx, other_pbx = await office.client("pbx", "1"), await office.client("pbx", "2")
    domain = office.server.component_domain
    for reporting, name in ((pbx, "ivanov"), (other_pbx, "sidorov")):
        reporting.send(presence(domain))
        await reporting.report_phone_of(office.id(name), "offline")
        await sees(petrov, office.contact(name), type="unavailable")  # the never launched too: R2 before R1
    await panel.report_phone("online")
    assert (await panel.status()).phone == "offline"
    with pytest.raises(PanelError) as refused:
        await pbx.report_phone_of("nobody", "offline")
    assert (refused.value.type, refused.value.condition) == ("cancel", "item-not-found")
    with pytest.raises(PanelError) as refused:
        await panel.report_phone_of(office.id("petrov"), "offline")
    assert (refused.value.type, refused.value.condition) == ("auth", "forbidden")
    await office.component.kill()
    await other_pbx.close()
    await office.component.start()
    await sees(pbx, domain)  # it is asked to announce itself again
    pbx.send(presence(domain))
    await sees(petrov, other, show="", within=10)
    assert (await panel.status()).phone == "offline"
    await pbx.close()
    await sees(petrov, contact, show="")
