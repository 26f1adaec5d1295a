"""Coalescing: the first change at once, then at most one in the interval, the last always wins."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from component.core.facts import Phone, Status
from component.core.fanout import INTERVAL, Told, send_at
from component.core.presence import Available, Payload
from tests.unit.strategies import START

ONLINE, BUSY, DND = (Available(Payload(status, Phone.ONLINE)) for status in (Status.ONLINE, Status.BUSY, Status.DND))
presences = st.sampled_from([ONLINE, BUSY, DND])
gaps = st.integers(0, 2500).map(lambda milliseconds: timedelta(milliseconds=milliseconds))
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


class Contact:
    """A contact whose changes are sent when `send_at` says so; a timer asks it again at the instant that it named."""

    def __init__(self, told: Told | None = None) -> None:
        self.told = told
        self.sent: list[Told] = []
        self.due: datetime | None = None
        self.presence = ONLINE

    def change(self, presence: Available, now: datetime) -> None:
        self.presence = presence
        self.due = send_at(self.told, presence, now)
        if self.due is not None and self.due <= now:
            self.told = Told(presence, now)
            self.sent.append(self.told)
            self.due = None

    def run_timer(self, until: datetime) -> None:
        if self.due is not None and self.due <= until:
            self.change(self.presence, self.due)


@given(st.lists(st.tuples(gaps, presences), min_size=1))
def test_first_at_once_then_one_in_the_interval_and_the_last_wins(changes: list[tuple[timedelta, Available]]) -> None:
    contact, now = Contact(), START
    for gap, presence in changes:
        contact.run_timer(now + gap)
        now += gap
        contact.change(presence, now)
        assert contact.due is None or now < contact.due <= now + INTERVAL
    contact.run_timer(now + INTERVAL)
    assert contact.due is None
    instants = [told.at for told in contact.sent]
    assert instants[0] == START + changes[0][0]
    assert all(later - earlier >= INTERVAL for earlier, later in pairwise(instants))
    assert contact.sent[-1].presence == changes[-1][1]
    shown = [told.presence for told in contact.sent]
    assert all(one != other for one, other in pairwise(shown))


def test_what_was_told_already_is_not_sent() -> None:
    assert send_at(Told(BUSY, START), BUSY, START + HOUR) is None


def test_a_change_taken_back_within_the_interval_sends_nothing() -> None:
    contact = Contact(Told(ONLINE, START))
    contact.change(BUSY, START + SECOND / 4)
    contact.change(ONLINE, START + SECOND / 2)
    contact.run_timer(START + HOUR)
    assert contact.sent == []


@given(gaps, st.integers(1, 10**7).map(lambda seconds: timedelta(seconds=seconds)))
def test_a_clock_set_back_delays_nothing(gap: timedelta, back: timedelta) -> None:
    contact = Contact(Told(ONLINE, START))
    earlier = START - back
    contact.change(BUSY, earlier)
    contact.change(DND, earlier + gap)
    contact.run_timer(earlier + gap + INTERVAL)
    assert [told.presence for told in contact.sent] == [BUSY, DND]
    assert contact.sent[0].at == earlier
    assert contact.sent[1].at == earlier + max(gap, INTERVAL)
