"""Hidden, blocked and nonexistent contacts are one and the same in every answer, and so is all of it for outsiders."""

from collections.abc import AsyncIterator
from xml.etree.ElementTree import Element

import pytest

from tests.integration.office import Office, Person
from tests.integration.wire import PING, Wire, error_of, written_like
from tests.servers.server import Server

PANEL = "urn:panel-presence:1"
RSM = "http://jabber.org/protocol/rsm"
COMMANDS = "http://jabber.org/protocol/commands"
PEOPLE = {
    "petrov": Person("Петров Пётр", groups="Склад"),
    "ivanov": Person("Иванов Иван", groups="Склад", extension="101", timezone="Asia/Omsk"),
    "hidden": Person("Скрытов Семён", groups="Офис", extension="102"),
    "blocked": Person("Отстойнов Олег", groups="Склад", extension="103"),
    "blocker": Person("Стеснеев Степан", groups="Склад", extension="104"),
}
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
GONE = "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
FORM = "<x xmlns='jabber:x:data' type='submit'><field var='colleague'><value>{id}</value></field></x>"
CHAT = "<body>Есть кто?</body><request xmlns='urn:xmpp:receipts'/>"


def iq(kind: str, payload: str, attributes: str = "") -> str:
    return f"<iq type='{kind}' to='{{to}}' id='i' {attributes}>{payload}</iq>"


def presence(kind: str) -> str:
    return f"<presence to='{{to}}' type='{kind}'/>"


# Each question, and whether a colleague who may see the contact is answered otherwise (None: the roster would change).
QUESTIONS = {
    "info": (iq("get", f"<query xmlns='{INFO}'/>"), True),
    "info of a node": (iq("get", f"<query xmlns='{INFO}' node='x'/>"), True),
    "items": (iq("get", f"<query xmlns='{ITEMS}'/>"), True),
    "commands": (iq("get", f"<query xmlns='{ITEMS}' node='{COMMANDS}'/>"), True),
    "command": (iq("set", f"<command xmlns='{COMMANDS}' node='set-status'/>"), False),
    "version": (iq("get", "<query xmlns='jabber:iq:version'/>"), True),
    "last": (iq("get", "<query xmlns='jabber:iq:last'/>"), True),
    "vcard": (iq("get", "<vCard xmlns='vcard-temp'/>"), True),
    "vcard in English": (iq("get", "<vCard xmlns='vcard-temp'/>", "xml:lang='en'"), True),
    "set vcard": (iq("set", "<vCard xmlns='vcard-temp'><FN>X</FN></vCard>"), False),
    "time": (iq("get", "<time xmlns='urn:xmpp:time'/>"), True),
    "ping": (iq("get", PING), True),
    "status": (iq("get", f"<status xmlns='{PANEL}'/>"), False),
    "set status": (iq("set", f"<status xmlns='{PANEL}' value='busy'/>"), False),
    "unknown": (iq("get", "<x xmlns='urn:example:unknown'/>"), False),
    "chat": (f"<message to='{{to}}' type='chat' id='m'>{CHAT}</message>", True),
    "message": (f"<message to='{{to}}'>{CHAT}</message>", True),
    "group chat": (f"<message to='{{to}}' type='groupchat' id='m'>{CHAT}</message>", True),
    "receipt": ("<message to='{to}' id='m'><received xmlns='urn:xmpp:receipts' id='x'/></message>", True),
    "bounce": (f"<message to='{{to}}' type='error' id='m'>{GONE}</message>", False),
    "subscribe": (presence("subscribe"), True),
    "unsubscribe": (presence("unsubscribe"), None),
    "subscribed": (presence("subscribed"), None),
    "unsubscribed": (presence("unsubscribed"), None),
    "probe": (presence("probe"), True),
    "presence": ("<presence to='{to}'/>", False),
    "panel": (f"<presence to='{{to}}'><panel xmlns='{PANEL}' mode='softphone' phone='offline'/></presence>", False),
    "absence": (presence("unavailable"), False),
    "error": (f"<presence to='{{to}}' type='error'>{GONE}</presence>", False),
}
GETS = [stanza for stanza, _ in QUESTIONS.values() if "type='get'" in stanza]
QUESTIONS["all as sets"] = ("".join(stanza.replace("type='get'", "type='set'") for stanza in GETS), False)
# What is asked of the domain about somebody, and the errors of an employee and of an outsider.
ABOUT = {
    "block": f"<command xmlns='{COMMANDS}' node='block'>{FORM}</command>",
    "unblock": f"<command xmlns='{COMMANDS}' node='unblock'>{FORM}</command>",
    "statuses": f"<statuses xmlns='{PANEL}'><set xmlns='{RSM}'><after>{{id}}</after></set></statuses>",
    "phone": f"<phone xmlns='{PANEL}' employee='{{id}}' state='offline'/>",
}
ASKERS = {
    "petrov": ("nobody", "hidden", "blocked", "blocker", "petrov"),
    "blocked": ("nobody", "hidden", "petrov"),
    "blocker": ("nobody", "hidden", "petrov"),
    "stranger": ("nobody", "hidden", "petrov", "ivanov", "stranger"),
}


@pytest.fixture(scope="module")
async def office(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Petrov sees Ivanov alone: one is hidden from him, one blocked by him, one blocks him. And a stranger."""
    office = Office(server, tmp_path_factory.mktemp("privacy"), PEOPLE, {"company": {"visibility": "groups"}})
    await office.register("stranger")
    await office.open()
    begin = len(office.component.lines)
    await office.component.control.block(office.id("petrov"), office.id("blocked"))
    await office.component.control.block(office.id("blocker"), office.id("petrov"))
    for name in ("blocked", "blocker"):  # a colleague's roster may be ready before the other one's is looked at
        while office.contact("petrov") in [one.jid for one in await office.server.roster(office.id(name))]:
            begin = len(office.component.lines)
            await office.rosters_ready(begin)
    yield office
    await office.close()
    assert not [line for line in office.component.lines if "could not be" in line or "Traceback" in line]


@pytest.fixture(scope="module")
async def wires(office: Office) -> AsyncIterator[dict[str, Wire]]:
    opened = {name: await Wire.open(office, name) for name in ASKERS}
    for wire in opened.values():
        await wire.settled()  # the presences of the contacts in the roster are here
    yield opened
    for wire in opened.values():
        await wire.close()


async def answers(office: Office, wire: Wire, stanza: str, name: str) -> list[str]:
    """All that comes from the component for a stanza to a contact's bare and full JIDs, its address taken out."""
    begin, contact = len(wire.came), office.contact(name)
    for resource in ("", "/panel", "/other"):
        wire.write(stanza.format(to=f"{contact}{resource}"))
        await wire.settled()
    account = wire.jid.partition("/")[0]
    return [
        written_like(one, contact, "CONTACT").replace(account, "ASKER")
        for one in wire.came[begin:]
        if one.get("from", "").partition("/")[0].endswith(f"@{wire.domain}")
    ]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("asker", ASKERS)
async def test_who_is_not_seen_does_not_exist(
    office: Office, wires: dict[str, Wire], asker: str, question: str
) -> None:
    stanza, tells = QUESTIONS[question]
    first, *others = ASKERS[asker]
    expected = await answers(office, wires[asker], stanza, first)
    for name in others:
        assert await answers(office, wires[asker], stanza, name) == expected, name
    if asker == "petrov" and tells is not None:
        assert (await answers(office, wires[asker], stanza, "ivanov") != expected) is tells, "a colleague's is another"


@pytest.mark.parametrize("question", ABOUT)
async def test_what_is_asked_of_the_domain_about_somebody(
    office: Office, wires: dict[str, Wire], question: str
) -> None:
    for asker in ("petrov", "blocked", "stranger"):
        found = set()
        for name in ("nobody", "hidden", "blocker" if asker == "petrov" else "petrov"):
            given = ABOUT[question].format(id=office.id(name))
            kind = "get" if question == "statuses" else "set"
            answer = await wires[asker].iq(given, kind=kind)
            expected = "item-not-found" if asker != "stranger" and question != "phone" else "forbidden"
            assert error_of(answer)[1] == expected
            found.add(written_like(answer, office.id(name), "ID"))
        assert len(found) == 1, found


async def test_lists_have_neither_the_hidden_nor_the_blocked(office: Office, wires: dict[str, Wire]) -> None:
    def listed(result: Element, child: str) -> set[str]:
        return {one.get("jid", "") for one in result[0] if one.tag.endswith(child)}

    seen = {"petrov": {"ivanov"}, "blocked": {"ivanov", "blocker"}, "blocker": {"ivanov", "blocked"}}
    for asker, names in seen.items():
        items = await wires[asker].iq(f"<query xmlns='{ITEMS}'/>", kind="get")
        assert listed(items, "item") == {office.contact(name) for name in names}
        statuses = await wires[asker].iq(f"<statuses xmlns='{PANEL}'/>", kind="get")
        assert listed(statuses, "employee") == {office.contact(name) for name in names}
        rosters = {one.jid for one in await office.server.roster(office.id(asker)) if one.subscription != "none"}
        assert rosters == {office.server.component_domain, *(office.contact(name) for name in names)}


async def test_what_the_asked_receive_of_it(office: Office, wires: dict[str, Wire]) -> None:
    told = {name: len(wires[name].came) for name in ("blocked", "blocker")}
    for question in ("chat", "receipt", "subscribe", "unsubscribe", "probe", "presence", "absence"):
        for name in told:
            await answers(office, wires["petrov"], QUESTIONS[question][0], name)
        for asker in ("stranger", "petrov"):
            await answers(office, wires[asker], QUESTIONS[question][0], "hidden")
    await office.component.control.set_status(office.id("petrov"), "dnd", text="Тайна", until=None)
    await office.component.control.set_status(office.id("petrov"), "online", text=None, until=None)
    for name, begin in told.items():
        await wires[name].settled()
        assert wires[name].came[begin:-1] == [], name
