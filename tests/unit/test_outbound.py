"""What leaves: presences in few writes, the component's own stanzas, pings; and the gate before all of it."""

import asyncio
from datetime import timedelta
from xml.etree.ElementTree import Element, SubElement, fromstring

import pytest
from hypothesis import strategies as st

from component.core.facts import Phone, Status
from component.core.presence import Available, Payload, Show, Unavailable
from component.services.ports import NoAnswer
from component.xmpp.gate import LONG_TAG, MAX_STANZA, Gated, padded
from component.xmpp.namespaces import CAPS, COMPONENT, DELAY, IQ, LAST, MESSAGE, PANEL, PING, tag
from component.xmpp.outbound import RECIPIENTS_A_WRITE, Outbound
from tests.unit.fakes import DOMAIN, START, FakeClock

CAPS_ELEMENT = f"<c xmlns='{CAPS}' hash='sha-1' node='urn:x' ver='v'/>"
IVANOV = "ivanov@example.test"
anything = st.text(st.characters(exclude_categories=()), max_size=30)


class FakeLink:
    """Keeps every write."""

    def __init__(self) -> None:
        self.domain, self.up, self.problem = DOMAIN, True, "no server"
        self.writes: list[bytes] = []

    silent_for = 0.0

    async def room(self) -> None:
        pass

    def drop(self, reason: str) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def stanzas(self) -> list[Element]:
        return list(fromstring(b"<s xmlns='%s'>%s</s>" % (COMPONENT.encode(), b"".join(self.writes))))


class Rig:
    def __init__(self, request_timeout: float = 5.0) -> None:
        self.link, self.clock = FakeLink(), FakeClock()
        self.out = Outbound(
            self.link,
            self.clock,
            "ru",
            CAPS_ELEMENT,
            CAPS_ELEMENT.replace("'v'", "'d'"),
            ping_timeout=0.01,
            request_timeout=request_timeout,
        )


@pytest.fixture
def rig() -> Rig:
    return Rig()


BUSY = Available(Payload(Status.BUSY, Phone.ONLINE), (("ru", "Занят"), ("en", "Busy")), Show.DND)
GONE = Unavailable(Payload(Status.OFFLINE, Phone.OFFLINE, START), (("ru", "Офлайн"),), START)


def test_a_presence_goes_to_everyone_in_few_writes(rig: Rig) -> None:
    count = 2 * RECIPIENTS_A_WRITE + 1
    rig.out.send_presence("petrov", BUSY, (f"user{number}@example.test/pc" for number in range(count)))
    assert len(rig.link.writes) == 3
    stanzas = rig.link.stanzas()
    assert [one.get("to") for one in stanzas] == [f"user{number}@example.test/pc" for number in range(count)]
    assert {one.get("from") for one in stanzas} == {f"petrov@{DOMAIN}/panel"}
    assert {one.findtext(tag(COMPONENT, "show")) for one in stanzas} == {"dnd"}


def test_nobody_to_tell_is_nothing_to_write(rig: Rig) -> None:
    rig.out.send_presence("petrov", BUSY, ())
    assert rig.link.writes == []


def test_the_second_presence_of_a_contact_is_the_second(rig: Rig) -> None:
    for presence in (BUSY, GONE, BUSY, BUSY):
        rig.out.send_presence("petrov", presence, (IVANOV,))
    rig.out.send_presence("sidorov", GONE, (IVANOV,))
    assert [(one.get("type"), one.get("from", "").partition("@")[0]) for one in rig.link.stanzas()] == [
        (None, "petrov"),
        ("unavailable", "petrov"),
        (None, "petrov"),
        (None, "petrov"),
        ("unavailable", "sidorov"),
    ]


def test_seconds_and_stamps_are_filled_in_when_written(rig: Rig) -> None:
    idle = Available(Payload(Status.WAS_HERE, Phone.ONLINE), (), Show.AWAY, START)
    rig.out.send_presence("petrov", idle, (IVANOV,))
    rig.clock.now += timedelta(minutes=2)
    rig.out.send_presence("petrov", idle, (IVANOV,))
    rig.out.send_presence("petrov", GONE, (IVANOV,), answer=True)
    rig.out.send_presence("petrov", GONE, (IVANOV,))
    first, second, answer, told = rig.link.stanzas()
    seconds = [one.find(tag(LAST, "query")) for one in (first, second)]
    assert [one is not None and one.get("seconds") for one in seconds] == ["0", "120"]
    delay = answer.find(tag(DELAY, "delay"))
    assert delay is not None
    assert (delay.get("stamp"), delay.get("from")) == ("2026-11-24T09:00:00Z", DOMAIN)
    assert told.find(tag(DELAY, "delay")) is None


def test_nothing_is_written_while_the_stream_is_down(rig: Rig) -> None:
    rig.link.up = False
    rig.out.send_presence("petrov", BUSY, (IVANOV,))
    rig.out.send_gateway_presence(IVANOV)
    assert rig.link.writes == []
    assert (rig.out.up, rig.out.problem) == (False, "no server")


def test_the_components_own_stanzas(rig: Rig) -> None:
    rig.out.send_gateway_presence(f"{IVANOV}/pc")
    rig.out.send_gateway_unavailable(IVANOV)
    rig.out.send_subscription("subscribed", "petrov", f"{IVANOV}/pc")
    rig.out.send_subscription("subscribe", "", IVANOV)
    rig.out.send_probe(IVANOV)
    rig.out.send_announce(f"{IVANOV}/panel")
    rig.out.send_presence_error(f"{IVANOV}/panel", DOMAIN, "bad-request", "modify", "so", "en")
    stanzas = rig.link.stanzas()
    assert [(one.get("type"), one.get("from"), one.get("to")) for one in stanzas] == [
        (None, DOMAIN, f"{IVANOV}/pc"),
        ("unavailable", DOMAIN, IVANOV),
        ("subscribed", f"petrov@{DOMAIN}", IVANOV),
        ("subscribe", DOMAIN, IVANOV),
        ("probe", DOMAIN, IVANOV),
        (None, DOMAIN, f"{IVANOV}/panel"),
        ("error", DOMAIN, f"{IVANOV}/panel"),
    ]
    caps = stanzas[0].find(tag(CAPS, "c"))
    assert caps is not None
    assert caps.get("ver") == "d"
    assert stanzas[5].find(tag(PANEL, "announce")) is not None


def answer(iq: Element, kind: str = "result", **changed: str) -> Element:
    """The answer to an iq that left."""
    return Element(IQ, {"type": kind, "id": iq.get("id", ""), "from": iq.get("to", ""), "to": DOMAIN, **changed})


async def test_a_ping_without_an_answer_is_silence_and_a_late_answer_harms_nobody(rig: Rig) -> None:
    assert await rig.out.ping(f"{IVANOV}/panel") == "silence"
    (iq,) = rig.link.stanzas()
    assert iq.find(tag(PING, "ping")) is not None
    rig.out.answered(answer(iq))
    rig.out.answered(Element(IQ))


async def test_pings_are_told_apart() -> None:
    rig = Rig()
    one, other = (asyncio.ensure_future(rig.out.ping(f"{IVANOV}/{name}")) for name in ("one", "other"))
    await asyncio.sleep(0)
    first, second = rig.link.stanzas()
    rig.out.answered(answer(second, "error"))
    rig.out.answered(answer(first))
    assert [await one, await other] == ["pong", "error"]


def roster_get(to: str = IVANOV) -> Element:
    iq = Element(IQ, {"type": "get", "to": to})
    SubElement(iq, "{jabber:iq:roster}query")
    return iq


async def test_a_request_takes_the_first_answer_with_its_id_from_the_one_who_was_asked(rig: Rig) -> None:
    asking = asyncio.ensure_future(rig.out.request(roster_get()))
    await asyncio.sleep(0)
    (iq,) = rig.link.stanzas()
    assert (iq.get("from"), iq.get("to"), iq.get("type")) == (DOMAIN, IVANOV, "get")
    for other in (f"{IVANOV}/pc", "example.test", "petrov@example.test", ""):
        rig.out.answered(answer(iq, **{"from": other}))
    rig.out.answered(answer(iq, id="own-0"))
    await asyncio.sleep(0)
    assert not asking.done()
    right = answer(iq, "error")
    rig.out.answered(right)
    rig.out.answered(answer(iq))
    assert await asking is right


async def test_a_request_that_nobody_answers_says_so() -> None:
    rig = Rig(request_timeout=0.01)
    with pytest.raises(NoAnswer, match=rf"{IVANOV} did not answer within 0\.01 s"):
        await rig.out.request(roster_get())


async def test_requests_fail_at_once_when_the_link_is_or_goes_down(rig: Rig) -> None:
    asking = [asyncio.ensure_future(rig.out.request(roster_get())) for _ in range(2)]
    pinging = asyncio.ensure_future(rig.out.ping(IVANOV))
    given_up = asyncio.ensure_future(rig.out.request(roster_get()))
    await asyncio.sleep(0)
    given_up.cancel()
    rig.link.up = False
    rig.out.down()
    for one in asking:
        with pytest.raises(NoAnswer, match="the connection ended before the answer: no server"):
            await one
    assert await pinging == "silence"
    with pytest.raises(NoAnswer, match="not connected to the server: no server"):
        await rig.out.request(roster_get())
    assert len(rig.link.stanzas()) == 4
    rig.out.down()


async def test_a_request_that_may_not_leave_fails_at_once(rig: Rig) -> None:
    iq = roster_get()
    iq[0].text = "x" * MAX_STANZA
    with pytest.raises(NoAnswer, match="may not leave"):
        await rig.out.request(iq)


def message(body: str, **changed: str) -> Element:
    made = Element(MESSAGE, {"from": f"petrov@{DOMAIN}/panel", "to": IVANOV, **changed})
    SubElement(made, tag(COMPONENT, "body")).text = body
    return made


def test_a_message_that_may_not_leave_is_told(rig: Rig) -> None:
    assert rig.out.send_message(message("x"))
    assert not rig.out.send_message(message("x" * MAX_STANZA))
    assert not rig.out.send_message(message("x", **{"from": IVANOV}))
    assert not rig.out.send_message(message("x", to=""))
    assert len(rig.link.writes) == 1


def test_a_presence_that_may_not_leave_is_dropped_and_told_once(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    huge = Available(Payload(Status.BUSY, Phone.ONLINE), (("ru", "x" * MAX_STANZA),))
    for _ in range(3):
        rig.out.send_presence("petrov", huge, (IVANOV,))
    rig.out.send_presence("not a localpart", BUSY, (IVANOV,))
    assert rig.link.writes == []
    assert len(caplog.records) == 2
    rig.out.send_presence("petrov", BUSY, (IVANOV,))
    assert len(rig.link.stanzas()) == 1


def test_a_bad_recipient_does_not_take_his_neighbours_with_him(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.out.send_presence(
        "petrov", BUSY, ("a@example.test/1", "", "'/><x a='", "b@example.test\x00", "c@example.test/2")
    )
    assert [one.get("to") for one in rig.link.stanzas()] == ["a@example.test/1", "c@example.test/2"]
    assert "not a JID" in caplog.text


def test_white_space_stands_behind_a_long_tag_only() -> None:
    short = b"<m><body>" + b"x" * 2 * LONG_TAG + b"</body></m>"
    assert padded(Gated(short)) == short
    tags = [b"<a x='" + b"x" * size + b"'/>" for size in (LONG_TAG, 3 * LONG_TAG)]
    long = b"<m>" + b"".join(tags) + b"</m>"
    assert padded(Gated(long)) == long + b" " * len(tags[1])


def test_what_is_sent_is_padded(rig: Rig) -> None:
    rig.out.send(message("x", id="x" * LONG_TAG))
    assert rig.link.writes[0].endswith(b"</message>" + b" " * (len(rig.link.writes[0].partition(b">")[0]) + 1))
