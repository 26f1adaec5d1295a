"""The commands of the domain (XEP-0050), with which any client does what a panel does."""

from collections.abc import AsyncIterator
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

import pytest

from tests.integration.office import Office, Person, sees
from tests.integration.wire import Wire, error_of
from tests.servers.server import Server

COMMANDS = "http://jabber.org/protocol/commands"
DATA = "{jabber:x:data}"
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
PEOPLE = {
    "ivanov": Person("Иванов Иван"),
    "petrov": Person("Петров Пётр"),
    "desk": Person("Столов Степан", mode="deskphone"),
}
SETTINGS = {"status": {"presets": {"На обеде": "busy"}}}


@pytest.fixture(scope="module")
async def office(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    office = Office(server, tmp_path_factory.mktemp("commands"), PEOPLE, SETTINGS)
    await office.open()
    yield office
    await office.close()


@pytest.fixture
async def ivanov(office: Office) -> AsyncIterator[Wire]:
    wire = await Wire.open(office, "ivanov")
    yield wire
    await wire.close()


async def command(wire: Wire, node: str, payload: str = "", *, lang: str = "", **attributes: str) -> Element:
    """Send a command and return its answer, an error or not."""
    more = "".join(f" {name}='{value}'" for name, value in attributes.items())
    return await wire.iq(f"<command xmlns='{COMMANDS}' node='{node}'{more}>{payload}</command>", lang=lang)


def form(**values: str) -> str:
    fields = "".join(f"<field var='{name}'><value>{escape(value)}</value></field>" for name, value in values.items())
    return f"<x xmlns='jabber:x:data' type='submit'>{fields}</x>"


def inside(result: Element, status: str) -> Element:
    """The `<command/>` of a result, which has this status."""
    found = result.find(f"{{{COMMANDS}}}command")
    assert found is not None, error_of(result)
    assert found.get("status") == status
    assert found.get("sessionid")
    return found


def labels(answer: Element) -> dict[str, str]:
    return {one.get("var", ""): one.get("label", "") for one in answer.iter(f"{DATA}field")}


def options(answer: Element) -> dict[str, str]:
    return {one.findtext(f"{DATA}value", ""): one.get("label", "") for one in answer.iter(f"{DATA}option")}


def values(answer: Element) -> dict[str, str]:
    return {one.get("var", ""): one.findtext(f"{DATA}value", "") for one in answer.iter(f"{DATA}field")}


def note(answer: Element) -> str:
    return answer.findtext(f"{{{COMMANDS}}}note", "")


async def test_the_list_of_commands(ivanov: Wire) -> None:
    names = {
        "ru": ["Установить статус", "Мой статус", "Заблокировать коллегу", "Разблокировать коллегу"],
        "en": ["Set status", "My status", "Block a colleague", "Unblock a colleague"],
    }
    for lang, expected in names.items():
        items = await ivanov.iq(f"<query xmlns='{ITEMS}' node='{COMMANDS}'/>", kind="get", lang=lang)
        found = list(items.iter(f"{{{ITEMS}}}item"))
        assert [(one.get("jid"), one.get("node")) for one in found] == [
            (ivanov.domain, "set-status"),
            (ivanov.domain, "show-status"),
            (ivanov.domain, "block"),
            (ivanov.domain, "unblock"),
        ]
        assert [one.get("name") for one in found] == expected
        info = await ivanov.iq(f"<query xmlns='{INFO}' node='set-status'/>", kind="get", lang=lang)
        identity = info.find(f"{{{INFO}}}query/{{{INFO}}}identity")
        assert identity is not None
        assert identity.attrib == {"category": "automation", "type": "command-node", "name": expected[0]}


async def test_the_form_in_both_languages(ivanov: Wire) -> None:
    russian = inside(await command(ivanov, "set-status", action="execute"), "executing")
    assert labels(russian) == {"status": "Статус", "text": "Текст"}
    assert options(russian) == {
        "online": "Онлайн",
        "busy": "Занят",
        "dnd": "Не беспокоить",
        "offline": "Офлайн",
        "На обеде": "На обеде",
    }
    assert values(russian)["status"] == "online"
    english = inside(await command(ivanov, "set-status", lang="en-GB"), "executing")
    assert labels(english) == {"status": "Status", "text": "Text"}
    assert options(english)["dnd"] == "Do not disturb"
    actions = english.find(f"{{{COMMANDS}}}actions")
    assert actions is not None
    assert [one.tag for one in actions] == [f"{{{COMMANDS}}}complete"]


async def test_setting_a_status_is_seen_and_counts_as_a_launch(office: Office, ivanov: Wire) -> None:
    petrov = await office.client("petrov")
    contact = office.contact("desk")
    wire = await Wire.open(office, "desk")
    session = inside(await command(wire, "set-status", action="execute"), "executing").get("sessionid", "")
    filled = form(status="busy", text="На совещании")
    done = inside(await command(wire, "set-status", filled, sessionid=session, action="complete"), "completed")
    assert done.get("sessionid") == session
    assert note(done) == "Ваш статус: Занят — На совещании"
    await sees(petrov, contact, show="dnd", status="Занят — На совещании")

    shown = inside(await command(wire, "show-status", lang="en"), "completed")
    assert note(shown) == "Your status: Busy — На совещании"
    assert values(shown)["text"] == "На совещании"
    again = inside(await command(wire, "set-status"), "executing")
    assert values(again) == {"status": "busy", "text": "На совещании"}

    # XEP-0050 section 3.4: `execute` with a form does the default action, which is `complete` here.
    preset = inside(await command(wire, "set-status", form(status="На обеде", text=""), action="execute"), "completed")
    assert note(preset) == "Ваш статус: Занят — На обеде"
    await sees(petrov, contact, show="dnd", status="Занят — На обеде")
    inside(await command(wire, "set-status", form(status="online"), action="complete"), "completed")
    await sees(petrov, contact, show="", status="")
    await wire.close()


async def test_cancel_changes_nothing(ivanov: Wire) -> None:
    inside(await command(ivanov, "set-status", form(status="dnd"), action="complete"), "completed")
    session = inside(await command(ivanov, "set-status"), "executing").get("sessionid", "")
    for payload in ("", form(status="online")):
        inside(await command(ivanov, "set-status", payload, sessionid=session, action="cancel"), "canceled")
    assert values(inside(await command(ivanov, "set-status"), "executing"))["status"] == "dnd"


async def test_bad_forms(office: Office, ivanov: Wire) -> None:
    inside(await command(ivanov, "set-status", form(status="busy", text="до"), action="complete"), "completed")
    for filled, condition, text in (
        (form(status="lunch"), "bad-request", "'lunch'"),
        (form(status="was-here"), "bad-request", "'was-here'"),
        (form(status=""), "bad-request", "''"),
        (form(text="x"), "bad-request", "online, busy, dnd"),
        (form(), "bad-request", "online, busy, dnd"),
        (form(status="busy", text="x" * 301), "not-acceptable", "301"),
        (form(status="busy", text="a\u202eb"), "not-acceptable", "U+202E"),
    ):
        result = await command(ivanov, "set-status", filled, lang="en", action="complete")
        assert error_of(result)[:2] == ("modify", condition), filled
        assert text in error_of(result)[2]
        assert values(inside(await command(ivanov, "set-status"), "executing")) == {"status": "busy", "text": "до"}
    desk = await Wire.open(office, "desk")
    refused = error_of(await command(desk, "set-status", form(status="offline"), action="complete"))
    assert refused == ("cancel", "not-allowed", "Статус «Офлайн» можно выбрать только в режиме софтфона")
    await desk.close()


async def test_bad_commands(ivanov: Wire) -> None:
    for node in ("reboot", ""):
        error = error_of(await command(ivanov, node, lang="en", action="execute"))
        assert error == ("cancel", "item-not-found", f"no command '{node}'")
    for action in ("prev", "explode"):
        for payload in ("", form(status="busy")):
            error = error_of(await command(ivanov, "set-status", payload, lang="en", action=action))
            assert error[:2] == ("modify", "bad-request")
            assert action in error[2]
    got = await ivanov.iq(f"<command xmlns='{COMMANDS}' node='set-status'/>", kind="get")
    assert error_of(got)[:2] == ("cancel", "service-unavailable")
    inside(await command(ivanov, "show-status"), "completed")
