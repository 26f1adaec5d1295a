"""Whatever comes in: nothing escapes, nothing leaves that would close the stream, and nobody learns too much."""

import asyncio
import logging
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from component.core.facts import Mode, Phone
from component.xmpp.namespaces import COMMANDS, COMPONENT, DATA, DELAY, IDLE, IQ, MESSAGE, PANEL, PRESENCE, RSM, tag
from tests.unit.fakes import DOMAIN
from tests.unit.stanza_rig import PBX, PETROV, StanzaRig, error_of

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"
IVANOV = "ivanov@example.test/panel"
MORE = """
<iq type='get'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
<iq type='get'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>
<iq type='get'><query xmlns='jabber:iq:last'/></iq>
<iq type='get'><vCard xmlns='vcard-temp'/></iq>
<iq type='get'><time xmlns='urn:xmpp:time'/></iq>
<iq type='set'><command xmlns='http://jabber.org/protocol/commands' node='show-status'/></iq>
<presence type='probe'/><presence type='unavailable'/><presence type='error'/>
<presence type='subscribe'/><presence type='subscribed'/><presence type='unsubscribe'/><presence type='unsubscribed'/>
<presence><show>away</show><delay xmlns='urn:xmpp:delay' stamp='2026-11-24T08:00:00Z'/></presence>
<message type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
"""
NAMESPACES = (COMPONENT, PANEL, IDLE, RSM, COMMANDS, DATA, DELAY, "vcard-temp", "urn:x", "")
NAMES = (
    "status",
    "statuses",
    "phone",
    "panel",
    "query",
    "command",
    "text",
    "idle",
    "set",
    "x",
    "field",
    "body",
    "show",
)
ATTRIBUTES = (
    *("value", "until", "mode", "phone", "since", "stamp", "employee", "state", "node", "action", "type", "var"),
    *("id", "from", "to", "{http://www.w3.org/XML/1998/namespace}lang", "{urn:x}odd"),
)
WORDS = (
    *("", "online", "busy", "offline", "was-here", "softphone", "deskphone", "ivanov", "get", "set", "error", "submit"),
    *("2026-11-24T12:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-11-24", "-1", "9" * 30),
    *("cancel", "complete", "show-status", "x" * 400, "\u202e", "\x00\x0b\ufffe", "🐱", "'\"<&>]]>", "\ud800", "ru"),
)
JIDS = (
    *(
        DOMAIN,
        f"{DOMAIN}/x",
        "",
        "@",
        "/",
        "elsewhere.test",
        "x@y@z/@",
        "stranger@example.test/'&<>\"",
        PBX,
        f"{PBX}/1",
    ),
    *(f"{local}@{DOMAIN}{tail}" for local in ("ivanov", "o\\27neil", "hidden", "nobody") for tail in ("", "/panel")),
    *(f"{local}@example.test{tail}" for local in ("ivanov", "petrov", "hidden", "stranger") for tail in ("", "/panel")),
)


def examples() -> list[Element]:
    """All stanzas of docs/protocol.md, and some more."""
    blocks = re.findall(r"^```xml\n(.*?)^```$", PROTOCOL.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return list(fromstring(f"<s xmlns='{COMPONENT}'>{''.join(blocks)}{MORE}</s>"))


EXAMPLES = examples()


def somewhat_other(chance: random.Random) -> Element:
    """A stanza of an example, changed here and there, from and to anybody."""
    stanza = deepcopy(chance.choice(EXAMPLES))
    for name, likely in (("from", (PETROV, IVANOV)), ("to", (DOMAIN, f"ivanov@{DOMAIN}"))):
        stanza.set(name, chance.choice(likely if chance.random() < 0.5 else JIDS))
    for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
        one = chance.choice([*stanza.iter()])
        match chance.randrange(6):
            case 0:
                one.set(chance.choice(ATTRIBUTES), chance.choice(WORDS))
            case 1 if one.attrib:
                del one.attrib[chance.choice([*one.attrib])]
            case 2:
                one.text = chance.choice(WORDS)
            case 3:
                one.insert(0, Element(tag(chance.choice(NAMESPACES), chance.choice(NAMES))))
            case 4:
                one.append(deepcopy(chance.choice([*stanza.iter()])))
            case _:
                one.tag = tag(chance.choice(NAMESPACES), chance.choice((*NAMES, "iq", "message", "presence")))
    return stanza


class Failures(logging.Handler):
    """Collects the exceptions that were logged."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.found.append(self.format(record))


@contextmanager
def failures() -> Iterator[list[str]]:
    """Yield a list of the exceptions that are logged; what is only told of the many bad stanzas is not."""
    handler, log = Failures(), logging.getLogger("component")
    log.addHandler(handler)
    log.setLevel(logging.ERROR)
    yield handler.found
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


def person(jid: str) -> str:
    return jid.partition("@")[0] if jid.partition("/")[0].endswith("@example.test") else ""


def check_answer(came: Element, left: list[Element]) -> None:
    """What every single stanza may cause."""
    to, sender = came.get("to", ""), came.get("from", "")
    if came.tag == IQ and came.get("type") in ("result", "error"):
        assert left == []
    if came.tag == IQ and came.get("type") in ("get", "set") and sender.strip():
        answers = [one for one in left if one.tag == IQ]
        if to.partition("/")[0].rpartition("@")[2] == DOMAIN:
            assert [one.get("type") in ("result", "error") for one in answers] == [True]
    for one in left:
        if one.get("type") in ("error", "unsubscribed") or one.tag == IQ:
            continue
        seen, by = one.get("from", "").partition("@")[0], person(one.get("to", ""))
        assert by in ("ivanov", "petrov", "oneil", "hidden"), "a stranger learned something"
        if "@" in one.get("from", ""):
            assert (seen == "hidden") == (by == "hidden"), "somebody saw whom he may not see"


@settings(max_examples=120)
@given(st.integers(0, 2**32))
async def test_nothing_escapes_and_nothing_wrong_leaves(seed: int) -> None:
    chance, rig = random.Random(seed), StanzaRig()
    with failures() as failed:
        for _ in range(60):
            stanza = somewhat_other(chance)
            came = deepcopy(stanza)
            check_answer(came, await rig.comes(stanza))
            assert failed == [], tostring(came)
            rig.clock.pass_by(seconds=chance.choice((0, 0, 1, 1000)))


@pytest.mark.parametrize("kind", [MESSAGE, PRESENCE, IQ])
async def test_what_is_nested_deeply_harms_nobody(kind: str) -> None:
    rig = StanzaRig()
    stanza = Element(kind, {"from": PETROV, "to": f"ivanov@{DOMAIN}", "id": "deep", "type": "get"})
    if kind == PRESENCE:
        del stanza.attrib["type"]
    inner = stanza
    for _ in range(5000):
        inner = SubElement(inner, tag("urn:x", "a"))
    left = await rig.comes(stanza)
    assert [error_of(one)[:2] for one in left] == {
        MESSAGE: [("modify", "not-acceptable")],
        PRESENCE: [],
        IQ: [("cancel", "service-unavailable")],
    }[kind]


async def test_a_defect_is_answered_and_goes_no_further(caplog: pytest.LogCaptureFixture) -> None:
    rig = StanzaRig()
    rig.company.directory.employees = {}  # the defect: the employees are gone, their accounts are not
    answer = await rig.asks(f"<status xmlns='{PANEL}'/>")
    assert error_of(answer) == ("wait", "internal-server-error", "Внутренняя ошибка")
    later = await rig.asks(f"<status xmlns='{PANEL}' value='busy'/>", kind="set")
    assert error_of(later)[:2] == ("wait", "internal-server-error")
    rig = StanzaRig()
    rig.link.defects = 1
    message = f"<message from='{PETROV}' to='ivanov@{DOMAIN}' id='m1'><body>x</body></message>"
    (returned,) = await rig.comes(message)
    assert (returned.get("id"), error_of(returned)[:2]) == ("m1", ("wait", "internal-server-error"))
    rig.link.defects = 1
    assert await rig.comes(f"<presence from='{PETROV}' to='ivanov@{DOMAIN}' type='probe'/>") == []
    assert "could not be handled" in caplog.text
    assert "could not be answered" in caplog.text


async def test_a_session_comes_idles_and_goes() -> None:
    rig = StanzaRig()
    panel = f"<panel xmlns='{PANEL}' mode='softphone' phone='online'/>"
    assert await rig.comes(f"<presence from='{PETROV}' to='{DOMAIN}'>{panel}</presence>") == []
    session = rig.company.state("petrov").sessions[PETROV]
    assert session.panel is not None
    assert (session.panel.mode, session.panel.phone, session.idle_since) == (Mode.SOFTPHONE, Phone.ONLINE, None)
    idle = f"<idle xmlns='{IDLE}' since='2026-11-24T08:55:00Z'/>"
    await rig.comes(f"<presence from='{PETROV}' to='{DOMAIN}'>{panel}{idle}</presence>")
    assert rig.company.state("petrov").sessions[PETROV].idle_since is not None
    await rig.comes(f"<presence from='{PETROV}' to='ivanov@{DOMAIN}' type='unavailable'/>")
    assert PETROV in rig.company.sessions, "that was for the contact only"
    await rig.comes(f"<presence from='{PETROV}' to='{DOMAIN}' type='unavailable'/>")
    assert PETROV not in rig.company.sessions


@pytest.mark.parametrize("to", [DOMAIN, f"ivanov@{DOMAIN}"])
async def test_after_an_error_a_session_is_sent_nothing_until_it_shows_itself_again(to: str) -> None:
    rig = StanzaRig()
    await rig.comes(f"<presence from='{PETROV}' to='{DOMAIN}'/>")
    await rig.comes(f"<presence from='petrov@example.test' to='{to}' type='error'/>")
    assert list(rig.company.watchers("ivanov")) == [PETROV], "a bare JID's error says nothing"
    before = rig.company.state("petrov")
    assert await rig.comes(f"<presence from='{PETROV}' to='{to}' type='error'/>") == []
    assert list(rig.company.watchers("ivanov")) == []
    assert rig.company.state("petrov") == before, "the session is a fact all the same"
    assert rig.company.subscribed("petrov", "ivanov")
    (answer,) = await rig.comes(f"<presence from='{PETROV}' to='ivanov@{DOMAIN}' type='probe'/>")
    assert answer.get("to") == PETROV, "who asks is answered"
    told = await rig.comes(f"<presence from='{PETROV}' to='{to}'/>")
    assert {one.get("from") for one in told} == {f"ivanov@{DOMAIN}/panel", f"o\\27neil@{DOMAIN}/panel"}
    assert {one.get("to") for one in told} == {PETROV}
    assert list(rig.company.watchers("ivanov")) == [PETROV]
    assert await rig.comes(f"<presence from='{PETROV}' to='{to}'/>") == []


async def test_nobody_else_can_make_a_session_deaf() -> None:
    rig = StanzaRig()
    for sender in (PETROV, "stranger@example.test/pc", "petrov@elsewhere.test/pc", PBX, ""):
        await rig.comes(f"<presence from='{sender}' to='{DOMAIN}' type='error'/>")
    assert rig.company.deaf == set()


async def test_presence_directed_to_a_contact_gives_nothing() -> None:
    rig = StanzaRig()
    rig.company.set_exception("petrov", "ivanov", "deleted")
    for kind in ("", "type='unavailable'"):
        assert await rig.comes(f"<presence from='{PETROV}' to='ivanov@{DOMAIN}' {kind}/>") == []
    assert rig.company.sessions == {}
    assert list(rig.company.watchers("ivanov")) == []


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (f"<panel xmlns='{PANEL}' mode='mobile'/>", "mobile"),
        (f"<panel xmlns='{PANEL}'/>", ""),
        (f"<panel xmlns='{PANEL}' mode='softphone' phone='maybe'/>", "maybe"),
        (f"<panel xmlns='{PANEL}' mode='softphone' colour='red'/>", "colour"),
        (f"<panel xmlns='{PANEL}' mode='softphone'><more/></panel>", "more"),
        (f"<panel xmlns='{PANEL}' mode='softphone'/><idle xmlns='{IDLE}' since='yesterday'/>", "yesterday"),
        (f"<panel xmlns='{PANEL}' mode='softphone'/><idle xmlns='{IDLE}'/>", ""),
    ],
)
async def test_a_bad_directed_presence_is_answered_and_the_session_stays_as_it_was(payload: str, text: str) -> None:
    rig = StanzaRig()
    await rig.comes(f"<presence from='{PETROV}' to='{DOMAIN}'><panel xmlns='{PANEL}' mode='deskphone'/></presence>")
    before = rig.company.state("petrov")
    (answer,) = await rig.comes(f"<presence from='{PETROV}' to='{DOMAIN}' xml:lang='en'>{payload}</presence>")
    assert (answer.tag, answer.get("from"), answer.get("to")) == (PRESENCE, DOMAIN, PETROV)
    assert error_of(answer)[:2] == ("modify", "bad-request")
    assert text in error_of(answer)[2]
    assert rig.company.state("petrov") == before


async def test_an_ordinary_client_with_a_bad_date_counts_without_it() -> None:
    rig = StanzaRig()
    bad = f"<idle xmlns='{IDLE}' since='x'/><delay xmlns='{DELAY}' stamp='y'/>"
    assert await rig.comes(f"<presence from='{PETROV}' to='{DOMAIN}'>{bad}</presence>") == []
    assert rig.company.state("petrov").sessions[PETROV].idle_since == rig.clock.now


async def test_a_pbx_is_believed_while_it_is_here_and_needs_to_be_no_employee() -> None:
    rig = StanzaRig()
    await rig.comes(f"<presence from='{PBX}/1' to='{DOMAIN}'/>")
    report = f"<phone xmlns='{PANEL}' employee='ivanov' state='offline'/>"
    assert (await rig.asks(report, kind="set", sender=f"{PBX}/1")).get("type") == "result"
    assert rig.company.status("ivanov", rig.clock.now).phone is Phone.OFFLINE
    await rig.comes(f"<presence from='{PBX}/1' to='{DOMAIN}' type='unavailable'/>")
    assert rig.company.status("ivanov", rig.clock.now).phone is Phone.UNKNOWN


async def test_a_ping_of_ours_is_answered_by_a_result_or_by_an_error() -> None:
    rig = StanzaRig()
    for kind, outcome in (("result", "pong"), ("error", "error")):
        ping = asyncio.ensure_future(rig.outbound.ping(PETROV))
        await asyncio.sleep(0)
        identifier = rig.left[-1].get("id", "")
        assert await rig.comes(f"<iq type='{kind}' id='{identifier}' from='{PETROV}' to='{DOMAIN}'/>") == []
        assert await rig.comes(f"<iq type='{kind}' id='{identifier}' from='{PETROV}' to='{DOMAIN}'/>") == []
        assert await ping == outcome


async def test_a_message_to_the_domain_is_refused() -> None:
    rig = StanzaRig()
    (answer,) = await rig.comes(f"<message from='{PETROV}' to='{DOMAIN}' id='m1'><body>x</body></message>")
    assert (answer.get("id"), error_of(answer)[:2]) == ("m1", ("cancel", "service-unavailable"))
    assert await rig.comes(f"<message from='{PETROV}' to='{DOMAIN}' type='error'/>") == []
