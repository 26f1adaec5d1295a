"""Panel status -> presence: every row of the table, in both company languages, with and without a text."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from component.core.facts import Phone, Status
from component.core.presence import (
    Available,
    Payload,
    Presence,
    Show,
    Style,
    Unavailable,
    presence_for,
    utc_offset,
    withdrawn,
)
from component.core.status import PanelStatus
from component.core.texts import Language

LAST = datetime(2026, 11, 24, 11, 5, tzinfo=UTC)
NOW = LAST + timedelta(minutes=20)
UNTIL = NOW + timedelta(hours=2)
MOSCOW = ZoneInfo("Europe/Moscow")

RU_WAS_HERE, EN_WAS_HERE = "Был(а) на месте 24.11 в 14:05", "Was here on 24 Nov at 14:05"
ROWS: list[tuple[Status, type[Presence], Show | None, str, str]] = [
    (Status.BUSY, Available, Show.DND, "Занят", "Busy"),
    (Status.DND, Available, Show.DND, "Не беспокоить", "Do not disturb"),
    (Status.WAS_HERE, Available, Show.AWAY, RU_WAS_HERE, EN_WAS_HERE),
    (Status.OFFLINE, Unavailable, None, "Телефон отключён, чат работает", "Phone is off, chat works"),
]


def panel_status(status: Status, text: str | None = None, *, last: datetime = LAST) -> PanelStatus:
    was_here = status is Status.WAS_HERE
    return PanelStatus(status, Phone.ONLINE, text, last, UNTIL, last if was_here else None)


def show_of(presence: Presence) -> Show | None:
    return presence.show if isinstance(presence, Available) else None


def first_text(
    shown: PanelStatus, *, zone: ZoneInfo = MOSCOW, name_zone: bool = False, language: Language = "ru"
) -> str:
    return presence_for(shown, NOW, Style(language), zone, name_zone=name_zone).texts[0][1]


@pytest.mark.parametrize(("status", "kind", "show", "russian", "english"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("text", [None, "На обеде"])
def test_a_row_of_the_table(
    status: Status,
    kind: type[Presence],
    show: Show | None,
    russian: str,
    english: str,
    language: Language,
    text: str | None,
) -> None:
    presence = presence_for(panel_status(status, text), NOW, Style(language), MOSCOW)
    beside = f" — {text}" if text else ""
    both: list[tuple[Language, str]] = [("ru", russian + beside), ("en", english + beside)]
    assert type(presence) is kind
    assert show_of(presence) is show
    assert presence.texts == tuple(both if language == "ru" else reversed(both))
    assert presence.payload == Payload(status, Phone.ONLINE, LAST, UNTIL)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_online_has_the_text_alone_or_nothing(language: Language) -> None:
    plain = presence_for(panel_status(Status.ONLINE), NOW, Style(language), MOSCOW)
    assert plain == Available(Payload(Status.ONLINE, Phone.ONLINE, LAST, UNTIL))
    with_text = presence_for(panel_status(Status.ONLINE, "Работаю из дома"), NOW, Style(language), MOSCOW)
    assert with_text == replace(plain, texts=((language, "Работаю из дома"),))


def test_busy_is_away_if_so_configured_and_dnd_stays_dnd() -> None:
    style = Style(busy_show=Show.AWAY)
    assert show_of(presence_for(panel_status(Status.BUSY), NOW, style, MOSCOW)) is Show.AWAY
    assert show_of(presence_for(panel_status(Status.DND), NOW, style, MOSCOW)) is Show.DND


@pytest.mark.parametrize("setting", [timedelta(hours=1), timedelta(minutes=30)])
def test_extended_away_begins_exactly_at_its_setting(setting: timedelta) -> None:
    style, shown = Style(extended_away_after=setting), panel_status(Status.WAS_HERE)
    shows = [
        show_of(presence_for(shown, LAST + setting + step, style, MOSCOW))
        for step in (timedelta(microseconds=-1), timedelta(), timedelta(days=3))
    ]
    assert shows == [Show.AWAY, Show.XA, Show.XA]


def test_was_here_carries_its_idle_time_and_nothing_else_does() -> None:
    for status in Status:
        presence = presence_for(panel_status(status), NOW, Style(), MOSCOW)
        if isinstance(presence, Available):
            assert presence.idle_since == (LAST if status is Status.WAS_HERE else None)


def test_the_date_is_always_there_and_is_the_employees() -> None:
    late = panel_status(Status.WAS_HERE, last=datetime(2026, 12, 31, 21, 5, tzinfo=UTC))
    assert first_text(late) == "Был(а) на месте 01.01 в 00:05"
    assert first_text(late, zone=ZoneInfo("America/New_York")) == "Был(а) на месте 31.12 в 16:05"
    assert first_text(late, language="en") == "Was here on 1 Jan at 00:05"


def test_the_zone_is_named_when_the_company_has_several() -> None:
    shown = panel_status(Status.WAS_HERE, "На обеде")
    assert first_text(shown, name_zone=True) == "Был(а) на месте 24.11 в 14:05 (UTC+3) — На обеде"
    assert first_text(panel_status(Status.BUSY), name_zone=True) == "Занят"


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("UTC", "UTC+0"),
        ("Asia/Kolkata", "UTC+5:30"),
        ("America/St_Johns", "UTC-3:30"),
        ("America/New_York", "UTC-5"),
        ("Pacific/Chatham", "UTC+13:45"),
    ],
)
def test_an_offset_is_written_as_people_write_it(zone: str, offset: str) -> None:
    assert utc_offset(LAST.astimezone(ZoneInfo(zone))) == offset


def test_the_offset_is_that_of_the_day() -> None:
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert utc_offset(summer.astimezone(ZoneInfo("America/New_York"))) == "UTC-4"


def test_unavailable_has_no_place_for_a_show_or_an_idle_time() -> None:
    """RFC 6121 section 4.5.1; it has the instant of XEP-0203's stamp instead."""
    assert {field.name for field in fields(Unavailable)} == {"payload", "texts", "since"}
    offline = presence_for(panel_status(Status.OFFLINE), NOW, Style(), MOSCOW)
    assert isinstance(offline, Unavailable) and offline.since == LAST


@pytest.mark.parametrize("phone", Phone)
@pytest.mark.parametrize("status", Status)
def test_the_payload_tells_the_phone_and_the_status(status: Status, phone: Phone) -> None:
    presence = presence_for(replace(panel_status(status), phone=phone), NOW, Style(), MOSCOW)
    assert (str(presence.payload.status), str(presence.payload.phone)) == (status.value, phone.value)


@pytest.mark.parametrize("key", ["withdrawn", "removed"])
def test_what_is_taken_back_says_why(key: str) -> None:
    presence = withdrawn(key, Style("en"))
    assert [language for language, _ in presence.texts] == ["en", "ru"]
    assert presence.payload == Payload(Status.OFFLINE, Phone.UNKNOWN)
