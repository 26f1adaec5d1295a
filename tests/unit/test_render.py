"""Bytes of presences: exactly the values put in, whatever they are."""

from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element, fromstring
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component.core.facts import Phone, Status
from component.core.presence import Available, Payload, Presence, Show, Unavailable
from component.core.text import xml_text
from component.xmpp.namespaces import DELAY, IDLE, LAST, PANEL, XML_LANG, tag
from component.xmpp.render import render
from component.xmpp.times import instant, stamp

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
anything = st.text(st.characters(exclude_categories=()), max_size=40)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
payloads = st.builds(
    Payload, st.sampled_from(Status), st.sampled_from(Phone), st.none() | instants, st.none() | instants
)
texts = st.lists(st.tuples(st.sampled_from(["ru", "en"]), anything), max_size=2).map(tuple)
presences = st.builds(Available, payloads, texts, st.none() | st.sampled_from(Show), st.none() | instants) | st.builds(
    Unavailable, payloads, texts, st.none() | instants
)


def parsed(data: bytes) -> list[Element]:
    return list(fromstring(b"<stream>" + data + b"</stream>"))


@given(presences, st.lists(anything, min_size=1, max_size=3), st.booleans())
def test_what_goes_in_comes_out(presence: Presence, recipients: list[str], answer: bool) -> None:
    rendered = render(presence, "o\\27neil", "panel.example.test", "ru", "<c/>")
    stanzas = parsed(rendered.write([quoteattr(xml_text(to)).encode() for to in recipients], NOW, answer=answer))
    # an XML parser folds white space in attributes that was not written as a reference
    assert [one.get("to", "").split() for one in stanzas] == [xml_text(to).split() for to in recipients]
    for one in stanzas:
        assert one.get("from") == "o\\27neil@panel.example.test/panel"
        assert one.get(XML_LANG) == "ru"
        available = isinstance(presence, Available)
        assert one.get("type") == (None if available else "unavailable")
        assert one.findtext("show") == (
            str(presence.show) if isinstance(presence, Available) and presence.show else None
        )
        said = [(status.get(XML_LANG, "ru"), (status.text or "").replace("\r", "\n")) for status in one.iter("status")]
        assert said == [
            (lang, xml_text(text).replace("\r\n", "\n").replace("\r", "\n")) for lang, text in presence.texts
        ]
        idle = one.find(tag(IDLE, "idle"))
        seconds = one.find(tag(LAST, "query"))
        if isinstance(presence, Available) and presence.idle_since:
            assert idle is not None
            assert seconds is not None
            assert idle.get("since") == stamp(presence.idle_since)
            assert int(seconds.get("seconds", "-1")) == max(0, int((NOW - presence.idle_since).total_seconds()))
        else:
            assert idle is seconds is None
        panel = one.find(tag(PANEL, "panel"))
        assert panel is not None
        assert (panel.get("status"), panel.get("phone")) == (presence.payload.status, presence.payload.phone)
        delayed = answer and isinstance(presence, Unavailable) and presence.since is not None
        assert (one.find(tag(DELAY, "delay")) is not None) == delayed
        assert (one.find("c") is not None) == available


@given(instants)
def test_stamps(at: datetime) -> None:
    assert instant(stamp(at)) == at.replace(microsecond=0)
    assert instant(stamp(at).replace("Z", "+00:00")) == at.replace(microsecond=0)


@pytest.mark.parametrize(
    "text", ["", "2026-11-24", "2026-11-24T12:00:00", "12:00", "tomorrow", "0001-01-01T00:00:00+14:00"]
)
def test_bad_stamps(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|format|range"):
        instant(text)


def test_another_zone_is_read_as_utc() -> None:
    assert instant("2026-11-24T15:00:00+03:00") == NOW
    assert instant("2026-11-24T15:00:00+03:00").utcoffset() == timedelta(0)
