"""The rules of the panel status, R1-R8, each as a property under the sentence of the source that says it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component.core.chat import route
from component.core.directory import Directory, Employee
from component.core.errors import Refusal
from component.core.facts import (
    Choice,
    Event,
    Mode,
    Panel,
    PanelSeen,
    Phone,
    Report,
    Session,
    SessionEnded,
    State,
    Status,
    StatusChosen,
)
from component.core.presence import Available, Style, presence_for
from component.core.status import (
    PanelStatus,
    Rules,
    check_choice,
    choice_in_force,
    mode_of,
    next_change,
    panel_status,
    phone_of,
)
from component.core.texts import LANGUAGES, say
from component.core.transitions import step
from tests.unit import strategies as some

RULES = Rules()
LONGEST = timedelta(days=366)


def test_the_strategies_know_every_event() -> None:
    assert set(some.EVENTS) == set(get_args(Event))


@given(some.states, some.events, some.instants, some.rules, some.directory_modes)
def test_every_state_takes_every_event_and_has_a_status(
    state: State, event: Event, now: datetime, rules: Rules, mode: Mode | None
) -> None:
    before = repr(state)

    def after() -> tuple[State, PanelStatus, datetime | None]:
        stepped = step(state, event, now, rules)
        return (
            stepped,
            panel_status(stepped, now, rules, mode),
            next_change(stepped, now, rules, timedelta(hours=1)),
        )

    assert after() == after()
    assert repr(state) == before


@given(some.reachable())
def test_nothing_that_happened_lies_in_the_future(moment: tuple[State, datetime]) -> None:
    state, now = moment
    idle = [session.idle_since for session in state.sessions.values()]
    assert all(instant <= now for instant in (*idle, state.last_activity, state.launched_at) if instant)


@given(some.states, some.sessions_of(some.clients), some.instants, some.directory_modes)
def test_r1_never_launched_is_online(state: State, clients: dict[str, Session], now: datetime, mode: Mode) -> None:
    """«Если сотрудник ни разу не запускал Панель телефонии, по умолчанию у него будет отображаться статус Онлайн.»

    R1: whatever his ordinary clients do; only a PBX can say otherwise.
    """
    never = replace(state, choice=None, launched_at=None, report=None, sessions=clients)
    assert panel_status(never, now, RULES, mode) == PanelStatus(Status.ONLINE, Phone.UNKNOWN)


@given(some.states, some.instants, some.rules, some.directory_modes)
def test_r2_an_offline_phone_is_offline(state: State, now: datetime, rules: Rules, mode: Mode | None) -> None:
    """«Онлайн/Офлайн — это статусы, отражающие доступность телефона сотрудника.»

    R2: whatever else holds, launched or not, active or not, whatever was chosen.
    """
    silent = replace(state, report=Report(Phone.OFFLINE, now, "pbx.example.test"))
    assert panel_status(silent, now, rules, mode).status is Status.OFFLINE


@given(some.states, some.panels, some.instants, some.rules, some.directory_modes)
def test_r2_offline_chosen_with_a_softphone_is_offline(
    state: State, panel: Panel, now: datetime, rules: Rules, mode: Mode | None
) -> None:
    """«При выборе статуса Офлайн сотрудник становится недоступен для звонков.»

    R2: whatever else holds, also when the PBX says that the phone is online.
    """
    softphone = Session(None, True, replace(panel, mode=Mode.SOFTPHONE))
    chosen = replace(
        state, choice=Choice(Status.OFFLINE, now), sessions={**state.sessions, "ivanov@example.test/soft": softphone}
    )
    assert panel_status(chosen, now, rules, mode).status is Status.OFFLINE


@given(some.inactive())
def test_r3_launched_and_inactive_was_here(moment: tuple[State, datetime]) -> None:
    """«Если Панель телефонии запускалась, отображается либо текущий установленный статус сотрудника, либо "Был на
    месте...", если сотрудник не проявлял активности.»

    R3: since the last activity, over any chosen status but `offline`.
    """
    state, now = moment
    shown = panel_status(state, now, RULES)
    idle = [session.idle_since for session in state.sessions.values()]
    latest = max((instant for instant in (*idle, state.last_activity) if instant), default=state.launched_at)
    assert (shown.status, shown.since, shown.last_activity) == (Status.WAS_HERE, latest, latest)


@given(some.inactive(), some.jids, some.rules)
def test_r4_activity_ends_was_here(moment: tuple[State, datetime], session: str, rules: Rules) -> None:
    """«При появлении активности за компьютером статус автоматически изменяется с "Был на месте...", на Онлайн.»

    R4: at once and by itself; who had chosen busy or dnd gets that back, or `online` if so configured.
    """
    state, now = moment
    rules = replace(rules, was_here_after=RULES.was_here_after)
    shown = panel_status(step(state, PanelSeen(session, Mode.DESKPHONE, None), now, rules), now, rules)
    chosen = state.choice.status if state.choice else Status.ONLINE
    assert shown.status is (chosen if rules.restore_after_was_here else Status.ONLINE)


@given(some.states, some.choices, some.instants, some.directory_modes)
def test_r5_a_choice_says_nothing_about_the_phone(
    state: State, choice: Choice, now: datetime, mode: Mode | None
) -> None:
    """«Все статусы, кроме Офлайн, являются информативными и не влияют на доступность телефона.»

    R5: the phone is the same with every choice, and busy and dnd come from a choice alone.
    """
    assert phone_of(replace(state, choice=choice), now, mode) == phone_of(state, now, mode)
    unchosen = panel_status(replace(state, choice=None), now, RULES, mode)
    assert unchosen.status not in (Status.BUSY, Status.DND)


@given(
    some.reachable(),
    some.choosable,
    some.happenings(some.events_but_choices),
    some.rules,
    some.directory_modes,
    some.styles,
)
def test_r6_the_text_stands_beside_every_status(
    moment: tuple[State, datetime],
    status: Status,
    then: list[tuple[int, Event]],
    rules: Rules,
    mode: Mode | None,
    style: Style,
) -> None:
    """«…текстовый статус, который будет отображаться рядом с основным статусом и виден другим сотрудникам.»

    R6: whatever the main status is and becomes, in every language that the presence carries.
    """
    chosen: tuple[int, Event] = (0, StatusChosen(status, "На обеде"))
    state, now = some.play(*moment, rules, chosen, *then)
    shown = panel_status(state, now, rules, mode)
    texts = presence_for(shown, now, style, UTC).texts
    assert shown.text == "На обеде"
    assert texts and all("На обеде" in text for _, text in texts)


@given(some.states, some.choosable, some.instants, st.none() | some.jids, some.directory_modes)
def test_r7_offline_needs_a_softphone(
    state: State, status: Status, now: datetime, session: str | None, mode: Mode | None
) -> None:
    """«Статус Офлайн доступен для ручного выбора, но только при работе Панели телефонии в режиме софтфона.»

    R7: otherwise refused with `not-allowed`; everything else may be chosen always.
    """
    chosen = StatusChosen(status, session=session)
    if status is not Status.OFFLINE or mode_of(state, mode, session) is Mode.SOFTPHONE:
        check_choice(state, chosen, now, mode, LONGEST)
        return
    with pytest.raises(Refusal) as refused:
        check_choice(state, chosen, now, mode, LONGEST)
    assert (refused.value.condition, refused.value.key) == ("not-allowed", "offline-needs-softphone")
    assert all(say(refused.value.key, language, **refused.value.values) for language in LANGUAGES)


@given(some.reachable(), some.jids, st.sampled_from(["chat", "normal", None]))
def test_r8_while_offline_panel_and_chat_go_on(
    moment: tuple[State, datetime], session: str, message_type: str | None
) -> None:
    """«Это означает что он не принимает звонки, при этом Панель телефонии может быть запущена и сотрудник может
    принимать сообщения и общаться в чатах.»

    R8: no session ends and a panel may start; the way of a message is found without a look at any status.
    """
    state, now = moment
    offline = step(state, StatusChosen(Status.OFFLINE), now, RULES)
    assert offline.sessions == state.sessions
    with_panel = step(offline, PanelSeen(session, Mode.SOFTPHONE, Phone.OFFLINE), now, RULES)
    assert panel_status(with_panel, now, RULES).status is Status.OFFLINE
    assert session in with_panel.sessions
    ivanov, petrov = (Employee(one, one, f"{one}@example.test", one) for one in ("ivanov", "petrov"))
    colleagues = Directory([ivanov, petrov], "everyone")
    assert route(colleagues, ivanov.account, "petrov", message_type).recipient == petrov
    assert route(colleagues, petrov.account, "ivanov", message_type).recipient == ivanov


@given(some.states, some.instants, some.rules, some.directory_modes, some.styles, st.integers(0, 999))
def test_nothing_changes_by_time_alone_before_the_next_change(
    state: State, now: datetime, rules: Rules, mode: Mode | None, style: Style, thousandths: int
) -> None:
    change = next_change(state, now, rules, style.extended_away_after) or now + timedelta(days=30)
    assert change > now
    at_once = panel_status(state, now, rules, mode)
    for then in (now + (change - now) // 1000 * thousandths, change - timedelta(microseconds=1)):
        later = panel_status(state, then, rules, mode)
        assert later == at_once
        assert presence_for(later, then, style, UTC) == presence_for(at_once, now, style, UTC)


@given(some.states, some.instants, some.rules, some.styles)
def test_a_timer_that_follows_the_next_change_comes_to_rest(
    state: State, now: datetime, rules: Rules, style: Style
) -> None:
    changes = 0
    while change := next_change(state, now, rules, style.extended_away_after):
        now, changes = change, changes + 1
    assert changes <= 4


@given(some.reachable(), some.directory_modes)
def test_shown_as_available_exactly_when_not_offline(moment: tuple[State, datetime], mode: Mode | None) -> None:
    state, now = moment
    shown = panel_status(state, now, RULES, mode)
    available = isinstance(presence_for(shown, now, Style(), UTC), Available)
    assert available is (shown.status is not Status.OFFLINE)


@given(some.reachable())
def test_a_choice_survives_the_end_of_every_session(moment: tuple[State, datetime]) -> None:
    state, now = moment
    ended, _ = some.play(state, now, RULES, *((0, SessionEnded(jid)) for jid in state.sessions))
    assert not ended.sessions
    assert choice_in_force(ended, now) == choice_in_force(state, now)
