"""Chat between contacts and accounts: forwarded, refused, returned; errors are never answered."""

from dataclasses import replace
from xml.etree.ElementTree import Element, SubElement, fromstring

import pytest

from component.core.facts import Mode
from component.services.company import Settings
from component.services.relay import Relay
from tests.unit.fakes import DOMAIN, World, employee

NS = "{jabber:component:accept}"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
PETROV, IVANOV = "petrov@example.test", "ivanov@example.test"


@pytest.fixture
def world() -> World:
    people = (employee("ivanov", ("a",)), employee("petrov", ("a",)), employee("hidden", ("b",)))
    return World(*people, settings=Settings(DOMAIN, visibility="groups"))


def message(
    to: str = f"ivanov@{DOMAIN}", kind: str | None = "chat", identifier: str | None = "m1", sender: str = f"{PETROV}/pc"
) -> Element:
    attributes = {"from": sender, "to": to, "type": kind, "id": identifier}
    made = Element(f"{NS}message", {name: value for name, value in attributes.items() if value is not None})
    SubElement(made, f"{NS}body").text = "Привет"
    return made


def bounce_of(forwarded: Element) -> Element:
    """The server's error about a forwarded message."""
    attributes = {"type": "error", "from": forwarded.get("to", ""), "to": forwarded.get("from", "")}
    bounced = Element(forwarded.tag, {**attributes, "id": forwarded.get("id", "")})
    bounced.append(
        fromstring(f"<error xmlns='jabber:component:accept' type='cancel'><gone xmlns='{STANZAS[1:-1]}'/></error>")
    )
    return bounced


def addresses(one: Element) -> tuple[str | None, str | None, str | None, str | None]:
    return one.get("from"), one.get("to"), one.get("type"), one.get("id")


def condition(one: Element) -> str:
    error = one.find(f"{NS}error")
    assert error is not None
    return error[0].tag.removeprefix(STANZAS)


def test_a_message_goes_on_and_a_bounce_comes_back_to_the_session_that_sent_it(world: World) -> None:
    world.relay.message(message())
    (forwarded,) = world.stream.messages
    assert addresses(forwarded) == (f"petrov@{DOMAIN}/panel", IVANOV, "chat", "m1")
    assert forwarded.findtext(f"{NS}body") == "Привет"
    world.relay.message(bounce_of(forwarded))
    world.relay.message(bounce_of(forwarded))
    (_, returned) = world.stream.messages
    assert addresses(returned) == (f"ivanov@{DOMAIN}/panel", f"{PETROV}/pc", "error", "m1")
    assert condition(returned) == "gone"


def test_a_message_without_an_id_gets_one_so_that_its_bounce_finds_the_way_back(world: World) -> None:
    world.relay.message(message(identifier=None))
    world.relay.message(message(identifier=None, sender=f"{PETROV}/phone"))
    first, second = world.stream.messages
    assert first.get("id") not in (None, second.get("id"))
    world.relay.message(bounce_of(first))
    assert world.stream.messages[-1].get("to") == f"{PETROV}/pc"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (message(sender="stranger@example.test/x"), "forbidden"),
        (message(to=f"nobody@{DOMAIN}"), "item-not-found"),
        (message(to=f"hidden@{DOMAIN}/panel"), "item-not-found"),
        (message(to=f"petrov@{DOMAIN}"), "item-not-found"),
        (message(kind="groupchat"), "service-unavailable"),
    ],
    ids=["a stranger", "no contact", "hidden", "himself", "groupchat"],
)
def test_what_cannot_be_forwarded_comes_back_with_its_id(world: World, one: Element, why: str) -> None:
    world.relay.message(one)
    (answer,) = world.stream.messages
    assert addresses(answer) == (one.get("to"), one.get("from"), "error", "m1")
    assert condition(answer) == why
    world.relay.message(answer)
    assert len(world.stream.messages) == 1, "an error is never answered"


@pytest.mark.parametrize("to", [f"nobody@{DOMAIN}", f"hidden@{DOMAIN}", f"ivanov@{DOMAIN}"])
def test_an_error_about_nothing_that_we_sent_goes_nowhere(world: World, to: str) -> None:
    world.relay.message(message(to=to, kind="error"))
    world.relay.refuse(message(to=to, kind="error"), "service-unavailable", "not-here")
    assert world.stream.messages == []


def test_a_bounce_of_one_who_left_the_directory_meanwhile_goes_nowhere(world: World) -> None:
    world.relay.message(message())
    world.company.set_directory((employee("petrov", ("a",)),))
    world.relay.message(bounce_of(world.stream.messages[0]))
    assert len(world.stream.messages) == 1


def test_refusals_speak_the_language_of_the_message_or_else_of_the_employee(world: World) -> None:
    world.company.set_directory((employee("ivanov"), replace(employee("petrov"), language="en")))
    asked = message(to=f"nobody@{DOMAIN}")
    world.relay.message(asked)
    asked.set(XML_LANG, "ru-RU")
    world.relay.message(asked)
    world.relay.refuse(message(sender="stranger@example.test/x"), "service-unavailable", "not-here")
    texts = [one.findtext(f".//{STANZAS}text") for one in world.stream.messages]
    assert texts == ["no such contact", "Такого контакта нет", "Здесь такого нет"]


def test_a_message_is_a_sign_of_life_even_when_it_is_refused(world: World) -> None:
    chat = world.client("petrov")
    world.attendance.panel(f"{PETROV}/panel", "petrov", Mode.DESKPHONE, None, world.clock.now)
    world.clock.pass_by(minutes=20)
    assert world.company.status("petrov", world.clock.now).status == "was-here"
    world.relay.message(message(to=f"nobody@{DOMAIN}", sender=chat))
    assert world.company.status("petrov", world.clock.now).status == "online"


def test_what_may_not_leave_is_refused_to_its_sender(world: World) -> None:
    world.stream.stopped = 1
    world.relay.message(message())
    (answer,) = world.stream.messages
    assert addresses(answer) == (f"ivanov@{DOMAIN}", f"{PETROV}/pc", "error", "m1")
    assert condition(answer) == "not-acceptable"


def test_what_is_remembered_for_bounces_has_a_bound(world: World) -> None:
    relay = Relay(world.company, world.attendance, world.stream, remembered=2)
    for number in range(3):
        relay.message(message(identifier=str(number)))
    first, second = world.stream.messages[:2]
    world.stream.messages.clear()
    relay.message(bounce_of(first))
    assert world.stream.messages == []
    relay.message(bounce_of(second))
    assert [one.get("id") for one in world.stream.messages] == ["1"]
