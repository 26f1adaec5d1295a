"""RFC 6121 Appendix A, written down again from the RFC's tables, row by row, and what follows from them."""

import re
from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component.core.subscription import TABLE, DefinedState, Direction, SubscriptionType, answered

KINDS: tuple[SubscriptionType, ...] = ("subscribe", "subscribed", "unsubscribe", "unsubscribed")
SEES = (DefinedState.TO, DefinedState.TO_PENDING_IN, DefinedState.BOTH)
SEEN = (DefinedState.FROM, DefinedState.FROM_PENDING_OUT, DefinedState.BOTH)
RFC = """
A.2.1 outbound subscribe
None                  | MUST         | None + Pending Out
None + Pending Out    | MUST         | no state change
None + Pending In     | MUST         | None + Pending Out+In
None + Pending Out+In | MUST         | no state change
To                    | MUST         | no state change
To + Pending In       | MUST         | no state change
From                  | MUST         | From + Pending Out
From + Pending Out    | MUST         | no state change
Both                  | MUST         | no state change

A.2.2 outbound unsubscribe
None                  | MUST         | no state change
None + Pending Out    | MUST         | None
None + Pending In     | MUST         | no state change
None + Pending Out+In | MUST         | None + Pending In
To                    | MUST         | None
To + Pending In       | MUST         | None + Pending In
From                  | MUST         | no state change
From + Pending Out    | MUST         | From
Both                  | MUST         | From

A.2.3 outbound subscribed
None                  | MUST NOT     | no state change
None + Pending Out    | MUST NOT     | no state change
None + Pending In     | MUST         | From
None + Pending Out+In | MUST         | From + Pending Out
To                    | MUST NOT     | no state change
To + Pending In       | MUST         | Both
From                  | MUST NOT     | no state change
From + Pending Out    | MUST NOT     | no state change
Both                  | MUST NOT     | no state change

A.2.4 outbound unsubscribed
None                  | MUST NOT     | no state change
None + Pending Out    | MUST NOT     | no state change
None + Pending In     | MUST         | None
None + Pending Out+In | MUST         | None + Pending Out
To                    | MUST NOT     | no state change
To + Pending In       | MUST         | To
From                  | MUST         | None
From + Pending Out    | MUST         | None + Pending Out
Both                  | MUST         | To

A.3.1 inbound subscribe
None                  | MUST         | None + Pending In
None + Pending Out    | MUST         | None + Pending Out+In
None + Pending In     | MUST NOT     | no state change
None + Pending Out+In | MUST NOT     | no state change
To                    | MUST         | To + Pending In
To + Pending In       | MUST NOT     | no state change
From                  | MUST NOT [1] | no state change
From + Pending Out    | MUST NOT [1] | no state change
Both                  | MUST NOT [1] | no state change

A.3.2 inbound unsubscribe
None                  | MUST NOT     | no state change
None + Pending Out    | MUST NOT     | no state change
None + Pending In     | MUST         | None
None + Pending Out+In | MUST         | None + Pending Out
To                    | MUST NOT     | no state change
To + Pending In       | MUST         | To
From                  | MUST         | None
From + Pending Out    | MUST         | None + Pending Out
Both                  | MUST         | To

A.3.3 inbound subscribed
None                  | MUST NOT     | no state change
None + Pending Out    | MUST         | To
None + Pending In     | MUST NOT     | no state change
None + Pending Out+In | MUST         | To + Pending In
To                    | MUST NOT     | no state change
To + Pending In       | MUST NOT     | no state change
From                  | MUST NOT     | no state change
From + Pending Out    | MUST         | Both
Both                  | MUST NOT     | no state change

A.3.4 inbound unsubscribed
None                  | MUST NOT     | no state change
None + Pending Out    | MUST         | None
None + Pending In     | MUST NOT     | no state change
None + Pending Out+In | MUST         | None + Pending In
To                    | MUST         | None
To + Pending In       | MUST         | None + Pending In
From                  | MUST NOT     | no state change
From + Pending Out    | MUST         | From
Both                  | MUST         | From
"""  # [1] the server answers `subscribed` by itself (section 3.1.3)


def rows() -> Iterator[tuple[str, str, str, str, str, str]]:
    for table in RFC.strip().split("\n\n"):
        title, *lines = table.splitlines()
        section, direction, kind = title.split()
        for line in lines:
            before, handling, after = re.split(r"\s*\| ", line)
            yield section, direction, kind, before, handling.strip(), before if after == "no state change" else after


@pytest.mark.parametrize(("section", "direction", "kind", "before", "handling", "after"), tuple(rows()))
def test_row(
    section: str, direction: Direction, kind: SubscriptionType, before: str, handling: str, after: str
) -> None:
    found = TABLE[direction, kind, DefinedState(before)]
    assert (found.section, found.state.value) == (section, after)
    assert found.passes == (handling == "MUST")
    assert found.reply == ("subscribed" if handling == "MUST NOT [1]" else None)


def test_the_table_has_these_rows_and_no_others() -> None:
    assert len(list(rows())) == len(TABLE) == 8 * 9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", DefinedState)
def test_what_comes_again_is_not_delivered_again_and_changes_nothing(
    kind: SubscriptionType, state: DefinedState
) -> None:
    once = TABLE["inbound", kind, state]
    again = TABLE["inbound", kind, once.state]
    assert (again.passes, again.state) == (False, once.state)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", DefinedState)
def test_what_is_sent_again_changes_nothing_and_an_answer_is_not_routed_again(
    kind: SubscriptionType, state: DefinedState
) -> None:
    once = TABLE["outbound", kind, state]
    again = TABLE["outbound", kind, once.state]
    assert again.state == once.state
    if kind in ("subscribed", "unsubscribed"):
        assert not again.passes


@pytest.mark.parametrize("state", [DefinedState.NONE, DefinedState.FROM])
@pytest.mark.parametrize("approves", [True, False])
def test_a_request_is_decided_at_once(state: DefinedState, approves: bool) -> None:
    answer = answered("subscribe", state, approves=approves)
    approved = approves or state is DefinedState.FROM
    assert answer.reply == ("subscribed" if approved else "unsubscribed")
    assert answer.state is (DefinedState.FROM if approved else DefinedState.NONE)


@given(st.sampled_from(DefinedState), st.lists(st.tuples(st.sampled_from(KINDS), st.booleans())))
def test_only_a_request_is_answered_and_by_one_stanza(
    state: DefinedState, came: list[tuple[SubscriptionType, bool]]
) -> None:
    for kind, approves in came:
        before, answer = state, answered(kind, state, approves=approves)
        state = answer.state
        assert answer.reply in ((None, "subscribed", "unsubscribed") if kind == "subscribe" else (None,))
        assert answered(kind, state, approves=approves).state is state
        if kind != "subscribe":
            assert (state in SEEN) <= (before in SEEN), "nobody is shown anything who did not ask"


@given(st.booleans(), st.lists(st.sampled_from([*KINDS, "goes up", "comes down"]), max_size=40))
def test_whatever_the_other_side_repeats_both_come_to_rest_and_agree(approves: bool, happens: list[str]) -> None:
    """An account's server against ours, their stanzas on the way as long as it likes, in order."""
    user = contact = DefinedState.NONE
    up: deque[SubscriptionType] = deque()
    down: deque[SubscriptionType] = deque()
    received = sent = 0
    script = deque(happens)
    while script or up or down:
        step = script.popleft() if script else "goes up" if up else "comes down"
        if step == "goes up":
            if up:
                received += 1
                answer = answered(up.popleft(), contact, approves=approves)
                contact = answer.state
                down.extend([answer.reply] if answer.reply else [])
                sent += len([answer.reply] if answer.reply else [])
        elif step == "comes down":
            if down:
                inbound = TABLE["inbound", down.popleft(), user]
                user = inbound.state
                assert inbound.reply is None
        else:
            (kind,) = (one for one in KINDS if one == step)
            outbound = TABLE["outbound", kind, user]
            user = outbound.state
            up.extend([kind] if outbound.passes else [])
    assert sent <= received <= len(happens)
    assert (user in SEES) == (contact in SEEN)
    assert (contact in SEEN) <= approves
