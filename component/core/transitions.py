"""What an event does to the facts of one employee: `step`, total over every state and event.

Activity is at the computer. A panel session's idle state comes from its directed presences alone; a client that
has never sent XEP-0319 is active only at the instants at which it does something.
"""

from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from component.core.facts import (
    Acted,
    Choice,
    ClientSeen,
    Event,
    Mode,
    Panel,
    PanelSeen,
    PbxLost,
    PhoneReported,
    Report,
    Session,
    SessionEnded,
    State,
    Status,
    StatusChosen,
)
from component.core.status import Rules, choice_in_force, inactive_since, latest, report_in_force


def step(state: State, event: Event, now: datetime, rules: Rules) -> State:
    """Return the state after an event at `now`."""
    after = _apply(state, event, now)
    choice = choice_in_force(after, now)
    if (
        not rules.restore_after_was_here
        and choice
        and choice.status in (Status.BUSY, Status.DND)
        and not isinstance(event, StatusChosen)
        and inactive_since(state, now, rules)
        and not inactive_since(after, now, rules)
    ):
        return replace(after, choice=replace(choice, status=Status.ONLINE, at=now))
    return after


def _apply(state: State, event: Event, now: datetime) -> State:
    match event:
        case PanelSeen():
            return _panel_seen(state, event, now)
        case ClientSeen():
            return _client_seen(state, event, now)
        case Acted(session):
            return _acted(state, session, now)
        case SessionEnded(session):
            return _ended(state, session, now)
        case StatusChosen(status, text, until, session):
            acted = _acted(state, session, now) if session else state
            return replace(acted, choice=Choice(status, now, text, until), launched_at=state.launched_at or now)
        case PhoneReported(phone, pbx, expires):
            known = report_in_force(state, now)
            at = known.at if known and known.phone == phone else now
            return replace(state, report=Report(phone, at, pbx, expires))
        case PbxLost(pbx):  # pragma: no branch  (mypy holds the match complete)
            return replace(state, report=None) if state.report and state.report.pbx == pbx else state


def _panel_seen(state: State, event: PanelSeen, now: datetime) -> State:
    known = state.sessions.get(event.session)
    since = known.panel.since if known and known.panel else now
    session = Session(_clamped(event.idle_since, now), True, Panel(event.mode, event.phone, since))
    state = _with_session(state, event.session, session)
    return replace(state, launched_at=state.launched_at or now, panel_mode=_newest_panel_mode(state))


def _client_seen(state: State, event: ClientSeen, now: datetime) -> State:
    known = state.sessions.get(event.session)
    if known and known.panel:
        return state
    at = _clamped(event.at, now) or now
    tracks_idle = event.idle_since is not None or (known is not None and known.tracks_idle)
    if event.idle_since is not None:
        idle_since = _clamped(event.idle_since, now)
    elif event.away or not tracks_idle:
        idle_since = max(at, known.idle_since) if event.at and known and known.idle_since else at
    else:
        idle_since = None
    return _with_session(state, event.session, Session(idle_since, tracks_idle))


def _acted(state: State, session: str, now: datetime) -> State:
    known = state.sessions.get(session)
    if known is None:
        return replace(state, last_activity=latest(state.last_activity, now))
    if known.panel or known.idle_since is None:
        return state
    return _with_session(state, session, replace(known, idle_since=latest(known.idle_since, now)))


def _ended(state: State, session: str, now: datetime) -> State:
    known = state.sessions.get(session)
    if known is None:
        return state
    rest = {jid: other for jid, other in state.sessions.items() if jid != session}
    last_panel_gone = known.panel is not None and not any(other.panel for other in rest.values())
    return replace(
        state,
        sessions=MappingProxyType(rest),
        last_activity=latest(state.last_activity, known.idle_since or now),
        panel_mode=state.panel_mode if last_panel_gone else _newest_panel_mode(replace(state, sessions=rest)),
        panel_ended_at=now if last_panel_gone else state.panel_ended_at,
    )


def _with_session(state: State, jid: str, session: Session) -> State:
    return replace(state, sessions=MappingProxyType({**state.sessions, jid: session}))


def _newest_panel_mode(state: State) -> Mode | None:
    panels = [session.panel for session in state.sessions.values() if session.panel]
    return max(panels, key=lambda panel: panel.since).mode if panels else state.panel_mode


def _clamped(instant: datetime | None, now: datetime) -> datetime | None:
    return instant if instant is None else min(instant, now)
