"""Why a status is what it is: for every state the rule that is named is the one that decided."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given

from component.core.explanation import RULES, Explanation, explain
from component.core.facts import Choice, Mode, Panel, Phone, Report, Session, State, Status
from component.core.status import Rules, choice_in_force, inactive_since, panel_status, phone_of, report_in_force
from tests.unit import strategies as some
from tests.unit.strategies import START

NOW = START + timedelta(hours=2)
HOUR_AGO = NOW - timedelta(hours=1)
ACTIVE = Session(None, True, Panel(Mode.DESKPHONE, Phone.ONLINE, HOUR_AGO))
SOFTPHONE = Session(None, True, Panel(Mode.SOFTPHONE, Phone.ONLINE, HOUR_AGO))
BUSY = Choice(Status.BUSY, HOUR_AGO, "На совещании")
OFFLINE = Choice(Status.OFFLINE, HOUR_AGO)
RULES_HERE = Rules()


def state(choice: Choice | None = None, report: Report | None = None, **sessions: Session) -> State:
    """One who launched an hour ago."""
    return State(choice, HOUR_AGO, HOUR_AGO, Mode.DESKPHONE, None, report, sessions)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (State(), Explanation("R1", "no panel was ever launched and no status ever set", None)),
        (
            state(BUSY, Report(Phone.OFFLINE, HOUR_AGO, "pbx.example.test"), a=ACTIVE),
            Explanation(
                "R2",
                "the PBX pbx.example.test reports the phone as offline",
                HOUR_AGO,
                ("R6", "R8"),
                Status.BUSY,
            ),
        ),
        (
            state(a=Session(None, True, Panel(Mode.SOFTPHONE, Phone.OFFLINE, HOUR_AGO))),
            Explanation("R2", "the panel says that the phone is offline", HOUR_AGO, ("R8",)),
        ),
        (
            State(launched_at=HOUR_AGO, panel_mode=Mode.SOFTPHONE, panel_ended_at=NOW),
            Explanation(
                "R2", "in softphone mode the phone lives in the panel, and no panel is connected", NOW, ("R8",)
            ),
        ),
        (
            state(OFFLINE, a=SOFTPHONE),
            Explanation("R2", "offline was chosen, in softphone mode", HOUR_AGO, ("R8",)),
        ),
        (
            state(BUSY, a=Session(HOUR_AGO, True, ACTIVE.panel)),
            Explanation("R3", "every session has been idle for 15 minutes or longer", HOUR_AGO, ("R6",), Status.BUSY),
        ),
        (state(), Explanation("R3", "no session is connected", HOUR_AGO)),
        (state(a=ACTIVE), Explanation("R4", "there is activity and no status was chosen", HOUR_AGO)),
        (
            state(Choice(Status.ONLINE, HOUR_AGO), a=ACTIVE),
            Explanation("R4", "there is activity, and online was chosen", HOUR_AGO),
        ),
        (
            state(Choice(Status.DND, START, "Отчёт", HOUR_AGO), a=ACTIVE),
            Explanation("R4", "there is activity, and the time of the chosen status is over", HOUR_AGO),
        ),
        (state(BUSY, a=ACTIVE), Explanation("R5", "busy was chosen, and there is activity", HOUR_AGO, ("R6",))),
        (
            state(OFFLINE, a=ACTIVE),
            Explanation(
                "R7",
                "offline was chosen, but no softphone mode applies now: it has no force",
                HOUR_AGO,
                hidden=Status.OFFLINE,
            ),
        ),
    ],
)
def test_each_rule_and_each_of_its_reasons(facts: State, expected: Explanation) -> None:
    assert explain(facts, NOW, RULES_HERE) == expected
    assert {expected.rule, *expected.also} <= RULES.keys()


@given(some.states, some.instants, some.rules, some.directory_modes)
def test_the_named_rule_is_the_one_that_decided(state: State, now: datetime, rules: Rules, mode: Mode | None) -> None:
    why, status = explain(state, now, rules, mode), panel_status(state, now, rules, mode)
    choice = choice_in_force(state, now)
    assert why.since == status.since
    assert ("R6" in why.also, "R8" in why.also) == (bool(status.text), status.status is Status.OFFLINE)
    assert why.hidden in (None, choice and choice.status)
    match why.rule:
        case "R1":
            assert (status.status, state.launched_at) == (Status.ONLINE, None)
        case "R2":
            phone = phone_of(state, now, mode)[0]
            assert status.status is Status.OFFLINE
            assert phone is Phone.OFFLINE or (choice and choice.status is Status.OFFLINE)
            assert ("PBX" in why.because) == (phone is Phone.OFFLINE and report_in_force(state, now) is not None)
        case "R3":
            assert (status.status, status.since) == (Status.WAS_HERE, inactive_since(state, now, rules))
        case "R4":
            assert status.status is Status.ONLINE
            assert choice is None or choice.status is Status.ONLINE
            assert inactive_since(state, now, rules) is None
        case "R5":
            assert choice
            assert status.status is choice.status
            assert status.status in (Status.BUSY, Status.DND)
        case "R7":
            assert choice
            assert (status.status, choice.status) == (Status.ONLINE, Status.OFFLINE)
        case _:
            pytest.fail(f"{why.rule} decides nothing by itself")
