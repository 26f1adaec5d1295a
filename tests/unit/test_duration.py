"""Durations and moments as people write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component.core.duration import format_duration, parse_duration, parse_until

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 11, 5, tzinfo=UTC)  # 14:05 in Moscow


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("1h", timedelta(hours=1)),
        ("2d", timedelta(days=2)),
        ("1h30m", timedelta(minutes=90)),
        (" 1d2h3m4s ", timedelta(days=1, hours=2, minutes=3, seconds=4)),
    ],
)
def test_durations(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", " ", "0s", "0h0m", "15", "m", "-5m", "1.5h", "30m1h", "1w", "1 h", "٣m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match='must be a positive duration such as "90s"'):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=99999)))
def test_a_written_duration_reads_back(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == timedelta(seconds=int(duration.total_seconds()))


def test_no_duration_is_written_in_seconds() -> None:
    assert format_duration(timedelta()) == "0s"


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        assert parse_duration(text) > timedelta()
    except ValueError as error:
        assert str(error).startswith("must be")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("18:00", "2026-11-24T15:00Z"),
        ("9:30", "2026-11-25T06:30Z"),
        ("14:05", "2026-11-25T11:05Z"),  # now is not the next one
        ("+30m", "2026-11-24T11:35Z"),
        ("2h", "2026-11-24T13:05Z"),
        ("2026-11-24T18:00", "2026-11-24T15:00Z"),
        ("2026-11-24 18:00", "2026-11-24T15:00Z"),
        ("2026-11-24T18:00Z", "2026-11-24T18:00Z"),
        ("2026-11-24T18:00:30+01:00", "2026-11-24T17:00:30Z"),
    ],
)
def test_moments(text: str, moment: str) -> None:
    parsed = parse_until(text, NOW, MOSCOW)
    assert parsed == datetime.fromisoformat(moment)
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "24:00", "18", "18:60", "tomorrow", "2026-11-24", "2026-13-01T10:00", "-30m", "9999-12-31T23:59-12:00"],
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match='must be a time such as "18:00"'):
        parse_until(text, NOW, MOSCOW)


def test_a_passed_moment() -> None:
    with pytest.raises(ValueError, match="has passed already"):
        parse_until("2026-11-24T14:05", NOW, MOSCOW)


def test_the_next_time_after_the_clocks_go_back() -> None:
    # 02:30 happens twice on 2026-10-25 in Berlin; at the second one the next 02:30 is tomorrow's.
    second = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN).astimezone(UTC)
    assert parse_until("2:30", second, BERLIN) == datetime(2026, 10, 26, 2, 30, tzinfo=BERLIN)


@given(
    st.text() | st.from_regex(r"\A[0-2]?\d:[0-5]\d\Z|\A\+?\d{1,7}[dhms]\Z"),
    st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 2)),
    st.sampled_from([MOSCOW, BERLIN, UTC]),
)
def test_any_text_is_a_later_moment_or_a_value_error(text: str, now: datetime, zone: ZoneInfo) -> None:
    try:
        assert parse_until(text, now, zone) > now
    except ValueError as error:
        assert "must be" in str(error)
