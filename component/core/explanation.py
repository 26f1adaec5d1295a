"""Why an employee has the panel status that he has: the rule that decided (R1-R8), and the fact behind it in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from component.core.facts import Mode, Phone, State, Status
from component.core.status import (
    Rules,
    choice_in_force,
    inactive_since,
    panel_status,
    phone_of,
    report_in_force,
    softphone_applies,
)

Rule = Literal["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8"]

RULES: Mapping[Rule, str] = {
    "R1": "an employee whose panel was never launched is online",
    "R2": "phone offline, or offline chosen: offline, whatever else holds",
    "R3": "launched and inactive: was-here since the last activity",
    "R4": "activity ends was-here at once and by itself: online, or what was chosen before",
    "R5": "busy and dnd are chosen by hand and change nothing about the phone",
    "R6": "the custom text stands beside whatever the main status is",
    "R7": "offline can be chosen only in softphone mode",
    "R8": "while offline, messages and chats go through in both directions",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The rule that decided, its reason in words, and since when that holds; `also` are rules that add something.

    `hidden` is a chosen status that another rule covers for now.
    """

    rule: Rule
    because: str
    since: datetime | None
    also: tuple[Rule, ...] = ()
    hidden: Status | None = None


def explain(state: State, now: datetime, rules: Rules, directory_mode: Mode | None = None) -> Explanation:
    """Return why `panel_status` is what it is for the same facts and instant."""
    status = panel_status(state, now, rules, directory_mode)
    rule, because = _deciding(state, now, rules, directory_mode)
    also: list[Rule] = ["R6"] if status.text else []
    if status.status is Status.OFFLINE:
        also.append("R8")
    choice = choice_in_force(state, now)
    covered = choice is not None and choice.status not in (status.status, Status.ONLINE)
    return Explanation(rule, because, status.since, tuple(also), choice.status if choice and covered else None)


def _deciding(state: State, now: datetime, rules: Rules, directory_mode: Mode | None) -> tuple[Rule, str]:
    if phone_of(state, now, directory_mode)[0] is Phone.OFFLINE:
        return "R2", _offline_phone(state, now)
    choice = choice_in_force(state, now)
    offline_chosen = choice is not None and choice.status is Status.OFFLINE
    if offline_chosen and softphone_applies(state, directory_mode):
        return "R2", "offline was chosen, in softphone mode"
    if state.launched_at is None:
        return "R1", "no panel was ever launched and no status ever set"
    if inactive_since(state, now, rules):
        minutes = int(rules.was_here_after.total_seconds() // 60)
        idle = f"every session has been idle for {minutes} minutes or longer"
        return "R3", idle if state.sessions else "no session is connected"
    if choice is None:
        return "R4", "there is activity and no status was chosen"
    if offline_chosen:
        return "R7", "offline was chosen, but no softphone mode applies now: it has no force"
    if choice.status is not Status.ONLINE:
        return "R5", f"{choice.status} was chosen, and there is activity"
    ended = state.choice is not None and state.choice.until is not None and state.choice.until <= now
    return "R4", f"there is activity, and {'the time of the chosen status is over' if ended else 'online was chosen'}"


def _offline_phone(state: State, now: datetime) -> str:
    if report := report_in_force(state, now):
        return f"the PBX {report.pbx} reports the phone as offline"
    if any(session.panel for session in state.sessions.values()):
        return "the panel says that the phone is offline"
    return "in softphone mode the phone lives in the panel, and no panel is connected"
