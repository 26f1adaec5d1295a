"""The panel status of an employee: rules R1-R8, derived from the facts for an instant.

R1  an employee whose panel was never launched is `online`
R2  phone offline, or chosen `offline`: `offline`, whatever else holds
R3  launched and inactive: `was-here` since the last activity
R4  activity ends `was-here` at once and by itself
R5  `busy` and `dnd` are chosen by hand and change nothing about the phone
R6  the custom text stands beside whatever the main status is
R7  `offline` can be chosen only in softphone mode
R8  while `offline`, sessions and chat go on

Precedence: R2, R1, R3, the chosen status.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from component.core.errors import Refusal
from component.core.facts import Choice, Mode, Phone, Report, State, Status, StatusChosen


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of the rules."""

    was_here_after: timedelta = timedelta(minutes=15)
    restore_after_was_here: bool = True


@dataclass(frozen=True, slots=True)
class PanelStatus:
    """The panel status in force: what panels are told losslessly and what the presence is made from.

    `last_activity` is set for `was-here` only.
    """

    status: Status
    phone: Phone
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    last_activity: datetime | None = None


def latest(one: datetime | None, other: datetime) -> datetime:
    """Return the later of two instants, the first of which may be missing."""
    return other if one is None else max(one, other)


def _last_activity(state: State, now: datetime) -> datetime:
    instants = [session.idle_since or now for session in state.sessions.values()]
    if state.last_activity:
        instants.append(state.last_activity)
    return max(instants, default=state.launched_at or now)


def inactive_since(state: State, now: datetime, rules: Rules) -> datetime | None:
    """Return since when the employee is inactive; None while active."""
    for session in state.sessions.values():
        if session.idle_since is None or now - session.idle_since < rules.was_here_after:
            return None
    return _last_activity(state, now)


def mode_of(state: State, directory_mode: Mode | None, session: str | None = None) -> Mode:
    """Return the phone mode: of the asking session, else of the newest panel session, else the directory's.

    Where the directory is silent the last panel seen speaks, and `deskphone` if there was none.
    """
    asking = state.sessions.get(session) if session else None
    if asking and asking.panel:
        return asking.panel.mode
    if any(other.panel for other in state.sessions.values()) and state.panel_mode:
        return state.panel_mode
    return directory_mode or state.panel_mode or Mode.DESKPHONE


def softphone_applies(state: State, directory_mode: Mode | None) -> bool:
    """Say whether a chosen `offline` has force: some panel is in softphone mode, or without panels the mode is."""
    modes = [session.panel.mode for session in state.sessions.values() if session.panel]
    return Mode.SOFTPHONE in (modes or [mode_of(state, directory_mode)])


def report_in_force(state: State, now: datetime) -> Report | None:
    """Return the PBX's report, until it expires."""
    report = state.report
    return report if report and (report.expires is None or now < report.expires) else None


def phone_of(state: State, now: datetime, directory_mode: Mode | None) -> tuple[Phone, datetime | None]:
    """Return the phone, and since when: the PBX's word, else the panels', else what the mode implies."""
    if report := report_in_force(state, now):
        return report.phone, report.at
    panels = [session.panel for session in state.sessions.values() if session.panel]
    for phone in (Phone.ONLINE, Phone.OFFLINE):
        saying = [panel.since for panel in panels if panel.phone is phone]
        if saying:
            return phone, max(saying)
    if state.launched_at and not panels and mode_of(state, directory_mode) is Mode.SOFTPHONE:
        return Phone.OFFLINE, state.panel_ended_at or state.launched_at
    return Phone.UNKNOWN, None


def choice_in_force(state: State, now: datetime) -> Choice | None:
    """Return the choice; after its `until` it is `online` without a text."""
    choice = state.choice
    if choice and choice.until and choice.until <= now:
        return Choice(Status.ONLINE, choice.until)
    return choice


def panel_status(state: State, now: datetime, rules: Rules, directory_mode: Mode | None = None) -> PanelStatus:
    """Return the panel status in force at `now` (R1-R6)."""
    choice = choice_in_force(state, now)
    text, until = (choice.text, choice.until) if choice else (None, None)
    phone, phone_since = phone_of(state, now, directory_mode)
    if phone is Phone.OFFLINE:
        return PanelStatus(Status.OFFLINE, phone, text, phone_since, until)
    chosen_offline = choice is not None and choice.status is Status.OFFLINE
    if choice and chosen_offline and softphone_applies(state, directory_mode):
        return PanelStatus(Status.OFFLINE, phone, text, choice.at, until)
    if state.launched_at is None:
        return PanelStatus(Status.ONLINE, phone)
    if since := inactive_since(state, now, rules):
        return PanelStatus(Status.WAS_HERE, phone, text, since, until, since)
    if choice is None:
        return PanelStatus(Status.ONLINE, phone, since=state.launched_at)
    return PanelStatus(Status.ONLINE if chosen_offline else choice.status, phone, text, choice.at, until)


def check_choice(
    state: State, event: StatusChosen, now: datetime, directory_mode: Mode | None, longest: timedelta
) -> None:
    """Raise Refusal for a choice that may not be made: R7, or an `until` that is past or too far away."""
    mode = mode_of(state, directory_mode, event.session)
    if event.status is Status.OFFLINE and mode is not Mode.SOFTPHONE:
        raise Refusal("not-allowed", "offline-needs-softphone")
    if event.until is not None and not now < event.until <= now + longest:
        until = event.until.isoformat(timespec="seconds")
        raise Refusal("bad-request", "bad-until", value=until, days=longest.days)


def next_change(state: State, now: datetime, rules: Rules, extended_away_after: timedelta) -> datetime | None:
    """Return the next instant after `now` at which the status or its presence may change by time alone."""
    instants = []
    if state.choice and state.choice.until:
        instants.append(state.choice.until)
    if state.report and state.report.expires:
        instants.append(state.report.expires)
    idle = [session.idle_since for session in state.sessions.values()]
    if state.launched_at and None not in idle:
        if state.sessions:
            instants.append(max(since for since in idle if since) + rules.was_here_after)
        instants.append(_last_activity(state, now) + extended_away_after)
    return min((instant for instant in instants if instant > now), default=None)
