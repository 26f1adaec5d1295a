"""The decisions where the source leaves room, each as a case. Minutes count from START."""

from datetime import datetime, timedelta

import pytest

from component.core.errors import Refusal
from component.core.facts import (
    Acted,
    ClientSeen,
    Event,
    Mode,
    PanelSeen,
    PbxLost,
    Phone,
    PhoneReported,
    SessionEnded,
    State,
    Status,
    StatusChosen,
)
from component.core.status import PanelStatus, Rules, check_choice, mode_of, panel_status, phone_of
from component.core.texts import LANGUAGES, say
from component.core.transitions import step
from tests.unit.strategies import START

PANEL, SECOND, CLIENT = (f"ivanov@example.test/{resource}" for resource in ("panel", "second", "client"))
PBX, OTHER_PBX = "pbx.example.test", "pbx-2.example.test"
SOFT, DESK = Mode.SOFTPHONE, Mode.DESKPHONE
RULES, ONLINE_AGAIN = Rules(), Rules(restore_after_was_here=False)

ACTIVE_PANEL = PanelSeen(PANEL, DESK, None)
SOFTPHONE = PanelSeen(PANEL, SOFT, None)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def after(*happened: tuple[float, Event], rules: Rules = RULES, state: State | None = None) -> State:
    state = state or State()
    for minutes, event in happened:
        state = step(state, event, at(minutes), rules)
    return state


def shown(state: State, minutes: float, mode: Mode | None = None, rules: Rules = RULES) -> PanelStatus:
    return panel_status(state, at(minutes), rules, mode)


def status(state: State, minutes: float, mode: Mode | None = None) -> str:
    return str(shown(state, minutes, mode).status)


# Launched


def test_a_panel_session_launches() -> None:
    assert after((5, ACTIVE_PANEL), (9, SOFTPHONE)).launched_at == at(5)


@pytest.mark.parametrize("session", [None, CLIENT])
def test_a_status_set_by_any_road_launches(session: str | None) -> None:
    assert after((5, StatusChosen(Status.ONLINE, session=session))).launched_at == at(5)


@pytest.mark.parametrize("event", [ClientSeen(CLIENT), Acted(CLIENT), SessionEnded(CLIENT), PbxLost(PBX)])
def test_an_ordinary_client_does_not_launch(event: Event) -> None:
    state = after((0, event))
    assert state.launched_at is None
    assert status(state, 600) == "online"


def test_launched_and_nothing_chosen_is_online_since_the_launch() -> None:
    state = after((5, ACTIVE_PANEL))
    assert shown(state, 600) == PanelStatus(Status.ONLINE, Phone.UNKNOWN, since=at(5))


# Inactive


def test_no_session_at_all_is_inactive() -> None:
    state = after((0, ACTIVE_PANEL), (10, SessionEnded(PANEL)))
    assert shown(state, 10) == PanelStatus(Status.WAS_HERE, Phone.UNKNOWN, since=at(10), last_activity=at(10))


def test_an_idle_session_that_ended_was_here_since_it_was_idle() -> None:
    state = after((0, PanelSeen(PANEL, DESK, None, at(-5))), (5, SessionEnded(PANEL)))
    assert shown(state, 5).last_activity == at(-5)


def test_a_panel_launched_without_any_session_was_here_since_its_launch() -> None:
    assert shown(after((0, StatusChosen(Status.BUSY))), 5, Mode.DESKPHONE).last_activity == at(0)


def test_idle_for_fifteen_minutes_is_inactive_and_a_second_less_is_not() -> None:
    state = after((0, ACTIVE_PANEL), (10, PanelSeen(PANEL, DESK, None, at(10))))
    assert status(state, 25 - 1 / 60) == "online"
    assert shown(state, 25).last_activity == at(10)


def test_one_active_session_is_enough() -> None:
    state = after((0, PanelSeen(PANEL, DESK, None, at(0))), (0, PanelSeen(SECOND, DESK, None)))
    assert status(state, 600) == "online"
    state = after((60, PanelSeen(SECOND, DESK, None, at(60))), state=state)
    assert (status(state, 74), status(state, 75)) == ("online", "was-here")
    assert shown(state, 75).last_activity == at(60)


def test_a_session_that_was_active_at_its_end_was_active_then() -> None:
    state = after((0, PanelSeen(PANEL, DESK, None, at(0))), (0, PanelSeen(SECOND, DESK, None)))
    state = after((5, SessionEnded(PANEL)), (30, SessionEnded(SECOND)), state=state)
    assert shown(state, 30).last_activity == at(30)


def test_the_end_of_an_unknown_session_changes_nothing() -> None:
    state = after((0, ACTIVE_PANEL))
    assert after((5, SessionEnded(CLIENT)), state=state) is state


@pytest.mark.parametrize("chosen", [Status.ONLINE, Status.BUSY, Status.DND])
def test_was_here_covers_every_choice_but_offline(chosen: Status) -> None:
    state = after((0, SOFTPHONE), (1, StatusChosen(chosen, "На обеде")), (2, PanelSeen(PANEL, SOFT, None, at(2))))
    assert (status(state, 16), status(state, 17)) == (chosen, "was-here")
    assert shown(state, 17).text == "На обеде"
    assert status(after((18, StatusChosen(Status.OFFLINE)), state=state), 30) == "offline"


# Activity is at the computer


def test_a_client_without_idle_is_active_only_when_it_does_something() -> None:
    state = after((0, StatusChosen(Status.BUSY)), (0, ClientSeen(CLIENT)))
    assert (status(state, 14), status(state, 15)) == ("busy", "was-here")
    for event in (ClientSeen(CLIENT), Acted(CLIENT), StatusChosen(Status.BUSY, session=CLIENT)):
        again = after((40, event), state=state)
        assert (status(again, 54), status(again, 55)) == ("busy", "was-here")


def test_a_client_with_idle_is_active_until_it_says_so() -> None:
    state = after((0, StatusChosen(Status.DND)), (0, ClientSeen(CLIENT, at(0))), (5, ClientSeen(CLIENT)))
    assert status(state, 600) == "dnd"
    assert after((9, Acted(CLIENT)), state=state) is state
    state = after((600, ClientSeen(CLIENT, at(590), away=True)), state=state)
    assert (status(state, 604), status(state, 605)) == ("dnd", "was-here")
    assert status(after((610, Acted(CLIENT)), state=state), 610) == "dnd"


def test_a_message_from_a_session_that_nobody_has_seen_is_activity() -> None:
    state = after((0, ACTIVE_PANEL), (5, SessionEnded(PANEL)), (20, Acted(CLIENT)))
    assert shown(state, 20).last_activity == at(20)


def test_away_without_idle_is_idle_since_its_arrival() -> None:
    state = after((0, StatusChosen(Status.DND)), (0, ClientSeen(CLIENT, at(0))), (5, ClientSeen(CLIENT, away=True)))
    assert (status(state, 19), status(state, 20)) == ("dnd", "was-here")


def test_once_a_panel_its_directed_presences_alone_carry_its_idle_state() -> None:
    state = after((0, ClientSeen(PANEL)), (1, PanelSeen(PANEL, DESK, None, at(1))))
    assert (
        after((10, ClientSeen(PANEL)), (11, Acted(PANEL)), (12, ClientSeen(PANEL, at(2), True)), state=state) == state
    )
    assert status(state, 16) == "was-here"
    assert status(after((17, ACTIVE_PANEL), state=state), 17) == "online"


def test_a_sessions_show_is_never_the_panel_status() -> None:
    assert status(after((0, ACTIVE_PANEL), (0, ClientSeen(CLIENT, away=True))), 600) == "online"


@pytest.mark.parametrize(
    "event", [PanelSeen(PANEL, DESK, None, at(999)), ClientSeen(PANEL, at(999)), ClientSeen(PANEL, at=at(999))]
)
def test_a_future_instant_is_now(event: Event) -> None:
    assert after((3, event)).sessions[PANEL].idle_since == at(3)


def test_a_replayed_presence_is_activity_at_its_stamp_and_never_earlier_than_known() -> None:
    assert after((30, ClientSeen(CLIENT, at=at(5)))).sessions[CLIENT].idle_since == at(5)
    state = after((10, ClientSeen(CLIENT)), (30, ClientSeen(CLIENT, at=at(5))))
    assert state.sessions[CLIENT].idle_since == at(10)


# The phone


def test_the_phone_is_what_the_pbx_says_before_any_panel() -> None:
    state = after((0, PanelSeen(PANEL, SOFT, Phone.ONLINE)), (1, PhoneReported(Phone.OFFLINE, PBX)))
    assert phone_of(state, at(2), None) == (Phone.OFFLINE, at(1))
    state = after((3, PanelSeen(PANEL, SOFT, Phone.OFFLINE)), (4, PhoneReported(Phone.ONLINE, PBX)), state=state)
    assert phone_of(state, at(5), None) == (Phone.ONLINE, at(4))


def test_then_any_panel_that_says_online_before_one_that_says_offline() -> None:
    state = after((0, PanelSeen(PANEL, SOFT, Phone.ONLINE)), (1, PanelSeen(SECOND, SOFT, Phone.OFFLINE)))
    assert phone_of(state, at(2), None) == (Phone.ONLINE, at(0))
    assert phone_of(after((3, SessionEnded(PANEL)), state=state), at(3), None) == (Phone.OFFLINE, at(1))


def test_unknown_counts_as_online() -> None:
    state = after((0, ACTIVE_PANEL))
    assert phone_of(state, at(0), None) == (Phone.UNKNOWN, None)
    assert status(state, 0) == "online"
    assert status(after((1, PhoneReported(Phone.UNKNOWN, PBX)), state=state), 1) == "online"


def test_a_pbx_report_ends_with_its_pbx_or_its_time() -> None:
    state = after((0, ACTIVE_PANEL), (1, PhoneReported(Phone.OFFLINE, PBX, at(5))))
    assert (status(state, 5 - 1 / 60), status(state, 5)) == ("offline", "online")
    assert after((2, PbxLost(OTHER_PBX)), state=state) is state
    assert status(after((2, PbxLost(PBX)), state=state), 2) == "online"


def test_a_repeated_report_keeps_its_beginning_unless_it_had_ended() -> None:
    offline = PhoneReported(Phone.OFFLINE, PBX, at(5))
    state = after((1, offline))
    assert shown(after((4, offline), state=state), 4).since == at(1)
    assert shown(after((9, PhoneReported(Phone.OFFLINE, PBX)), state=state), 9).since == at(9)


def test_a_softphone_without_a_panel_is_offline_after_the_first_launch() -> None:
    state = after((0, SOFTPHONE), (0, ClientSeen(CLIENT, at(0))), (8, SessionEnded(PANEL)))
    assert shown(state, 9) == PanelStatus(Status.OFFLINE, Phone.OFFLINE, since=at(8))
    assert status(after((10, SOFTPHONE), state=state), 10) == "online"
    assert status(state, 9, DESK) == "online"


def test_before_the_first_launch_a_softphone_without_a_panel_is_online() -> None:
    assert status(State(), 0, SOFT) == "online"


def test_never_launched_is_offline_by_a_pbx_report_alone() -> None:
    assert status(after((0, PhoneReported(Phone.OFFLINE, PBX))), 1) == "offline"


# The mode


def test_the_mode_is_the_asking_sessions_then_the_newest_panels_then_the_directorys() -> None:
    state = after((0, PanelSeen(PANEL, SOFT, None)), (1, PanelSeen(SECOND, DESK, None)), (2, ClientSeen(CLIENT)))
    assert [mode_of(state, None, session) for session in (PANEL, SECOND, CLIENT, None)] == [SOFT, DESK, DESK, DESK]
    # to announce itself again does not make a panel newer
    assert mode_of(after((3, PanelSeen(PANEL, SOFT, None)), state=state), None) is DESK
    state = after((4, SessionEnded(SECOND)), state=state)
    assert mode_of(state, DESK) is SOFT
    state = after((5, SessionEnded(PANEL)), (6, SessionEnded(CLIENT)), state=state)
    assert (mode_of(state, DESK), mode_of(state, None)) == (DESK, SOFT)
    assert mode_of(State(), None) is DESK


def test_offline_has_no_force_while_no_softphone_applies() -> None:
    state = after((0, SOFTPHONE), (1, StatusChosen(Status.OFFLINE, "В отпуске", session=PANEL)))
    assert shown(state, 2) == PanelStatus(Status.OFFLINE, Phone.UNKNOWN, "В отпуске", at(1))
    at_desk = after((3, SessionEnded(PANEL)), (4, PanelSeen(SECOND, DESK, None)), state=state)
    assert shown(at_desk, 4) == PanelStatus(Status.ONLINE, Phone.UNKNOWN, "В отпуске", at(1))
    assert status(after((5, SOFTPHONE), state=at_desk), 5) == "offline"


# The choice


def test_after_its_until_a_choice_is_online_without_a_text() -> None:
    state = after((0, ACTIVE_PANEL), (1, StatusChosen(Status.DND, "На совещании", at(30))))
    assert shown(state, 29) == PanelStatus(Status.DND, Phone.UNKNOWN, "На совещании", at(1), at(30))
    assert shown(state, 30) == PanelStatus(Status.ONLINE, Phone.UNKNOWN, None, at(30))


def test_activity_brings_the_choice_back_or_makes_it_online() -> None:
    for rules, status_again, since in ((RULES, Status.BUSY, at(1)), (ONLINE_AGAIN, Status.ONLINE, at(40))):
        chosen = after((0, ACTIVE_PANEL), (1, StatusChosen(Status.BUSY, "На обеде", at(90))), rules=rules)
        state = after((1, PanelSeen(PANEL, DESK, None, at(1))), (40, ACTIVE_PANEL), state=chosen, rules=rules)
        assert shown(state, 40) == PanelStatus(status_again, Phone.UNKNOWN, "На обеде", since, at(90))
        assert shown(state, 90).text is None


def test_a_text_that_has_ended_does_not_come_back_with_activity() -> None:
    state = after((0, ACTIVE_PANEL), (1, StatusChosen(Status.BUSY, "На обеде", at(5))), rules=ONLINE_AGAIN)
    state = after((1, PanelSeen(PANEL, DESK, None, at(1))), (40, ACTIVE_PANEL), state=state, rules=ONLINE_AGAIN)
    assert shown(state, 40) == PanelStatus(Status.ONLINE, Phone.UNKNOWN, None, at(5))


def test_a_choice_made_on_coming_back_holds() -> None:
    state = after((0, StatusChosen(Status.ONLINE)), (0, ClientSeen(CLIENT)), rules=ONLINE_AGAIN)
    state = after((60, StatusChosen(Status.DND, session=CLIENT)), state=state, rules=ONLINE_AGAIN)
    assert status(state, 60) == "dnd"


@pytest.mark.parametrize(("until", "allowed"), [(0, False), (1, True), (60, True), (61, False)])
def test_until_lies_ahead_and_not_too_far(until: int, allowed: bool) -> None:
    chosen = StatusChosen(Status.BUSY, until=at(until))
    if allowed:
        check_choice(State(), chosen, at(0), None, timedelta(hours=1))
        return
    with pytest.raises(Refusal) as refused:
        check_choice(State(), chosen, at(0), None, timedelta(hours=1))
    assert (refused.value.condition, refused.value.key) == ("bad-request", "bad-until")
    assert all(say("bad-until", language, **refused.value.values) for language in LANGUAGES)


def test_was_here_cannot_be_chosen() -> None:
    with pytest.raises(ValueError, match="was-here cannot be chosen"):
        StatusChosen(Status.WAS_HERE)
