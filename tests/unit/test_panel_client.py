"""What the panels' client reads from stanzas, what it writes, and how it waits. The stream is tested elsewhere."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree as ET

import pytest

from component.panel_client import (
    ContactStatus,
    EventLog,
    PanelClient,
    PanelClientError,
    PanelStatus,
    ReceivedMessage,
    RosterItem,
    Seen,
    StanzaError,
    read_presence,
)
from component.panel_client import stanzas as x

MOMENT = datetime(2026, 11, 24, 10, 5, tzinfo=UTC)


def stanza(text: str) -> ET.Element:
    """One stanza as the stream hands it over: children in `jabber:client`."""
    return ET.fromstring(f"<stream xmlns='jabber:client'>{text}</stream>")[0]


def test_available_presence_with_everything() -> None:
    seen = read_presence(
        stanza(
            """<presence from='ivanov@panel.example.test/panel' to='petrov@example.test/a' xml:lang='ru'>
              <show>away</show><status>Был(а) на месте</status><status xml:lang='en'>Was here</status>
              <priority>5</priority><idle xmlns='urn:xmpp:idle:1' since='2026-11-24T10:05:00Z'/>
              <query xmlns='jabber:iq:last' seconds='903'/><delay xmlns='urn:xmpp:delay' stamp='2026-11-24T10:05:00Z'/>
              <c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.test' ver='abc='/>
              <panel xmlns='urn:panel-presence:1' status='was-here' phone='online'/></presence>"""
        )
    )
    assert seen == Seen(
        jid="ivanov@panel.example.test/panel",
        show="away",
        statuses=(("ru", "Был(а) на месте"), ("en", "Was here")),
        priority=5,
        idle_since=MOMENT,
        last_seconds=903,
        panel={"status": "was-here", "phone": "online"},
        delay=MOMENT,
        caps=("https://example.test", "abc="),
    )
    assert seen.available
    assert seen.status == "Был(а) на месте"


def test_bare_presence_is_available_without_status() -> None:
    seen = read_presence(stanza("<presence from='a@b/c'/>"))
    assert seen == Seen("a@b/c")
    assert (seen.available, seen.show, seen.status, seen.panel) == (True, "", "", None)


def test_unavailable_presence_keeps_its_text_and_panel() -> None:
    seen = read_presence(
        stanza(
            """<presence from='a@b/panel' type='unavailable'><status xml:lang='ru'>Телефон отключён</status>
            <panel xmlns='urn:panel-presence:1' status='offline' phone='offline'/></presence>"""
        )
    )
    assert (seen.available, seen.type, seen.status) == (False, "unavailable", "Телефон отключён")
    assert seen.panel == {"status": "offline", "phone": "offline"}


def test_error_presence() -> None:
    seen = read_presence(
        stanza(
            """<presence from='panel.example.test' type='error'><error type='modify'>
            <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
            <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>mode</text></error></presence>"""
        )
    )
    assert (seen.available, seen.error) == (False, StanzaError("modify", "bad-request", "mode"))


@pytest.mark.parametrize(
    "text",
    [
        "<presence/>",
        "<presence from='a@b'><priority>high</priority></presence>",
        "<presence from='a@b'><idle xmlns='urn:xmpp:idle:1' since='yesterday'/></presence>",
        "<presence from='a@b'><idle xmlns='urn:xmpp:idle:1'/><query xmlns='jabber:iq:last'/></presence>",
        "<presence from='a@b'><delay xmlns='urn:xmpp:delay' stamp='2026-11-24T10:05:00'/></presence>",
        "<presence from='a@b'><show/><status/></presence>",
    ],
)
def test_malformed_presence_is_read_without_what_is_wrong(text: str) -> None:
    seen = read_presence(stanza(text))
    assert (seen.priority, seen.idle_since, seen.last_seconds, seen.delay, seen.show, seen.status) == (
        (0, None, None, None, "", "")
    )


def test_message_and_error_message() -> None:
    text = "<message from='a@b/c' to='d@e' id='m1' type='error'><body>hi</body><error type='cancel'>"
    text += "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    message = x.read_message(stanza(text), "d@e")
    assert (message.sender, message.to, message.id, message.type) == ("a@b/c", "d@e", "m1", "error")
    assert (message.body, message.error) == ("hi", StanzaError("cancel", "item-not-found"))


@pytest.mark.parametrize(("source", "carbon", "body"), [("d@e", "sent", "hi"), ("evil@e", "", None)])
def test_a_carbon_is_believed_from_the_own_account_only(source: str, carbon: str, body: str | None) -> None:
    text = f"""<message from='{source}'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>
    <message xmlns='jabber:client' from='d@e/x' to='a@b'><body>hi</body></message></forwarded></sent></message>"""
    message = x.read_message(stanza(text), "d@e")
    assert (message.carbon, message.body) == (carbon, body)


def test_roster() -> None:
    text = """<iq type='result'><query xmlns='jabber:iq:roster'>
    <item jid='a@b' subscription='to' name='A'><group>g</group><group>h</group></item>
    <item jid='panel.example.test' ask='subscribe'/></query></iq>"""
    assert x.read_roster(stanza(text)) == [
        RosterItem("a@b", "to", "A", ("g", "h")),
        RosterItem("panel.example.test", "none", ask="subscribe"),
    ]


def test_own_status() -> None:
    text = """<iq type='result'><status xmlns='urn:panel-presence:1' value='was-here' chosen='busy' phone='unknown'
    since='2026-11-24T10:05:00Z'><text>обед</text></status></iq>"""
    assert x.read_status(stanza(text)) == PanelStatus("was-here", "unknown", "busy", "обед", MOMENT)


def test_statuses_page() -> None:
    text = """<iq type='result'><statuses xmlns='urn:panel-presence:1'>
    <employee id='a' jid='a@p' name='A' status='dnd' phone='online'
    until='2026-11-24T10:05:00Z'><text>t</text></employee>
    <set xmlns='http://jabber.org/protocol/rsm'><first index='0'>a</first><last>a</last><count>2</count></set>
    </statuses></iq>"""
    assert x.read_statuses(stanza(text)) == (
        [ContactStatus("a", "a@p", "A", "dnd", "online", "t", until=MOMENT)],
        "a",
    )


def test_stamp_is_utc_and_needs_a_zone() -> None:
    assert x.stamp(datetime(2026, 11, 24, 13, 5, 0, 999, tzinfo=timezone(timedelta(hours=3)))) == "2026-11-24T10:05:00Z"
    with pytest.raises(ValueError, match="time zone"):
        x.stamp(datetime(2026, 11, 24))


def test_xml_text_replaces_what_xml_forbids() -> None:
    assert x.xml_text("a\x00\x1b\ud800b\tя😀") == "a\ufffd\ufffd\ufffdb\tя😀"


def test_built_presence() -> None:
    built = x.presence(x.idle(MOMENT), to="panel.example.test", show="", status="текст")
    assert ET.tostring(built, encoding="unicode", default_namespace=None) == ET.tostring(
        stanza(
            "<presence to='panel.example.test'><status>текст</status>"
            "<idle xmlns='urn:xmpp:idle:1' since='2026-11-24T10:05:00Z'/></presence>"
        ),
        encoding="unicode",
    )


async def test_waiting_finds_what_came_before_and_what_comes_later() -> None:
    log = EventLog()
    log.record(Seen("a@b/c", show="dnd"))
    assert (await log.next(Seen, lambda seen: seen.show == "dnd")).jid == "a@b/c"
    waiting = asyncio.create_task(log.next(RosterItem, lambda item: item.jid == "a@b"))
    await asyncio.sleep(0)
    log.record(Seen("a@b/c"))
    log.record(RosterItem("a@b", "to"))
    assert (await waiting).subscription == "to"


async def test_a_presence_outdates_earlier_ones_of_its_sender_only() -> None:
    log = EventLog()
    for event in (Seen("a@b/c"), Seen("x@y/z"), Seen("a@b/c", show="dnd"), Seen("a@b/c", show="away")):
        log.record(event)
    await log.next(Seen, lambda seen: seen.show == "dnd")
    assert (await log.next(Seen, lambda seen: seen.jid == "a@b/c")).show == "away"
    assert (await log.next(Seen, lambda _: True)).jid == "x@y/z"


async def test_two_waiters_get_one_event_each() -> None:
    log = EventLog()
    waiting = [asyncio.create_task(log.next(RosterItem, lambda _: True)) for _ in range(2)]
    await asyncio.sleep(0)
    log.record(RosterItem("a@b", "to"))
    log.record(RosterItem("c@d", "to"))
    assert {item.jid for item in await asyncio.gather(*waiting)} == {"a@b", "c@d"}


async def test_a_vain_wait_tells_what_came_instead() -> None:
    log = EventLog()
    log.record(Seen("a@b/c", show="dnd"))
    with pytest.raises(TimeoutError, match=r"no fitting ReceivedMessage(.|\n)*a@b/c(.|\n)*dnd"):
        await log.next(ReceivedMessage, lambda _: True, within=0.01)


async def test_a_client_that_is_not_connected_says_so() -> None:
    client = PanelClient("ivanov@example.test", "pw", component="panel.example.test", host="127.0.0.1")
    with pytest.raises(PanelClientError, match="not connected"):
        await client.launch("softphone")
    with pytest.raises(PanelClientError, match="not connected"):
        await client.status()
    with pytest.raises(PanelClientError, match="launch"):
        await PanelClient("a@example.test", "pw", component="p", host="127.0.0.1").idle(MOMENT)
    assert client.seen("petrov@panel.example.test") == Seen("petrov@panel.example.test", type="unavailable")
    await client.close()
