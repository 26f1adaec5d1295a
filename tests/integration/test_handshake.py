"""Rosters without any help of the server: people add the contacts themselves (RFC 6121 section 3)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element, fromstring

import pytest

from component.panel_client import PanelClient, Seen
from component.panel_client.stanzas import presence
from tests.integration.office import Office, Person, sees
from tests.integration.wire import PING, Wire, written_like
from tests.servers.server import Server

PEOPLE = {
    "ivanov": Person("Иванов Иван", groups="Склад"),
    "petrov": Person("Петров Пётр", groups="Склад"),
    "sidorov": Person("Сидоров Сидор", groups="Склад"),
    "hidden": Person("Скрытов Семён", groups="Офис"),
}
SETTINGS = {"company": {"visibility": "groups"}, "rosters": {"method": "handshake"}}


@pytest.fixture(scope="module")
async def office(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Nothing is provisioned: every roster is empty at first."""
    office = Office(server, tmp_path_factory.mktemp("handshake"), PEOPLE, SETTINGS)
    await office.register("stranger")
    await office.open(ready=False)
    yield office
    await office.close()


@pytest.fixture(autouse=True)
async def everybody_goes_home(office: Office) -> AsyncIterator[None]:
    yield
    for client in office.clients:
        await client.close()
    office.clients.clear()


async def is_told(client: PanelClient, kind: str, jid: str, within: float = 5.0) -> Seen:
    """Wait for a subscription stanza; `within` 0 looks only at what is there."""
    return await client.next_presence(lambda one: (one.jid, one.type) == (jid, kind), within)


async def settled(client: PanelClient) -> None:
    """Prove that the component has done what this client asked for before."""
    await client.request("get", fromstring(PING), client.component)


async def sessions(office: Office, name: str) -> int:
    return (await office.component.control.status(office.id(name))).sessions


async def test_a_colleague_adds_the_contact_and_later_gives_it_up(office: Office) -> None:
    petrov, phone = await office.client("petrov"), await office.client("petrov", "phone")
    ivanov, sidorov = await office.panel("ivanov"), await office.panel("sidorov")
    contact, domain = office.contact("ivanov"), office.server.component_domain
    await ivanov.set_status("busy", "На совещании")

    await petrov.subscribe(contact)
    await petrov.next_roster_push(lambda item: item.jid == contact and item.subscription == "to")
    await sees(petrov, contact, show="dnd", status="Занят — На совещании")
    await is_told(petrov, "subscribe", domain)
    await petrov.subscribe(office.contact("sidorov"))
    await sees(petrov, office.contact("sidorov"), show="")

    # While the domain's question is open, what is sent goes to the bare JID, to every session, unless the server itself
    # tells of them.
    assert await sessions(office, "petrov") == (2 if office.server.tells_presence else 0)
    await ivanov.set_status("dnd")
    for client in (petrov, phone):
        await sees(client, contact, show="dnd", status="Не беспокоить")
    await settled(petrov)
    with pytest.raises(TimeoutError):  # the domain asks once
        await is_told(petrov, "subscribe", domain, within=0)

    petrov.send(presence(to=domain, type="subscribed"))
    await petrov.next_roster_push(lambda item: item.jid == domain and item.subscription == "from")
    await settled(petrov)
    assert await sessions(office, "petrov") == 2
    await ivanov.set_status("online", "тут")
    for client in (petrov, phone):
        await sees(client, contact, show="", status="тут")

    await office.component.restart()
    await ivanov.set_status("busy", "после перезапуска")
    for client in (petrov, phone):
        await sees(client, contact, show="dnd", status="Занят — после перезапуска")

    await petrov.unsubscribe(contact)
    await petrov.next_roster_push(lambda item: item.jid == contact and item.subscription == "none")
    await sees(petrov, contact, type="unavailable")
    await ivanov.set_status("dnd", "секрет")
    await sidorov.set_status("dnd", "барьер")
    await sees(petrov, office.contact("sidorov"), show="dnd")
    assert petrov.seen(contact).type == "unavailable"


async def test_activity_of_a_client_counts_once_the_domain_may_see_it(office: Office) -> None:
    ivanov, sidorov = await office.client("ivanov"), await office.client("sidorov")
    contact, domain = office.contact("sidorov"), office.server.component_domain
    await sidorov.set_status("online")
    await ivanov.subscribe(contact)
    await ivanov.next_roster_push(lambda item: item.jid == contact and item.subscription == "to")
    await sidorov.subscribe(office.contact("ivanov"))
    await is_told(sidorov, "subscribe", domain)
    sidorov.send(presence(to=domain, type="subscribed"))
    panel = await office.panel("sidorov", "deskphone", None)
    await panel.idle(datetime.now(UTC) - timedelta(minutes=20))
    await sidorov.send_presence("away", idle=datetime.now(UTC) - timedelta(minutes=20))
    await sees(ivanov, contact, show="away")
    await sidorov.send_presence()
    await sees(ivanov, contact, show="")


async def test_the_domain_can_be_added(office: Office) -> None:
    hidden, domain = await office.client("hidden"), office.server.component_domain
    await hidden.subscribe(domain)
    await hidden.next_roster_push(lambda item: item.jid == domain and item.subscription == "to")
    gateway = await sees(hidden, domain)
    assert gateway.caps is not None
    await is_told(hidden, "subscribe", domain)


async def test_the_hidden_and_the_nonexistent_are_refused_alike(office: Office) -> None:
    answers = {
        written_like(await refused(office, who, name), office.contact(name), "contact").replace(office.id(who), "who")
        for who in ("petrov", "stranger")
        for name in ("hidden", "nobody", who)
    }
    answers.add(written_like(await refused(office, "stranger", "ivanov"), office.contact("ivanov"), "contact"))
    assert len({answer.replace(office.id("stranger"), "who") for answer in answers}) == 1, answers
    for who in ("petrov", "stranger"):
        items = {item.jid: item for item in await office.server.roster(office.id(who))}
        for name in ("hidden", "nobody", who):
            item = items[office.contact(name)]
            assert item.subscription == "none", item
            assert item.ask == "none", item


async def refused(office: Office, who: str, name: str) -> Element:
    """Ask to see a contact, and return the refusal."""
    wire = await Wire.open(office, who)
    await wire.iq("<query xmlns='jabber:iq:roster'/>", to=None, kind="get")  # RFC 6121 section 3.2.3: to be told
    wire.write(f"<presence to='{office.contact(name)}' type='subscribe'/>")
    answer = await wire.next(lambda one: one.get("type") == "unsubscribed")
    assert not [one for one in wire.came if one.get("type") == "subscribed"]
    await wire.close()
    return answer
