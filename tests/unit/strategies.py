"""Hypothesis strategies: instants, sessions, states (arbitrary and reachable) and every type of event.

Instants lie on a grid of minutes, so that the borders of the rules (15 minutes, an hour) are met often.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from hypothesis import strategies as st

from component.core.facts import (
    CHOOSABLE,
    Acted,
    Choice,
    ClientSeen,
    Event,
    Mode,
    Panel,
    PanelSeen,
    PbxLost,
    Phone,
    PhoneReported,
    Report,
    Session,
    SessionEnded,
    State,
    Status,
    StatusChosen,
)
from component.core.presence import Show, Style
from component.core.status import Rules
from component.core.texts import LANGUAGES
from component.core.transitions import step

START = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
JIDS = tuple(f"ivanov@example.test/{resource}" for resource in ("panel", "panel-2", "laptop", "pocket"))
PBXES = ("pbx.example.test", "pbx-2.example.test")

instants = st.integers(0, 300).map(lambda minutes: START + timedelta(minutes=minutes))
maybe_instants = st.none() | instants
jids = st.sampled_from(JIDS)
pbxes = st.sampled_from(PBXES)
phones = st.sampled_from(Phone)
told_phones = st.sampled_from([Phone.ONLINE, Phone.OFFLINE])
modes = st.sampled_from(Mode)
directory_modes = st.none() | modes
texts = st.none() | st.sampled_from(["На обеде", "Back at 3"])
choosable = st.sampled_from(CHOOSABLE)

rules = st.builds(Rules, st.integers(1, 90).map(lambda minutes: timedelta(minutes=minutes)), st.booleans())
styles = st.builds(
    Style,
    st.sampled_from(LANGUAGES),
    st.sampled_from([Show.DND, Show.AWAY]),
    st.integers(1, 120).map(lambda minutes: timedelta(minutes=minutes)),
)

choices = st.builds(Choice, choosable, instants, texts, maybe_instants)
panels = st.builds(Panel, modes, st.none() | told_phones, instants)
clients = st.builds(Session, maybe_instants, st.booleans())
sessions = st.builds(Session, maybe_instants, st.booleans(), st.none() | panels)
reports = st.builds(Report, phones, instants, pbxes, maybe_instants)


def sessions_of(one: st.SearchStrategy[Session], *, least: int = 0) -> st.SearchStrategy[Mapping[str, Session]]:
    """Sessions by full JID."""
    return st.dictionaries(jids, one, min_size=least, max_size=len(JIDS)).map(MappingProxyType)


states = st.builds(
    State,
    choice=st.none() | choices,
    launched_at=maybe_instants,
    last_activity=maybe_instants,
    panel_mode=directory_modes,
    panel_ended_at=maybe_instants,
    report=st.none() | reports,
    sessions=sessions_of(sessions),
)
"""Arbitrary ones: also those that no sequence of events leads to."""

EVENTS: Mapping[type[Event], st.SearchStrategy[Event]] = {
    PanelSeen: st.builds(PanelSeen, jids, modes, st.none() | told_phones, maybe_instants),
    ClientSeen: st.builds(ClientSeen, jids, maybe_instants, st.booleans(), maybe_instants),
    Acted: st.builds(Acted, jids),
    SessionEnded: st.builds(SessionEnded, jids),
    StatusChosen: st.builds(StatusChosen, choosable, texts, maybe_instants, st.none() | jids),
    PhoneReported: st.builds(PhoneReported, phones, pbxes, maybe_instants),
    PbxLost: st.builds(PbxLost, pbxes),
}
events = st.one_of(*EVENTS.values())
events_but_choices = st.one_of(*(strategy for kind, strategy in EVENTS.items() if kind is not StatusChosen))


def play(state: State, now: datetime, rules: Rules, *happened: tuple[int, Event]) -> tuple[State, datetime]:
    """Apply events, each so many minutes after the one before; returns the state and the last instant."""
    for minutes, event in happened:
        now += timedelta(minutes=minutes)
        state = step(state, event, now, rules)
    return state, now


def happenings(of: st.SearchStrategy[Event]) -> st.SearchStrategy[list[tuple[int, Event]]]:
    """Sequences of events for `play`."""
    return st.lists(st.tuples(st.sampled_from([0, 1, 14, 15, 60]), of), max_size=8)


@st.composite
def reachable(draw: st.DrawFn, rules: Rules | None = None) -> tuple[State, datetime]:
    """A state to which some events of a day led, and the instant of the last of them."""
    return play(State(), START, rules or Rules(), *draw(happenings(events)))


@st.composite
def inactive(draw: st.DrawFn) -> tuple[State, datetime]:
    """A launched employee with a phone, every session idle for 15 minutes or more (or none), who chose no offline."""
    now = draw(instants)
    idle_since = st.integers(15, 120).map(lambda minutes: now - timedelta(minutes=minutes))
    panels = st.builds(Panel, st.just(Mode.DESKPHONE), st.sampled_from([None, Phone.ONLINE]), instants)
    state = State(
        choice=draw(st.none() | st.builds(Choice, st.sampled_from([Status.ONLINE, Status.BUSY, Status.DND]), instants)),
        launched_at=draw(idle_since),
        last_activity=draw(st.none() | idle_since),
        panel_mode=Mode.DESKPHONE,
        report=draw(st.none() | st.builds(Report, st.just(Phone.ONLINE), instants, pbxes)),
        sessions=draw(sessions_of(st.builds(Session, idle_since, st.booleans(), st.none() | panels))),
    )
    return state, now
