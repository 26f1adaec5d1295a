"""The measuring itself: what a client believes, since when it is right, and which presences said nothing new."""

from collections import Counter
from xml.etree.ElementTree import fromstring

import pytest

from scripts.fault_runs.chaos import unexplained
from scripts.fault_runs.client import Visit
from scripts.fault_runs.reading import NOTHING, Heard, Kind, Shown, read, right_since

BUSY, AWAY, HERE = Shown("dnd", "Занят"), Shown("away", "Был(а) на месте"), Shown("")
CONTACT = "ivanov@panel.example.test"


def heard(*presences: tuple[float, Shown, Kind]) -> list[Heard]:
    return [Heard(at, CONTACT, shown, kind) for at, shown, kind in presences]


def presence(inner: str, kind: str = "") -> Shown | None:
    return read(fromstring(f"<presence xmlns='jabber:client' {kind}>{inner}</presence>"))


def test_a_presence_is_read_without_what_changes_with_the_time_of_sending() -> None:
    idle = "<idle xmlns='urn:xmpp:idle:1' since='2026-11-24T11:00:00Z'/>"
    panel = "<panel xmlns='urn:panel-presence:1' status='was-here'/>"
    statuses = "<status>Был(а) на месте</status><status xml:lang='en'>Was here</status>"
    first, later = (
        presence(f"<show>away</show>{statuses}{idle}<query xmlns='jabber:iq:last' seconds='{seconds}'/>{panel}")
        for seconds in (5, 65)
    )
    assert first == later
    assert first is not None
    assert (first.show, first.status) == ("away", "Был(а) на месте")
    assert first != presence(f"<show>away</show>{statuses}{idle}")
    delay = "<delay xmlns='urn:xmpp:delay' stamp='2026-11-24T11:00:00Z'/>"
    assert presence(delay, "type='unavailable'") == NOTHING


@pytest.mark.parametrize("kind", ["error", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe"])
def test_other_presences_change_no_belief(kind: str) -> None:
    assert presence("", f"type='{kind}'") is None


def test_a_belief_is_right_since_it_stayed_so() -> None:
    want = (BUSY.show, BUSY.status)
    assert right_since([], BUSY, want) == 0.0
    assert right_since([], NOTHING, want) is None
    assert right_since(heard((1, BUSY, "first")), NOTHING, want) == 1
    assert right_since(heard((1, BUSY, "repeat"), (2, BUSY, "repeat")), BUSY, want) == 0.0
    assert right_since(heard((1, AWAY, "change"), (2, BUSY, "change")), BUSY, want) == 2
    assert right_since(heard((1, AWAY, "change")), BUSY, want) is None


def test_a_repetition_needs_a_refresh_or_a_probe() -> None:
    told = heard((10, HERE, "first"), (20, HERE, "repeat"), (30, BUSY, "change"), (40, BUSY, "repeat"))
    visit = Visit("petrov@example.test/pc", told, Counter())
    assert unexplained(visit, [19.0, 39.0]) == []
    assert unexplained(visit, [5.0, 39.0]) != []  # one was before the session
    assert unexplained(Visit(visit.jid, told, Counter({CONTACT: 1})), [39.0]) == []
    assert unexplained(Visit(visit.jid, told[:1], Counter()), []) == []
