"""Durations and moments as people write them: "1h30m", "18:00", "+30m", "2026-11-24T18:00"."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

ALLOWED_DURATIONS = 'a positive duration such as "90s", "15m", "1h", "2d" or "1h30m"'
ALLOWED_MOMENTS = (
    'a time such as "18:00" (the next one), a date and time such as "2026-11-24T18:00" '
    'or a duration from now such as "+30m"'
)

# Six digits a unit keep every sum far below the largest timedelta.
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


def parse_duration(text: str) -> timedelta:
    """Read a duration: days, hours, minutes and seconds, in this order, each with its unit.

    Raises ValueError, which names what is allowed, for anything else and for zero.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is not None:
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if duration:
            return duration
    raise ValueError(f"must be {ALLOWED_DURATIONS}")


def format_duration(duration: timedelta) -> str:
    """Write a duration in the form that `parse_duration` reads; parts of a second are dropped."""
    seconds = int(duration.total_seconds())
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_until(text: str, now: datetime, zone: tzinfo) -> datetime:
    """Read the moment at which something ends.

    Takes "18:00" (the next such time in `zone`), an ISO 8601 date with a time (in `zone` if it names no
    offset) and a duration from now, "+30m" or "2h". `now` must be aware; the answer is in UTC and later.

    Raises ValueError, which names what is allowed, for anything else and for a moment that has passed.
    """
    try:
        moment = _moment(text.strip(), now, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"must be {ALLOWED_MOMENTS}") from None
    if moment <= now:
        raise ValueError(f"has passed already; it must be {ALLOWED_MOMENTS}")
    return moment


def _moment(text: str, now: datetime, zone: tzinfo) -> datetime:
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        return _next_time(int(clock[1]), int(clock[2]), now, zone)
    if "-" in text:
        return _date_and_time(text, zone)
    return now + parse_duration(text.removeprefix("+"))


def _next_time(hour: int, minute: int, now: datetime, zone: tzinfo) -> datetime:
    # Compared in UTC: two times of one zone compare by their wall clock, which is wrong around a shift.
    wall = now.astimezone(zone).replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
    today = wall.astimezone(UTC)
    return today if today > now else (wall + timedelta(days=1)).astimezone(UTC)


def _date_and_time(text: str, zone: tzinfo) -> datetime:
    if not re.search(r"\d[T ]\d", text):
        raise ValueError("a date without a time")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
