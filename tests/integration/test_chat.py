"""Chat through contacts, whatever the phones do, and what happens to messages that cannot be delivered (R8)."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from xml.etree.ElementTree import Element, SubElement, fromstring

import pytest

from component.panel_client import PanelClient, ReceivedMessage, StanzaError
from tests.integration.office import Office, Person, sees
from tests.integration.wire import CLIENT, PING, Wire, error_of, written, written_like
from tests.servers.server import Server

PEOPLE = {
    "ivanov": Person("Иванов Иван", groups="Склад"),
    "petrov": Person("Петров Пётр", groups="Склад"),
    "hidden": Person("Скрытов Семён", groups="Офис"),
    "ghost": Person("Нетов Никита", groups="Склад"),
}
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture(scope="module")
async def office(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Two colleagues, one whom they may not see, one without an account; and a stranger with an account."""
    office = Office(server, tmp_path_factory.mktemp("chat"), PEOPLE, {"company": {"visibility": "groups"}})
    await office.register("ivanov", "petrov", "hidden", "stranger")
    await office.component.start()
    await office.import_directory()
    await office.rosters_ready()
    yield office
    await office.close()


@pytest.fixture(autouse=True)
async def everybody_goes_home(office: Office) -> AsyncIterator[None]:
    yield
    for client in office.clients:
        await client.close()
    office.clients.clear()


async def receives(client: PanelClient, identifier: str) -> ReceivedMessage:
    return await client.next_message(lambda one: one.id == identifier)


def relayed_to(client: PanelClient) -> list[ReceivedMessage]:
    """What came from contacts: Prosody itself tells each session of its privileges, of which it has none."""
    return [one for one in client.inbox if client.component in one.sender]


async def talk(office: Office, petrov: PanelClient, ivanov: PanelClient) -> None:
    """Petrov writes to Ivanov's contact, and Ivanov answers to whom it came from."""
    there = await petrov.send_chat(office.contact("ivanov"), "Перезвони мне")
    asked = await receives(ivanov, there)
    assert (asked.sender, asked.to) == (f"{office.contact('petrov')}/panel", office.account("ivanov"))
    assert (asked.type, asked.body) == ("chat", "Перезвони мне")
    back = await ivanov.send_chat(asked.sender, "Через час")
    answered = await receives(petrov, back)
    assert (answered.sender, answered.to) == (f"{office.contact('ivanov')}/panel", office.account("petrov"))
    assert (answered.type, answered.body) == ("chat", "Через час")


async def test_chat_goes_both_ways_while_the_contact_is_offline(office: Office) -> None:
    petrov = await office.client("petrov")
    ivanov = await office.panel("ivanov", phone="offline")
    await sees(petrov, office.contact("ivanov"), type="unavailable")
    await talk(office, petrov, ivanov)

    await ivanov.report_phone("online")
    await sees(petrov, office.contact("ivanov"))
    assert (await ivanov.set_status("offline")).value == "offline"
    await sees(petrov, office.contact("ivanov"), type="unavailable")
    await talk(office, petrov, ivanov)

    await ivanov.set_status("online")
    await sees(petrov, office.contact("ivanov"))
    pocket = await office.client("ivanov", "pocket")
    await ivanov.close()
    await sees(petrov, office.contact("ivanov"), type="unavailable")
    await talk(office, petrov, pocket)


async def test_a_colleague_who_is_not_connected_reads_it_at_the_next_login(office: Office) -> None:
    petrov = await office.client("petrov")
    first = await petrov.send_chat(office.contact("ivanov"), "Ты где?")
    await petrov.request("get", fromstring(PING), office.contact("ivanov"))
    ivanov = await office.client("ivanov")
    read = await receives(ivanov, first)
    assert (read.sender, read.body) == (f"{office.contact('petrov')}/panel", "Ты где?")
    assert read.delay is not None
    last = await petrov.send_chat(office.contact("ivanov"), "А, вот ты")
    await receives(ivanov, last)
    assert Counter(one.id for one in ivanov.inbox)[first] == 1


PAYLOADS = {
    "receipt asked, origin-id (XEP-0184, 0359)": (
        "<body>x</body><request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>"
    ),
    "receipt": "<received xmlns='urn:xmpp:receipts' id='m1'/><store xmlns='urn:xmpp:hints'/>",
    "correction (XEP-0308)": "<body>y</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>",
    "marker (XEP-0333)": "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>",
    "chat state (XEP-0085)": "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
    "reaction (XEP-0444)": "<reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>👍</reaction></reactions>",
    "reply, fallback (XEP-0461)": (
        "<body>&gt; x\nz</body><reply xmlns='urn:xmpp:reply:0' to='a@b' id='m1'/>"
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>"
    ),
    "retraction (XEP-0424), thread": (
        "<retract xmlns='urn:xmpp:message-retract:1' id='m1'/><thread parent='p'>t</thread>"
    ),
    "unknown, deep, with a language": (
        "<subject xml:lang='de'>Tag</subject><body>x</body><body xml:lang='en'>  two\n spaces </body>"
        "<x xmlns='urn:example:unknown' a='1'>t<y><z xmlns='urn:example:other' xml:lang='fr'>é</z></y>u</x>"
    ),
}


async def test_all_payloads_pass_unchanged_both_ways(office: Office) -> None:
    petrov, ivanov = await Wire.open(office, "petrov"), await Wire.open(office, "ivanov")
    await petrov.settled()
    await ivanov.settled()
    for one, other, contact in ((petrov, ivanov, "ivanov"), (ivanov, petrov, "petrov")):
        for number, (name, payload) in enumerate(PAYLOADS.items()):
            identifier = f"p{number}-{contact}"
            sent = f"<message xmlns='{CLIENT}' type='chat' xml:lang='tt' id='{identifier}'>{payload}</message>"
            one.write(sent.replace("<message ", f"<message to='{office.contact(contact)}' "))
            got = await other.next(has_id(identifier))
            assert without_stamps(got, own=office.account(contact)) == without_stamps(fromstring(sent)), name
    await petrov.close()
    await ivanov.close()


def has_id(identifier: str) -> Callable[[Element], bool]:
    return lambda stanza: stanza.get("id") == identifier


def without_stamps(message: Element, own: str = "") -> tuple[dict[str, str], list[str]]:
    """What is in a message, in any order, without addresses and without what the reader's own server stamped."""
    attributes = {name: value for name, value in message.items() if name not in ("from", "to")}
    stamps = [child for child in message if child.tag.endswith(("}stanza-id", "}archived")) and child.get("by") == own]
    return attributes, sorted(written(child) for child in message if child not in stamps)


async def test_stamps_of_servers_are_stripped(office: Office) -> None:
    petrov, ivanov = await office.client("petrov"), await office.client("ivanov")
    forged = Element("{urn:xmpp:sid:0}stanza-id", {"by": "server.elsewhere.test", "id": "forged"})
    identifier = await petrov.send_chat(office.contact("ivanov"), "x", forged)
    message = (await receives(ivanov, identifier)).xml
    assert {stamp.get("by") for stamp in message.iter("{urn:xmpp:sid:0}stanza-id")} == {office.account("ivanov")}


async def test_types_of_messages(office: Office) -> None:
    petrov, ivanov = await office.client("petrov"), await office.client("ivanov")
    for kind in ("normal", "headline"):
        identifier = await petrov.send_chat(office.contact("ivanov"), "x", type=kind)
        assert (await receives(ivanov, identifier)).type == kind
    untyped = Element(f"{{{CLIENT}}}message", {"to": office.contact("ivanov"), "id": "untyped"})
    SubElement(untyped, f"{{{CLIENT}}}body").text = "x"
    petrov.send(untyped)
    assert (await receives(ivanov, "untyped")).xml.get("type") in (None, "normal")
    refused = await petrov.send_chat(office.contact("ivanov"), "x", type="groupchat")
    error = (await receives(petrov, refused)).error
    assert error == StanzaError("cancel", "service-unavailable", "Групповой чат не поддерживается")


async def test_hidden_contacts_are_as_if_they_did_not_exist(office: Office) -> None:
    petrov = await Wire.open(office, "petrov")
    answers = set()
    nobody = office.contact("nobody")
    for address in (nobody, office.contact("hidden"), office.contact("petrov")):
        for resource in ("", "/panel", "/elsewhere"):
            message = f"<message to='{address}{resource}' type='chat' id='e1'><body>x</body></message>"
            answer = await petrov.ask(message)
            assert (answer.get("to"), answer.get("from")) == (petrov.jid, f"{address}{resource}")
            assert error_of(answer) == ("cancel", "item-not-found", "Такого контакта нет")
            answers.add(written_like(answer, f"{address}{resource}", nobody))
    assert len(answers) == 1, answers
    await petrov.close()


async def test_outsiders_are_refused_whomever_they_write_to(office: Office) -> None:
    stranger, ivanov = await Wire.open(office, "stranger"), await office.client("ivanov")
    answers = set()
    for name in ("ivanov", "hidden", "nobody", "stranger"):
        for kind in ("chat", "normal", "headline", "groupchat"):
            message = f"<message to='{office.contact(name)}' type='{kind}' id='s1'><body>{name}</body></message>"
            answer = await stranger.ask(message)
            assert (answer.get("to"), error_of(answer)[:2]) == (stranger.jid, ("auth", "forbidden"))
            answers.add(written_like(answer, office.contact(name), "contact"))
    assert len(answers) == 1, answers
    await receives(ivanov, await (await office.client("petrov")).send_chat(office.contact("ivanov"), "barrier"))
    assert [one.body for one in relayed_to(ivanov)] == ["barrier"]
    await stranger.close()


async def test_a_bounce_comes_back_to_the_session_that_wrote(office: Office) -> None:
    petrov, other = await office.client("petrov"), await office.client("petrov", "other")
    identifier = await petrov.send_chat(office.contact("ghost"), "есть кто?")
    bounced = await receives(petrov, identifier)
    assert (bounced.sender, bounced.to) == (f"{office.contact('ghost')}/panel", petrov.full_jid)
    assert bounced.error is not None
    assert (bounced.error.type, bounced.error.condition) == ("cancel", "service-unavailable")
    last = await (await office.client("ivanov")).send_chat(office.contact("petrov"), "barrier")
    await receives(other, last)
    assert [one for one in other.inbox if one.error] == []


async def test_nothing_answers_an_error(office: Office) -> None:
    petrov, ivanov = await Wire.open(office, "petrov"), await office.client("ivanov")
    stranger = await Wire.open(office, "stranger")
    for wire in (petrov, stranger):
        for name in ("ivanov", "hidden", "nobody", "petrov"):
            for to in (office.contact(name), f"{office.contact(name)}/panel", wire.domain):
                wire.write(
                    f"<message to='{to}' type='error' id='unknown'><body>x</body>"
                    "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
                )
                wire.write(f"<presence to='{to}' type='error'/><iq to='{to}' type='error' id='unknown'/>")
        await wire.settled()
        came = [one for one in wire.came if one.get("type") == "error" or one.tag.endswith("message")]
        assert [written(one) for one in came if wire.domain in one.get("from", "")] == []
    barrier = await (await office.client("petrov")).send_chat(office.contact("ivanov"), "barrier")
    await receives(ivanov, barrier)
    assert [one.id for one in relayed_to(ivanov)] == [barrier]
    await petrov.close()
    await stranger.close()


async def test_the_domain_itself_takes_no_messages(office: Office) -> None:
    petrov = await office.client("petrov")
    identifier = await petrov.send_chat(office.server.component_domain, "есть кто?")
    answer = await receives(petrov, identifier)
    assert (answer.sender, answer.to) == (office.server.component_domain, petrov.full_jid)
    assert answer.error is not None
    assert (answer.error.type, answer.error.condition) == ("cancel", "service-unavailable")
