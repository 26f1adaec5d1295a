"""What to send when a presence may have changed: nothing, now, or later (coalescing).

The first change goes at once, then at most one in `interval`; the last one always wins.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from component.core.presence import Presence

INTERVAL = timedelta(seconds=1)
"""The least time between two presences of one contact to the same watchers."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the watchers of a contact were last told, and when."""

    presence: Presence
    at: datetime


def send_at(told: Told | None, presence: Presence, now: datetime) -> datetime | None:
    """Return when to send a presence: `now` or later, None when it is what was told already.

    After a clock was set back to before the last presence, the next one goes at once: whoever asks again at the
    returned instant would otherwise be put off until the clock has caught up.
    """
    if told is not None and told.presence == presence:
        return None
    if told is None or now < told.at:
        return now
    return max(now, told.at + INTERVAL)
