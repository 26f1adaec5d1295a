"""The gate: whatever is put in, what comes out is whole stanzas from us to somebody; and nothing goes around it."""

import ast
import time
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

import component
from component.core.address import split
from component.core.facts import Phone, Status
from component.core.presence import Available, Payload, Unavailable
from component.core.text import xml_text
from component.xmpp.gate import MAX_STANZA, Stopped, Template, recipient, serialize
from component.xmpp.namespaces import COMPONENT, MESSAGE, tag
from component.xmpp.render import render
from tests.unit.fakes import DOMAIN
from tests.unit.mutations import JIDS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
IVANOV = "ivanov@example.test"
anything = st.text(st.characters(exclude_categories=()), max_size=30)
jids = st.sampled_from(JIDS) | anything | st.builds("{}@example.test/{}".format, anything, anything)
huge = st.sampled_from(["x", '"', "&", "\x00", "🐱"]).map(lambda one: one * (MAX_STANZA // 3))


def message(body: str = "x", **changed: str) -> Element:
    made = Element(MESSAGE, {"from": f"petrov@{DOMAIN}/panel", "to": IVANOV, **changed})
    SubElement(made, tag(COMPONENT, "body")).text = body
    return made


def read(data: bytes) -> list[Element]:
    """What a server reads, as it checks it."""
    stanzas = [*fromstring(b"<s xmlns='%s'>%s</s>" % (COMPONENT.encode(), data))]
    assert len(data) <= MAX_STANZA * len(stanzas)
    for one in stanzas:
        assert one.tag.rpartition("}")[2] in ("presence", "message", "iq")
        assert split(one.get("from", ""))[1] == DOMAIN
        assert one.get("to")
    return stanzas


def as_read(text: str) -> str:
    """What an XML parser makes of line ends."""
    return xml_text(text).replace("\r\n", "\n").replace("\r", "\n")


@given(anything | huge, jids, jids | st.just(f"petrov@{DOMAIN}/panel"), anything | huge, st.text() | st.none())
def test_a_stanza_leaves_whole_or_not_at_all(body: str, to: str, sender: str, name: str, tail: str | None) -> None:
    stanza = message(body, **{"to": to, "from": sender, "id": name})
    stanza.tail = tail
    try:
        (left,) = read(serialize(stanza, DOMAIN))
    except Stopped:
        return
    assert (left.get("to"), left.get("from")) == (to, sender)
    assert (left.findtext(tag(COMPONENT, "body")) or "") == as_read(body)


@given(anything, anything)
def test_a_good_address_always_leaves(body: str, identifier: str) -> None:
    (left,) = read(serialize(message(body, id=identifier), DOMAIN))
    assert (left.findtext(tag(COMPONENT, "body")) or "") == as_read(body)


@given(anything, anything, anything, anything)
def test_no_name_and_no_namespace_can_break_out(namespace: str, name: str, attribute: str, value: str) -> None:
    stanza = message()
    prefix = f"{{{namespace}}}" if namespace else ""
    inner = SubElement(stanza, f"{prefix}{name}", {attribute: value, f"{prefix}{attribute}": value})
    inner.text = value
    try:
        (left,) = read(serialize(stanza, DOMAIN))
    except Stopped:
        return
    assert [one.tag for one in left] == [one.tag for one in stanza]
    assert set(left[1].attrib) <= set(inner.attrib)


@pytest.mark.parametrize(
    "evil",
    [
        "<x xmlns='a&quot;&lt;b'/>",
        "<x xmlns='u&quot;/&gt;&lt;/message&gt;&lt;presence from=&quot;x@panel.example.test&quot; "
        "to=&quot;y@example.test&quot;/&gt;"
        "&lt;message from=&quot;x@panel.example.test&quot; to=&quot;y@example.test'/>",
        "<x xmlns='u&quot;/&gt;&lt;stanza-id xmlns=&quot;urn:xmpp:sid:0&quot; by=&quot;example.test'/>",
        "<xml:x/>",
    ],
    ids=["not well-formed", "another stanza", "another element", "a reserved namespace"],
)
def test_a_namespace_that_would_be_written_as_markup_is_stopped(evil: str) -> None:
    (stanza,) = fromstring(f"<s xmlns='{COMPONENT}'><message from='a@{DOMAIN}' to='{IVANOV}'>{evil}</message></s>")
    with pytest.raises(Stopped):
        serialize(stanza, DOMAIN)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"to": ""}, "no recipient"),
        ({"to": "a b@example.test"}, "recipient is not a JID"),
        ({"to": f"{'a' * 1024}@example.test"}, "recipient is not a JID"),
        ({"to": "@example.test"}, "recipient is not a JID"),
        ({"to": "x" * 10_000}, "recipient is not a JID"),
        ({"from": "a@example.test"}, "foreign sender"),
        ({"from": ""}, "foreign sender"),
        ({"from": f"@{DOMAIN}"}, "sender is not a JID"),
        ({"from": f"a@{DOMAIN}/"}, "sender is not a JID"),
        ({"id": "x" * MAX_STANZA}, "too many"),
    ],
)
def test_what_is_stopped_and_why(changed: dict[str, str], why: str) -> None:
    with pytest.raises(Stopped, match=why):
        serialize(message(**changed), DOMAIN)


def test_what_is_no_stanza_is_stopped() -> None:
    other = message()
    other.tag = "{jabber:component:accept}handshake"
    two = message()
    two.tail = "more"
    for bad in (other, two):
        with pytest.raises(Stopped, match="one stanza"):
            serialize(bad, DOMAIN)


def test_what_is_nested_too_deeply_is_stopped() -> None:
    stanza = message()
    inner = stanza
    for _ in range(10_000):
        inner = SubElement(inner, "{urn:x}a")
    with pytest.raises(Stopped, match="deep"):
        serialize(stanza, DOMAIN)


@pytest.mark.parametrize(
    "jid",
    [
        *(
            DOMAIN,
            IVANOV,
            f"{IVANOV}/panel",
            f'{IVANOV}/Иван\'s "пк" <1>&2',
            f"o\\27neil@{DOMAIN}",
            "[::1]",
            "a@b/c/d@e",
        ),
        *(f"{'a' * 1023}@{'b' * 63}.test/{'&' * 1023}", "иван@пример.test/🐱", "a+b!#$%*=?^_`{|}~@example.test"),
    ],
)
def test_jids_are_addresses_as_they_are(jid: str) -> None:
    assert fromstring(b"<a b=%s/>" % recipient(jid)).get("b") == jid


presences = st.builds(
    Available, st.just(Payload(Status.BUSY, Phone.ONLINE)), st.tuples(st.tuples(st.just("ru"), anything | huge))
) | st.builds(
    Unavailable,
    st.just(Payload(Status.OFFLINE, Phone.OFFLINE)),
    st.tuples(st.tuples(st.just("en"), anything)),
    st.just(NOW),
)


@given(presences, st.just("petrov") | anything, st.lists(jids, max_size=5), st.booleans())
def test_a_presence_leaves_to_those_who_have_an_address(
    presence: Available | Unavailable, localpart: str, to: list[str], answer: bool
) -> None:
    try:
        template = Template(render(presence, localpart, DOMAIN, "ru", "<c/>"), DOMAIN)
    except Stopped:
        sender = f"{localpart}@{DOMAIN}/panel"
        assert not recipient(sender) or split(sender)[0] != localpart or len(presence.texts[0][1]) > MAX_STANZA // 10
        return
    left = read(template.write(to, NOW, answer=answer))
    assert [one.get("to") for one in left] == [jid for jid in to if recipient(jid)]
    assert {one.get("from") for one in left} <= {f"{localpart}@{DOMAIN}/panel"}


def test_caps_that_are_not_well_formed_are_stopped() -> None:
    presence = Available(Payload(Status.BUSY, Phone.ONLINE), ())
    for caps in ("<c>", "</presence><presence>", "</presence><presence from='a@example.test' to='b'>", "\x00"):
        with pytest.raises(Stopped):
            Template(render(presence, "petrov", DOMAIN, "ru", caps), DOMAIN)


def test_nothing_goes_around_the_gate() -> None:
    """The type checker holds `Writer.write` to `Gated`; only the gate makes that, only the link has the transport."""
    found: set[tuple[str, str]] = set()
    folder = Path(component.__file__).parent
    for file in sorted({*folder.rglob("*.py")} - {*folder.glob("panel_client/*")}):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            written = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Call) else ""
            if written.startswith("Gated(") or written in ("self._stream.transport", "self._link.write"):
                found.add((file.name, written.partition("(")[0]))
            assert not written.endswith((".send_raw", ".send_xml", "_stream.send", ".send_presence_subscription"))
    assert found == {("gate.py", "Gated"), ("link.py", "self._stream.transport"), ("outbound.py", "self._link.write")}


def test_the_gate_leaves_the_stanza_alone() -> None:
    stanza = message("a\x00b")
    before = deepcopy(stanza)
    serialize(stanza, DOMAIN)
    assert [(one.tag, one.attrib, one.text) for one in stanza.iter()] == [
        (one.tag, one.attrib, one.text) for one in before.iter()
    ]


def test_what_a_delivered_presence_costs(capsys: pytest.CaptureFixture[str]) -> None:
    template = Template(
        render(Available(Payload(Status.BUSY, Phone.ONLINE), ()), "petrov", DOMAIN, "ru", "<c/>"), DOMAIN
    )
    watchers = [f"user{number}@example.test/pc" for number in range(500)]
    template.write(watchers, NOW)  # from here on their addresses are known
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        data = template.write(watchers, NOW)
        times.append(time.perf_counter() - begin)
    assert data.count(b"<presence") == len(watchers)
    with capsys.disabled():
        print(f"\na presence to {len(watchers)} watchers, filled in: {min(times) / len(watchers) * 1e6:.2f} µs each")
