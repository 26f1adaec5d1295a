"""Whatever comes in: nothing escapes, nothing leaves that would close the stream, and nobody learns too much."""

import asyncio
from xml.etree.ElementTree import Element, SubElement

import pytest

from component.core.facts import Mode, Phone
from component.xmpp.gate import MAX_STANZA
from component.xmpp.namespaces import DELAY, DISCO_ITEMS, IDLE, IQ, MESSAGE, PANEL, PRESENCE, tag
from tests.unit.fakes import DOMAIN
from tests.unit.stanza_rig import PBX, PETROV, StanzaRig, error_of


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


async def test_an_account_itself_is_no_session() -> None:
    rig = StanzaRig()
    for payload in ("", f"<panel xmlns='{PANEL}' mode='softphone'/>", f"<panel xmlns='{PANEL}' mode='x'/>"):
        assert await rig.comes(f"<presence from='petrov@example.test' to='{DOMAIN}'>{payload}</presence>") == []
    assert rig.company.sessions == {}


async def test_a_request_whose_answer_cannot_leave_is_refused() -> None:
    rig = StanzaRig()
    node = "&quot;" * (MAX_STANZA // 6)
    answer = await rig.asks(f"<query xmlns='{DISCO_ITEMS}' node='{node}'/>", to=f"ivanov@{DOMAIN}")
    assert error_of(answer) == ("modify", "not-acceptable", "Ответ был бы слишком большим")


async def test_only_numbers_are_taken_for_our_own_numbered_messages(caplog: pytest.LogCaptureFixture) -> None:
    rig = StanzaRig()
    for number in ("", "x", "-1", "9" * 5000, "7"):
        instance = f"<instance xmlns='{PANEL}' id='a' number='{number}'/>"
        assert await rig.comes(f"<message from='{DOMAIN}' to='{DOMAIN}' type='headline'>{instance}</message>") == []
    assert rig.beats == [("a", 7)]
    assert caplog.records == []
