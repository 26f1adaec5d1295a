"""Whatever comes in: nothing escapes, and nothing leaves that would close the stream."""

import asyncio
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, fromstring

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from component.xmpp import disco
from component.xmpp.gate import serialize
from component.xmpp.inbound import Inbound
from component.xmpp.namespaces import COMMANDS, COMPONENT, DISCO_INFO, IDLE, PANEL, PING, RSM, tag
from component.xmpp.outbound import Outbound
from component.xmpp.questions import Questions
from tests.unit.fakes import DOMAIN, World, employee


class FakeLink:
    """Takes what leaves and checks that it may."""

    def __init__(self) -> None:
        self.domain, self.up, self.problem = DOMAIN, True, ""
        self.left: list[Element] = []

    def write(self, data: bytes) -> None:
        for stanza in fromstring(b"<s xmlns='%s'>%s</s>" % (COMPONENT.encode(), data)):
            assert serialize(stanza, DOMAIN)
            self.left.append(stanza)


class Rig:
    """The inbound side over a world of three employees, its answers in `link.left`."""

    def __init__(self) -> None:
        self.world = World(*(employee("ivanov"), employee("petrov"), employee("o'neil")))
        self.link = FakeLink()
        out = Outbound(self.link, self.world.clock, "ru", disco.CONTACT.caps, "<c/>")
        world = self.world
        questions = Questions(world.company, world.choices, world.attendance, world.clock)
        world.relay._stream = world.subscriptions._stream = world.publisher._stream = out
        self.inbound = Inbound(world.company, world.attendance, world.subscriptions, world.relay, questions, out)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


names = st.sampled_from(
    [
        "status",
        "statuses",
        "phone",
        "panel",
        "announce",
        "query",
        "command",
        "ping",
        "text",
        "idle",
        "set",
        "x",
        "body",
        "show",
        "delay",
        "error",
        "vCard",
        "time",
        "item",
    ]
)
namespaces = st.sampled_from(
    [
        COMPONENT,
        PANEL,
        IDLE,
        RSM,
        COMMANDS,
        DISCO_INFO,
        PING,
        "jabber:x:data",
        "jabber:iq:last",
        "vcard-temp",
        "urn:xmpp:delay",
        "",
        "urn:x",
    ]
)
words = st.sampled_from(
    [
        "",
        "online",
        "busy",
        "dnd",
        "offline",
        "was-here",
        "softphone",
        "2026-11-24T12:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "execute",
        "complete",
        "cancel",
        "submit",
        "set-status",
        "show-status",
        "-1",
        "99999999999",
        "ivanov",
        "x" * 400,
    ]
) | st.text(max_size=10)
attributes = st.dictionaries(
    st.sampled_from(
        [
            "value",
            "until",
            "mode",
            "phone",
            "since",
            "stamp",
            "employee",
            "state",
            "node",
            "action",
            "type",
            "var",
            "sessionid",
            "extra",
        ]
    ),
    words,
    max_size=4,
)


def element(children: st.SearchStrategy[list[Element]]) -> st.SearchStrategy[Element]:
    def build(name: str, namespace: str, given: dict[str, str], text: str, inner: list[Element]) -> Element:
        made = Element(tag(namespace, name) if namespace else name, given)
        made.text = text
        made.extend(inner)
        return made

    return st.builds(build, names, namespaces, attributes, words, children)


elements = st.recursive(element(st.just([])), lambda inner: element(st.lists(inner, max_size=3)), max_leaves=6)
jids = st.sampled_from(
    [
        DOMAIN,
        *(
            f"{local}@{DOMAIN}{resource}"
            for local in ("ivanov", "o\\27neil", "nobody")
            for resource in ("", "/panel", "/x")
        ),
        *(
            f"{local}@example.test{resource}"
            for local in ("ivanov", "petrov", "stranger")
            for resource in ("", "/r", "/'&<>\"")
        ),
        "elsewhere.test",
    ]
)
types = st.none() | st.sampled_from(
    [
        "get",
        "set",
        "result",
        "error",
        "probe",
        "subscribe",
        "subscribed",
        "unsubscribe",
        "unsubscribed",
        "unavailable",
        "chat",
        "groupchat",
        "headline",
        "nonsense",
        "",
    ]
)


@st.composite
def stanzas(draw: st.DrawFn) -> Element:
    stanza = Element(tag(COMPONENT, draw(st.sampled_from(["presence", "message", "iq", "handshake"]))))
    for name, value in (
        ("from", draw(jids)),
        ("to", draw(jids)),
        ("type", draw(types)),
        ("id", draw(st.none() | words)),
    ):
        if value is not None:
            stanza.set(name, value)
    stanza.extend(draw(st.lists(elements, max_size=3)))
    return stanza


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.lists(stanzas(), min_size=1, max_size=4))
def test_nothing_escapes_and_what_leaves_may_leave(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture, came: list[Element]
) -> None:
    async def play() -> Rig:
        rig = Rig()
        for stanza in came:
            rig.inbound.stanza(stanza)
        for _ in range(5):
            await asyncio.sleep(0)
        return rig

    rig = loop.run_until_complete(play())
    assert [record.message for record in caplog.records if record.exc_info] == []
    errors_answered = [one for one in rig.link.left if one.get("type") == "error" and one.get("to") == ""]
    assert errors_answered == []


async def test_an_exception_is_answered_and_goes_no_further(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    iq = Element(tag(COMPONENT, "iq"), {"type": "get", "id": "1", "from": "ivanov@example.test/r", "to": DOMAIN})
    SubElement(iq, tag(PANEL, "status"))
    rig.world.company.directory.employees = {}  # a bug, made: the employees are gone, the accounts are not
    rig.inbound.stanza(iq)
    (answer,) = rig.link.left
    assert answer.get("type") == "error"
    assert answer.find(".//{urn:ietf:params:xml:ns:xmpp-stanzas}internal-server-error") is not None
    assert "could not be handled" in caplog.text
