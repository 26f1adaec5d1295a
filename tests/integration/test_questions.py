"""What clients ask of the domain and of contacts, and that nobody learns what he may not see."""

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest

from component import __version__
from tests.integration.office import Office, Person, sees
from tests.integration.wire import PING, Wire, error_of
from tests.servers.server import Server

PEOPLE = {
    "ivanov": Person("Иванов Иван", groups="Склад", extension="101", timezone="Asia/Yekaterinburg"),
    "petrov": Person("Петров Пётр", groups="Склад"),
    "hidden": Person("Скрытов Семён", groups="Офис"),
}
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
QUESTIONS = {
    "info": f"<query xmlns='{INFO}'/>",
    "info of a node": f"<query xmlns='{INFO}' node='x'/>",
    "items": f"<query xmlns='{ITEMS}'/>",
    "version": "<query xmlns='jabber:iq:version'/>",
    "last": "<query xmlns='jabber:iq:last'/>",
    "vcard": "<vCard xmlns='vcard-temp'/>",
    "time": "<time xmlns='urn:xmpp:time'/>",
    "ping": PING,
}


@pytest.fixture(scope="module")
async def office(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Two colleagues, one whom they may not see, and a stranger with an account."""
    office = Office(server, tmp_path_factory.mktemp("questions"), PEOPLE, {"company": {"visibility": "groups"}})
    await office.register("stranger")
    await office.open()
    yield office
    await office.close()


@pytest.fixture(scope="module")
async def petrov(office: Office) -> AsyncIterator[Wire]:
    wire = await Wire.open(office, "petrov")
    yield wire
    await wire.close()


@pytest.fixture(scope="module")
async def stranger(office: Office) -> AsyncIterator[Wire]:
    wire = await Wire.open(office, "stranger")
    yield wire
    await wire.close()


async def answer(wire: Wire, payload: str, to: str = "", lang: str = "") -> Element:
    """The payload of a result."""
    result = await wire.iq(payload, to, "get", lang)
    assert result.get("type") == "result", error_of(result)
    assert result.get("from") == (to or wire.domain)
    assert result.get("to") == wire.jid
    return next(iter(result), Element("empty"))


def features(query: Element) -> set[str]:
    return {one.get("var", "") for one in query.iter(f"{{{INFO}}}feature")}


def identities(query: Element) -> list[tuple[str, str, str]]:
    found = query.iter(f"{{{INFO}}}identity")
    return [(one.get("category", ""), one.get("type", ""), one.get("name", "")) for one in found]


def verification(query: Element) -> str:
    """XEP-0115 section 5.1, for answers without xml:lang and without forms."""
    text = "".join(f"{category}/{kind}//{name}<" for category, kind, name in sorted(identities(query)))
    text += "".join(f"{feature}<" for feature in sorted(features(query)))
    return base64.b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


async def test_info_of_the_domain(petrov: Wire) -> None:
    query = await answer(petrov, QUESTIONS["info"])
    assert identities(query) == [("gateway", "sip", "Статусы телефонии")]
    expected = {
        INFO,
        ITEMS,
        "http://jabber.org/protocol/commands",
        "urn:panel-presence:1",
        "urn:xmpp:ping",
        "jabber:iq:version",
        "jabber:iq:last",
        "vcard-temp",
    }
    assert features(query) >= expected
    for feature in ("version", "last", "vcard", "ping"):
        await answer(petrov, QUESTIONS[feature])
    error = error_of(await petrov.iq(QUESTIONS["info of a node"], kind="get"))
    assert error[:2] == ("cancel", "item-not-found")


async def test_a_contacts_caps_are_those_of_its_own_answer(office: Office, petrov: Wire) -> None:
    watcher = await office.client("petrov", "watcher")
    caps = (await sees(watcher, office.contact("ivanov"))).caps
    await watcher.close()
    assert caps is not None
    node, ver = caps
    contact = f"{office.contact('ivanov')}/panel"
    query = await answer(petrov, QUESTIONS["info"], contact)
    assert identities(query) == [("client", "phone", "Panel Presence")]
    assert features(query) >= {"urn:xmpp:receipts", "urn:xmpp:idle:1", "urn:xmpp:chat-markers:0", "urn:xmpp:time"}
    assert verification(query) == ver
    named = await answer(petrov, f"<query xmlns='{INFO}' node='{node}#{ver}'/>", contact)
    assert (named.get("node"), verification(named)) == (f"{node}#{ver}", ver)


async def test_items_are_the_contacts_that_one_may_see(office: Office, petrov: Wire, stranger: Wire) -> None:
    async def listed(wire: Wire, to: str = "") -> list[tuple[str | None, str | None]]:
        query = await answer(wire, QUESTIONS["items"], to)
        return [(one.get("jid"), one.get("name")) for one in query]

    assert await listed(petrov) == [(office.contact("ivanov"), "Иванов Иван")]
    assert await listed(petrov, office.contact("ivanov")) == []
    assert await listed(stranger) == []
    hidden = await Wire.open(office, "hidden")
    assert await listed(hidden) == []
    await hidden.close()


async def test_version_vcard_time_ping(office: Office, petrov: Wire) -> None:
    contact = office.contact("ivanov")
    for to in ("", contact, f"{contact}/panel"):
        version = await answer(petrov, QUESTIONS["version"], to)
        assert [(one.tag.rpartition("}")[2], one.text) for one in version] == [
            ("name", "Panel Presence"),
            ("version", __version__),
        ]
        assert (await answer(petrov, PING, to)).tag == "empty"
    card = await answer(petrov, QUESTIONS["vcard"], contact)
    assert card.findtext("{vcard-temp}FN") == "Иванов Иван"
    assert card.findtext("{vcard-temp}TEL/{vcard-temp}NUMBER") == "101"
    assert (await answer(petrov, QUESTIONS["vcard"])).findtext("{vcard-temp}FN") == "Статусы телефонии"
    time = await answer(petrov, QUESTIONS["time"], contact)
    assert time.findtext("{urn:xmpp:time}tzo") == "+05:00"
    utc = datetime.fromisoformat(time.findtext("{urn:xmpp:time}utc", ""))
    assert abs(datetime.now(UTC) - utc) < timedelta(minutes=1)


async def test_last_activity(office: Office, petrov: Wire) -> None:
    uptime = int((await answer(petrov, QUESTIONS["last"])).get("seconds", ""))
    assert 0 <= uptime < 120
    contact = office.contact("ivanov")
    ivanov = await office.panel("ivanov")
    watcher = await office.client("petrov", "watcher")
    await sees(watcher, contact)
    assert (await answer(petrov, QUESTIONS["last"], contact)).get("seconds") == "0"
    await ivanov.idle(datetime.now(UTC) - timedelta(minutes=20))
    await sees(watcher, contact, show="away")
    assert 1200 <= int((await answer(petrov, QUESTIONS["last"], contact)).get("seconds", "")) < 1220
    await ivanov.active()
    await ivanov.report_phone("offline")
    await sees(watcher, contact, type="unavailable")
    gone = await answer(petrov, QUESTIONS["last"], contact)
    assert int(gone.get("seconds", "")) < 20
    assert gone.text == "Телефон отключён, чат работает"
    await ivanov.close()
    await watcher.close()


async def test_outsiders_learn_nothing(office: Office, petrov: Wire, stranger: Wire) -> None:
    namespace = "xmlns='urn:panel-presence:1'"
    for kind, payload in (
        ("get", f"<status {namespace}/>"),
        ("set", f"<status {namespace} value='busy'/>"),
        ("get", f"<statuses {namespace}/>"),
        ("set", f"<phone {namespace} employee='{office.id('ivanov')}' state='offline'/>"),
        ("set", f"<phone {namespace} employee='{office.id('nobody')}' state='offline'/>"),
        ("set", "<command xmlns='http://jabber.org/protocol/commands' node='set-status' action='execute'/>"),
        ("set", "<command xmlns='http://jabber.org/protocol/commands' node='show-status' action='execute'/>"),
    ):
        assert error_of(await stranger.iq(payload, kind=kind))[:2] == ("auth", "forbidden"), payload
    commands = await answer(stranger, f"<query xmlns='{ITEMS}' node='http://jabber.org/protocol/commands'/>")
    assert len(commands) == 0

    begin, mark = len(stranger.came), len(petrov.came)
    for name in ("ivanov", "hidden", "nobody"):
        for to in (office.contact(name), f"{office.contact(name)}/panel"):
            stranger.write(f"<presence to='{to}' type='probe'/><presence to='{to}'/>")
    stranger.write(f"<presence to='{stranger.domain}' type='probe'/>")
    stranger.write(f"<presence to='{stranger.domain}'><panel {namespace} mode='softphone' phone='online'/></presence>")
    stranger.write(f"<presence to='{stranger.domain}'><panel {namespace} mode='toaster'/></presence>")
    await stranger.settled()
    assert [one.attrib for one in stranger.came[begin:-1]] == []
    await petrov.settled()
    assert [one for one in petrov.came[mark:-1] if "stranger" in one.get("from", "")] == []
