"""Which of two instances may serve a company: a lease, renewed every few seconds.

ejabberd accepts a second connection of a component and splits the traffic between the two at random.
"""

from datetime import datetime, timedelta

LEASE = timedelta(seconds=15)
"""How long a lease holds after it was last renewed."""


def may_take(renewed_at: datetime, now: datetime, *, holder_is_gone: bool) -> bool:
    """Say whether another instance's lease may be taken: its process is known to have ended, or it expired.

    One renewed in the future by more than a lease was written before a clock was set back.
    """
    return holder_is_gone or abs(now - renewed_at) > LEASE
