"""Settings that change what colleagues see, and the PBX."""

from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest

from component.panel_client import PanelError
from tests.conftest import OpenOffice
from tests.integration.office import Person, sees


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


async def test_after_was_here_online(open_office: OpenOffice) -> None:
    office = await open_office(settings={"status": {"after_was_here": "online"}})
    petrov, panel = await office.client("petrov"), await office.panel("ivanov")
    await panel.set_status("dnd")
    await sees(petrov, office.contact("ivanov"), show="dnd")
    await panel.idle(ago(minutes=20))
    await sees(petrov, office.contact("ivanov"), show="away")
    await panel.active()
    await sees(petrov, office.contact("ivanov"), show="")
    assert (await panel.status()).chosen == "online"


async def test_a_pbx_goes_before_the_panels(open_office: OpenOffice) -> None:
    office = await open_office(start=False)
    office.component.settings["pbx"] = {"jids": [office.account("pbx")]}
    await office.register("pbx")
    await office.open()
    petrov, panel, contact = await office.client("petrov"), await office.panel("ivanov"), office.contact("ivanov")
    await sees(petrov, contact, show="")
    pbx = await office.client("pbx")
    pbx.send(Element("{jabber:client}presence", {"to": office.server.component_domain}))
    await pbx.report_phone_of(office.id("ivanov"), "offline")
    await sees(petrov, contact, type="unavailable")
    await panel.report_phone("online")
    assert (await panel.status()).phone == "offline"
    with pytest.raises(PanelError) as refused:
        await pbx.report_phone_of("nobody", "offline")
    assert refused.value.condition == "item-not-found"
    with pytest.raises(PanelError) as refused:
        await panel.report_phone_of(office.id("petrov"), "offline")
    assert (refused.value.type, refused.value.condition) == ("auth", "forbidden")
    await pbx.close()
    await sees(petrov, contact, show="")
