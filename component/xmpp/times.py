"""Instants as XMPP writes them (XEP-0082): UTC, `2026-11-24T12:00:00Z`."""

from datetime import UTC, datetime


def stamp(instant: datetime) -> str:
    """Write an aware datetime with whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> datetime:
    """Read a stamp; raises ValueError for anything without a date, a time and a time zone."""
    if "T" not in text:
        raise ValueError(f"no time in {text!r}")
    read = datetime.fromisoformat(text.strip())
    if read.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    try:
        return read.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is out of range") from None
