"""A flood of odd stanzas: every request is answered, nobody else notices, and the stream stays open."""

import random
from collections.abc import AsyncIterator
from copy import deepcopy
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

import pytest

from component.core.address import split
from component.panel_client import PanelClient
from component.xmpp.gate import Stopped, serialize
from component.xmpp.namespaces import IQ, MESSAGE, PRESENCE
from tests.corpus import examples
from tests.integration.office import PEOPLE, Office, sees
from tests.integration.wire import Wire, error_of, written
from tests.servers.server import Server
from tests.unit.fakes import DOMAIN
from tests.unit.mutations import mutated

PANEL = "urn:panel-presence:1"
UNTILS = (
    *("", " ", "\t", "0", "now", "NaN", "Infinity", "-1", "1e999", "+30m", "18:00", "2026", "T", "Z", "TZ"),
    *("2026-11-24T", "2026-11-24T24:61:00Z", "2026-02-30T10:00:00Z", "2026-11-24T10:00:60Z", "2026-W48-2T10:00:00Z"),
    *("20261124T100000Z", "2026-328T10:00:00Z", "2026-11-24T10:00:00+99:99", "2026-11-24T10:00:00-24:00"),
    *("٢٠٢٦-11-24T10:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z"),
    *("2026-11-24T10:00:00.123456789123456Z", "-2026-11-24T10:00:00Z", "2026-11-24T10:00:00 Europe/Moscow"),
    *("1970-01-01T00:00:00Z", "{value}", "{0}", "%s", "x" * 5000, "<&>\"'", "\U0001f600"),
)
# Prosody 0.12 drops a message of more than 126 levels by itself where it archives: its storage cannot write it.
NESTED = "<x xmlns='urn:example:nested'>" + "<y>" * 120 + "</y>" * 120 + "</x>"
DEEP = "<x xmlns='urn:example:deep'>" + "<y>" * 3000 + "</y>" * 3000 + "</x>"
WIDE = "<x xmlns='urn:example:wide'>" + "<y a='1'/>" * 5000 + "</x>"


@pytest.fixture(scope="module")
async def office(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    office = Office(server, tmp_path_factory.mktemp("odd"), PEOPLE, {})
    await office.register("stranger")
    await office.open()
    yield office
    await office.close()
    lines = office.component.lines
    assert len([line for line in lines if " connected to " in line]) == 1, office.component.tail()
    assert not [line for line in lines if "Traceback" in line or " ERROR " in line]


@pytest.fixture(params=["ivanov", "stranger"])
async def wire(office: Office, request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    """The session of an employee, and that of somebody else."""
    wire = await Wire.open(office, request.param, lang="en")
    yield wire
    await wire.settled()
    await wire.close()


async def test_odd_times(wire: Wire) -> None:
    for until in UNTILS:
        attribute = quoteattr(until, {"\t": "&#9;"})
        answer = await wire.iq(f"<status xmlns='{PANEL}' value='dnd' until={attribute}/>")
        if answer.get("type") == "error":
            assert error_of(answer)[:2] in (("modify", "bad-request"), ("auth", "forbidden")), until
        wire.write(
            f"<presence to='{wire.domain}'><panel xmlns='{PANEL}' mode='deskphone'/>"
            f"<idle xmlns='urn:xmpp:idle:1' since={attribute}/>"
            f"<delay xmlns='urn:xmpp:delay' stamp={attribute}/></presence>"
            f"<presence to='{wire.domain}'><idle xmlns='urn:xmpp:idle:1' since={attribute}/>"
            f"<delay xmlns='urn:xmpp:delay' stamp={attribute}/></presence>"
        )
    await wire.settled()


async def test_huge_texts(wire: Wire) -> None:
    for text in ("x" * 200_000, "ё" * 100_000, "&lt;" * 40_000, "\u0301" * 1000, " " * 100_000):
        answer = await wire.iq(f"<status xmlns='{PANEL}' value='dnd'><text>{text}</text></status>")
        if answer.get("type") == "error":
            assert error_of(answer)[1] in ("not-acceptable", "forbidden")
        for attribute in ("value", "until", "colour"):
            answer = await wire.iq(
                f"<status xmlns='{PANEL}' value='dnd' {attribute}='{text}'/>".replace("'dnd' value=", "")
            )
            assert answer.get("type") == "error"
        answer = await wire.iq(f"<command xmlns='http://jabber.org/protocol/commands' node='{text}'/>")
        assert answer.get("type") == "error"


@pytest.mark.parametrize("payload", [DEEP, WIDE], ids=["deep", "wide"])
async def test_unknown_xml_of_any_shape(office: Office, wire: Wire, payload: str) -> None:
    domain, contact = wire.domain, office.contact("petrov")
    for to in (domain, contact, office.contact("nobody")):
        for kind in ("get", "set"):
            answer = await wire.iq(payload, to, kind)
            assert error_of(answer)[0] == "cancel"
        inner = f"<status xmlns='{PANEL}' value='dnd'>{payload}</status>"
        assert error_of(await wire.iq(inner, to))[1] in ("bad-request", "forbidden", "service-unavailable")
        wire.write(
            f"<presence to='{to}'>{payload}</presence><presence to='{to}' type='unavailable'>{payload}</presence>"
        )
        wire.write(f"<presence to='{to}'><panel xmlns='{PANEL}' mode='deskphone'>{payload}</panel></presence>")
        wire.write(f"<presence to='{to}' type='probe'>{payload}</presence>")
        await wire.settled()


async def test_a_message_of_any_shape_arrives(office: Office) -> None:
    ivanov, petrov = await Wire.open(office, "ivanov"), await Wire.open(office, "petrov")
    await petrov.settled()
    for name, payload in (("nested", NESTED), ("wide", WIDE)):
        ivanov.write(
            f"<message to='{office.contact('petrov')}' type='chat' id='{name}'><body>x</body>{payload}</message>"
        )
        message = await petrov.next(lambda one: one.tag.endswith("}message"))
        assert message.get("id") == name
        assert len(list(message.iter(f"{{urn:example:{name}}}y"))) == payload.count("<y")
    for payload in (DEEP, f"<body>{'>' * 200_000}</body>"):
        answer = await ivanov.ask(f"<message to='{office.contact('petrov')}' type='chat' id='far'>{payload}</message>")
        assert error_of(answer)[:2] == ("modify", "not-acceptable")
    await ivanov.close()
    await petrov.close()


async def test_requests_without_the_right_payload(office: Office, wire: Wire) -> None:
    ping = "<ping xmlns='urn:xmpp:ping'/>"
    for to in (wire.domain, office.contact("petrov"), office.contact("nobody")):
        for kind in ("get", "set"):
            for payload in ("", "text", ping + ping, f"<status xmlns='{PANEL}'/>{ping}", "<error/>", "<x/>"):
                answer = await wire.iq(payload, to, kind)
                assert answer.get("type") == "error", (to, kind, payload)
        for xml in (
            "<iq to='{}' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<iq to='{}' id='t1'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<iq to='{}' id='t2' type='push'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<iq to='{}' id='t3' type='result'/>",
            "<iq to='{}' id='t4' type='error'/>",
            "<iq to='{}' id='' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<message to='{}'/>",
            "<message to='{}' type='chat'/>",
            "<message to='{}' type='gossip'><body/></message>",
            "<message to='{}' type='error'/>",
            "<message to='{}'><body>x</body><error type='cancel'/></message>",
            "<presence to='{}' type='busy'/>",
            "<presence to='{}' type='invisible'/>",
            "<presence to='{}' type='error'/>",
            "<presence to='{}'><show>lunch</show><priority>high</priority></presence>",
            "<presence to='{}'><show/><status/><priority/></presence>",
            "<presence to='{}/other' type='subscribe'/>",
            "<presence to='{}' type='subscribed'/>",
            "<presence to='{}' type='unsubscribed'/>",
        ):
            wire.write(xml.format(to))
        await wire.settled()


async def test_every_example_of_the_rfcs_and_xeps(office: Office, wire: Wire) -> None:
    petrov = await office.client("petrov")
    for number, (_, stanza) in enumerate(examples()):
        if stanza.tag in (IQ, MESSAGE, PRESENCE):
            for to in (office.contact("petrov"), wire.domain):
                send(wire, as_here(office, stanza, to))
        if number % 20 == 0:
            await wire.settled()
    await is_seen(office, petrov, "after the examples")


async def test_examples_that_were_changed_here_and_there(office: Office, wire: Wire) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    petrov = await office.client("petrov")
    chance, corpus = random.Random(seed), [stanza for _, stanza in examples()]
    for number in range(600):
        stanza = mutated(chance, corpus)
        send(wire, as_here(office, stanza, stanza.get("to", "")))
        if number % 20 == 0:
            await wire.settled()
    await is_seen(office, petrov, "after the changed ones")


EVIL = (
    "a&quot;&lt;b",
    "u&quot;/&gt;&lt;/message&gt;&lt;message/&gt;&lt;message a=&quot;",
    "u&quot;/&gt;&lt;/message&gt;&lt;presence from=&quot;{sidorov}/panel&quot; to=&quot;{petrov}&quot;&gt;"
    "&lt;status&gt;forged&lt;/status&gt;&lt;/presence&gt;"
    "&lt;message from=&quot;{sidorov}&quot; to=&quot;{petrov}&quot;&gt;&lt;x a=&quot;",
)


@pytest.mark.parametrize("namespace", EVIL, ids=["not well-formed", "stanzas without addresses", "a forged presence"])
async def test_a_namespace_that_is_markup_does_not_become_markup(office: Office, namespace: str) -> None:
    ivanov, petrov = await Wire.open(office, "ivanov"), await Wire.open(office, "petrov")
    await petrov.settled()
    evil = namespace.format(sidorov=office.contact("sidorov"), petrov=office.account("petrov"))
    answer = await ivanov.ask(
        f"<message to='{office.contact('petrov')}' type='chat' id='evil'><body>x</body><x xmlns='{evil}'/></message>"
    )
    assert error_of(answer)[:2] == ("modify", "not-acceptable")
    await ivanov.settled()
    await petrov.settled()
    assert not [one for one in petrov.came if "forged" in written(one) or one.get("id") == "evil"]
    await ivanov.close()
    await petrov.close()


async def is_seen(office: Office, watcher: PanelClient, text: str) -> None:
    """A colleague who was online all the time sees the next change of somebody."""
    sidorov = await office.panel("sidorov")
    await sidorov.set_status("busy", text)
    await sees(watcher, office.contact("sidorov"), show="dnd", status=f"Занят — {text}")
    await sidorov.close()


def as_here(office: Office, stanza: Element, to: str) -> Element:
    """A stanza of the example company, as it stands in the one of this test: `ivanov@panel…` is its petrov."""
    here = (
        (f"ivanov@{DOMAIN}", office.contact("petrov")),
        (DOMAIN, office.server.component_domain),
        ("example.test", office.server.domain),
    )
    copy = deepcopy(stanza)
    copy.set("to", to)
    for element in copy.iter():
        for old, new in here:
            element.attrib.update({name: value.replace(old, new) for name, value in element.items()})
    return copy


def send(wire: Wire, stanza: Element) -> None:
    """Send a stanza from the session, unless the server would end the session for it."""
    stanza.set("from", wire.jid)
    try:
        data = serialize(stanza, split(wire.jid)[1])
    except Stopped:
        return
    if len(data) < 200_000:
        wire.write(data.decode())


async def test_after_all_that_a_status_is_seen(office: Office) -> None:
    petrov, ivanov = await office.client("petrov"), await office.panel("ivanov")
    await ivanov.set_status("busy", "всё ещё здесь")
    await sees(petrov, office.contact("ivanov"), show="dnd", status="Занят — всё ещё здесь")
