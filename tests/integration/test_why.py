"""`why` against a real server: each link of the chain from a panel's fact to what a colleague sees."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from component.control.codec import encode
from tests.conftest import OpenOffice
from tests.integration.office import PEOPLE, Office, Person, sees

GROUPS = {
    "ivanov": Person("Иванов Иван", "Продажи"),
    "petrov": Person("Петров Пётр", "Продажи;Совет"),
    "sidorov": Person("Сидоров Сидор", "Склад"),
}


async def why(office: Office, viewer: str | None = None) -> Any:
    """What `why ivanov --json` prints, for a viewer if one is named."""
    answer = await office.component.control.why(office.id("ivanov"), office.id(viewer) if viewer else None)
    return json.loads(json.dumps(encode(answer)))


async def test_the_chain_from_the_panel_to_a_colleagues_roster(open_office: OpenOffice) -> None:
    office = await open_office(GROUPS, settings={"company": {"visibility": "groups"}})
    me, petrov, contact = office.id("ivanov"), await office.client("petrov"), office.contact("ivanov")
    found = await why(office)
    assert (found["decision"]["rule"], found["decision"]["status"]) == ("R1", "online")
    panel = await office.panel("ivanov")
    await sees(petrov, contact, show="")
    await panel.set_status("busy", "На совещании")
    await sees(petrov, contact, show="dnd", status="Занят — На совещании")

    found = await why(office, "petrov")
    (session,) = found["facts"]["sessions"]
    assert session == {
        "jid": f"{office.account('ivanov')}/panel",
        "panel": True,
        "mode": "softphone",
        "phone": "online",
        "idle_since": None,
    }
    assert (found["facts"]["choice"]["status"], found["facts"]["choice"]["text"]) == ("busy", "На совещании")
    assert (found["decision"]["rule"], found["decision"]["because"]) == ("R5", "busy was chosen, and there is activity")
    assert (found["presence"]["show"], found["presence"]["texts"]["ru"]) == ("dnd", "Занят — На совещании")
    assert (found["told"]["up_to_date"], found["told"]["presence"]) == (True, found["presence"])
    assert found["watchers"] == {"may_see": 1, "subscribed": 1, "online": 1, "sessions": 1}
    viewer = found["viewer"]
    assert (viewer["may_see"], viewer["visibility"]) == (True, "they share Продажи")
    assert (viewer["subscribed"], viewer["sessions"]) == (True, [f"{office.account('petrov')}/pc"])
    item = {"found": True, "name": "Иванов Иван", "groups": ["Продажи"], "subscription": "to", "note": ""}
    assert viewer["item"] == item
    assert json.loads(await office.component.cli("why", me, "--for", office.id("petrov"), "--json")) == found
    said = await office.component.cli("why", me, "--for", office.id("petrov"))
    first = f"{office.id('petrov')} sees {me} as dnd, «Занят — На совещании», because busy was chosen"
    assert said.startswith(first)
    for text in (
        f"facts of Иванов Иван ({me})",
        "rule R5",
        "R6",
        contact,
        "'Иванов Иван', in Продажи, subscription to",
    ):
        assert text in said

    await panel.idle(datetime.now(UTC) - timedelta(minutes=20))
    await sees(petrov, contact, show="away")
    found = await why(office)
    assert (found["decision"]["rule"], found["decision"]["hidden"]) == ("R3", "busy")
    await panel.close()
    await sees(petrov, contact, type="unavailable")
    answer = (await why(office, "petrov"))["answer"]
    assert "because in softphone mode the phone lives in the panel, and no panel is connected (R2)" in answer

    assert "sees nothing of" in (hidden := await why(office, "sidorov"))["answer"]
    assert (hidden["viewer"]["may_see"], hidden["viewer"]["item"]["found"]) == (False, False)


async def test_a_contact_that_was_deleted_or_has_drifted(office: Office) -> None:
    petrov, contact = await office.client("petrov"), office.contact("ivanov")
    await sees(petrov, contact)
    await petrov.remove_roster_item(contact)
    await sees(petrov, contact, type="unavailable")
    viewer = (found := await why(office, "petrov"))["viewer"]
    assert (viewer["subscribed"], viewer["item"]["found"]) == (False, False)
    assert f"he deleted the contact by hand (rosters sync --restore {office.id('petrov')}" in found["answer"]

    await office.server.set_roster_item(office.id("sidorov"), contact, "Ваня", "none")
    found = await why(office, "sidorov")
    assert (found["viewer"]["item"]["subscription"], found["viewer"]["item"]["name"]) == ("none", "Ваня")
    assert "rosters sync repairs drift" in found["answer"]


async def test_over_the_handshake_and_for_nobody(open_office: OpenOffice) -> None:
    office = await open_office(PEOPLE, settings={"rosters": {"method": "handshake"}}, ready=False)
    found = await why(office, "petrov")
    assert found["viewer"]["item"]["note"].startswith("rosters cannot be read here (handshake: it is configured")
    assert "he has not added the contact" in found["answer"]
    said = await office.component.cli("why", office.id("ivanov"), "--for", "nobody", expect=1)
    assert "no employee 'nobody'" in said
    assert "see: panel-presence employees list" in said
