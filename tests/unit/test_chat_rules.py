"""The chat relay's rules: where a message goes, what of it is rewritten, how it is refused."""

from xml.etree.ElementTree import Element, fromstring, tostring

import pytest

from component.core.chat import STANZAS, XML_LANG, error_returned, forwarded, refused, route
from component.core.directory import Directory, Employee
from component.core.errors import ERROR_TYPES, Refusal
from component.core.texts import LANGUAGES, say

DOMAIN = "panel.example.test"
IVANOV = Employee("ivanov", "ivanov", "ivanov@example.test", "Иванов", groups=("sales",))
ONEIL = Employee("o'neil", "o\\27neil", "oneil@example.test", "O'Neil", groups=("sales",))
SIDOROV = Employee("sidorov", "sidorov", "sidorov@example.test", "Сидоров", groups=("it",))
COLLEAGUES = Directory([IVANOV, ONEIL, SIDOROV], "groups")

NS = "{jabber:component:accept}"
PAYLOADS = """
<body>Привет</body><subject>Тема</subject><thread>t1</thread>
<active xmlns='http://jabber.org/protocol/chatstates'/>
<request xmlns='urn:xmpp:receipts'/><received xmlns='urn:xmpp:receipts' id='m0'/>
<markable xmlns='urn:xmpp:chat-markers:0'/>
<replace xmlns='urn:xmpp:message-correct:0' id='m0'/>
<reactions xmlns='urn:xmpp:reactions:0' id='m0'><reaction>👍</reaction></reactions>
<reply xmlns='urn:xmpp:reply:0' id='m0'/>
<retract xmlns='urn:xmpp:message-retract:1' id='m0'/>
<store xmlns='urn:xmpp:hints'/>
<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>
"""
STAMPS = """
<stanza-id xmlns='urn:xmpp:sid:0' id='s1' by='example.test'/>
<archived xmlns='urn:xmpp:mam:tmp' id='s1' by='example.test'/>
"""


def message(payloads: str = PAYLOADS, *, attributes: str = "type='chat' id='m1' xml:lang='ru'") -> Element:
    return fromstring(
        "<message xmlns='jabber:component:accept' from='oneil@example.test/phone' to='ivanov@panel.example.test' "
        f"{attributes}>{payloads}</message>".replace("\n", "")
    )


def children(element: Element) -> list[bytes]:
    return [tostring(child) for child in element]


@pytest.mark.parametrize("message_type", ["chat", "normal", "headline", None])
def test_a_message_to_a_visible_contact_finds_its_way(message_type: str | None) -> None:
    way = route(COLLEAGUES, "ivanov@example.test", "o\\27neil", message_type)
    assert (way.sender, way.recipient) == (IVANOV, ONEIL)


@pytest.mark.parametrize(
    ("sender", "localpart", "message_type", "condition", "key"),
    [
        ("stranger@example.test", "ivanov", "chat", "forbidden", "not-employee"),
        ("stranger@example.test", "nobody", "groupchat", "forbidden", "not-employee"),
        (IVANOV.account, "nobody", "chat", "item-not-found", "no-such-contact"),
        (IVANOV.account, "sidorov", "chat", "item-not-found", "no-such-contact"),
        (IVANOV.account, "ivanov", "chat", "item-not-found", "no-such-contact"),
        (IVANOV.account, "", "chat", "item-not-found", "no-such-contact"),
        (IVANOV.account, "sidorov", "groupchat", "item-not-found", "no-such-contact"),
        (IVANOV.account, "o\\27neil", "groupchat", "service-unavailable", "no-groupchat"),
    ],
)
def test_refusals_tell_a_stranger_nothing_and_hide_whom_one_may_not_see(
    sender: str, localpart: str, message_type: str, condition: str, key: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        route(COLLEAGUES, sender, localpart, message_type)
    assert (refusal.value.condition, refusal.value.key) == (condition, key)
    assert condition in ERROR_TYPES
    assert all(say(key, language, **refusal.value.values) for language in LANGUAGES)


def test_a_forwarded_message_comes_from_the_senders_contact_with_all_that_he_wrote() -> None:
    original = message(PAYLOADS + STAMPS)
    before = tostring(original)
    copy = forwarded(original, route(COLLEAGUES, ONEIL.account, "ivanov", "chat"), DOMAIN)
    assert copy.tag == f"{NS}message"
    assert copy.attrib == {
        "from": "o\\27neil@panel.example.test/panel",
        "to": "ivanov@example.test",
        "type": "chat",
        "id": "m1",
        XML_LANG: "ru",
    }
    assert children(copy) == children(message(PAYLOADS))
    assert tostring(original) == before


def test_nothing_is_added_that_the_sender_left_out() -> None:
    copy = forwarded(message("", attributes=""), route(COLLEAGUES, ONEIL.account, "ivanov", None), DOMAIN)
    assert set(copy.attrib) == {"from", "to"}
    assert len(copy) == 0


def test_a_bounce_goes_back_from_the_contact_to_the_senders_full_jid() -> None:
    error = f"<error type='cancel'><service-unavailable xmlns='{STANZAS}'/></error>"
    bounce = message(PAYLOADS + STAMPS + error, attributes="type='error' id='m1'")
    before = tostring(bounce)
    returned = error_returned(bounce, "oneil@example.test/phone", "ivanov@panel.example.test/panel")
    assert returned.attrib == {
        "from": "ivanov@panel.example.test/panel",
        "to": "oneil@example.test/phone",
        "type": "error",
        "id": "m1",
    }
    assert children(returned) == children(message(PAYLOADS + error))
    assert tostring(bounce) == before


@pytest.mark.parametrize("condition", ERROR_TYPES)
def test_a_refused_message_is_answered_with_its_id_a_condition_and_a_text(condition: str) -> None:
    answer = refused(message(), condition, "Такого контакта нет", "ru")
    assert answer.tag == f"{NS}message"
    assert answer.attrib == {
        "type": "error",
        "id": "m1",
        "from": "ivanov@panel.example.test",
        "to": "oneil@example.test/phone",
    }
    (error,) = answer
    assert (error.tag, error.get("type")) == (f"{NS}error", ERROR_TYPES[condition])
    defined, text = error
    assert defined.tag == f"{{{STANZAS}}}{condition}"
    assert (text.tag, text.text, text.get(XML_LANG)) == (f"{{{STANZAS}}}text", "Такого контакта нет", "ru")


def test_a_refused_message_without_an_id_is_answered_without_one() -> None:
    assert "id" not in refused(message(attributes="type='chat'"), "forbidden", "нет", "ru").attrib
