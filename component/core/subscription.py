"""Subscriptions (RFC 6121 Appendix A): what a server does with each subscription stanza in each state, as one table.

The states are seen from the side of the one whose server it is: in `From` the other one sees his presence, in `To` he
sees the other one's. An item that no roster has is `None`. Pre-approval (section 3.4, optional) is not here: a contact
of the component answers every request at once, by who may see whom.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

SubscriptionType = Literal["subscribe", "subscribed", "unsubscribe", "unsubscribed"]
"""The types of presence that manage subscriptions (RFC 6121 section 3)."""
Direction = Literal["outbound", "inbound"]
"""Outbound: sent by the server's own client. Inbound: sent to it."""


class DefinedState(StrEnum):
    """A state of a subscription (RFC 6121 Appendix A.1)."""

    NONE = "None"
    NONE_PENDING_OUT = "None + Pending Out"
    NONE_PENDING_IN = "None + Pending In"
    NONE_PENDING_OUT_IN = "None + Pending Out+In"
    TO = "To"
    TO_PENDING_IN = "To + Pending In"
    FROM = "From"
    FROM_PENDING_OUT = "From + Pending Out"
    BOTH = "Both"


@dataclass(frozen=True, slots=True)
class Transition:
    """What is done with a stanza: routed (outbound) or delivered (inbound) if `passes`; then the state is `state`.

    `reply` is what the server answers by itself, `section` where the RFC says all that.
    """

    section: str
    passes: bool
    state: DefinedState
    reply: SubscriptionType | None = None


_NONE, _NONE_OUT = DefinedState.NONE, DefinedState.NONE_PENDING_OUT
_NONE_IN, _NONE_OUT_IN = DefinedState.NONE_PENDING_IN, DefinedState.NONE_PENDING_OUT_IN
_TO, _TO_IN = DefinedState.TO, DefinedState.TO_PENDING_IN
_FROM, _FROM_OUT, _BOTH = DefinedState.FROM, DefinedState.FROM_PENDING_OUT, DefinedState.BOTH

_Handling = Literal["pass", "drop", "answer"]
_Row = tuple[DefinedState, _Handling, DefinedState]
_Section = tuple[str, Direction, SubscriptionType, tuple[_Row, ...]]

_APPENDIX_A: tuple[_Section, ...] = (
    (
        *("A.2.1", "outbound", "subscribe"),
        (
            (_NONE, "pass", _NONE_OUT),
            (_NONE_OUT, "pass", _NONE_OUT),
            (_NONE_IN, "pass", _NONE_OUT_IN),
            (_NONE_OUT_IN, "pass", _NONE_OUT_IN),
            (_TO, "pass", _TO),
            (_TO_IN, "pass", _TO_IN),
            (_FROM, "pass", _FROM_OUT),
            (_FROM_OUT, "pass", _FROM_OUT),
            (_BOTH, "pass", _BOTH),
        ),
    ),
    (
        *("A.2.2", "outbound", "unsubscribe"),
        (
            (_NONE, "pass", _NONE),
            (_NONE_OUT, "pass", _NONE),
            (_NONE_IN, "pass", _NONE_IN),
            (_NONE_OUT_IN, "pass", _NONE_IN),
            (_TO, "pass", _NONE),
            (_TO_IN, "pass", _NONE_IN),
            (_FROM, "pass", _FROM),
            (_FROM_OUT, "pass", _FROM),
            (_BOTH, "pass", _FROM),
        ),
    ),
    (
        *("A.2.3", "outbound", "subscribed"),
        (
            (_NONE, "drop", _NONE),
            (_NONE_OUT, "drop", _NONE_OUT),
            (_NONE_IN, "pass", _FROM),
            (_NONE_OUT_IN, "pass", _FROM_OUT),
            (_TO, "drop", _TO),
            (_TO_IN, "pass", _BOTH),
            (_FROM, "drop", _FROM),
            (_FROM_OUT, "drop", _FROM_OUT),
            (_BOTH, "drop", _BOTH),
        ),
    ),
    (
        *("A.2.4", "outbound", "unsubscribed"),
        (
            (_NONE, "drop", _NONE),
            (_NONE_OUT, "drop", _NONE_OUT),
            (_NONE_IN, "pass", _NONE),
            (_NONE_OUT_IN, "pass", _NONE_OUT),
            (_TO, "drop", _TO),
            (_TO_IN, "pass", _TO),
            (_FROM, "pass", _NONE),
            (_FROM_OUT, "pass", _NONE_OUT),
            (_BOTH, "pass", _TO),
        ),
    ),
    (
        *("A.3.1", "inbound", "subscribe"),  # the answer: section 3.1.3
        (
            (_NONE, "pass", _NONE_IN),
            (_NONE_OUT, "pass", _NONE_OUT_IN),
            (_NONE_IN, "drop", _NONE_IN),
            (_NONE_OUT_IN, "drop", _NONE_OUT_IN),
            (_TO, "pass", _TO_IN),
            (_TO_IN, "drop", _TO_IN),
            (_FROM, "answer", _FROM),
            (_FROM_OUT, "answer", _FROM_OUT),
            (_BOTH, "answer", _BOTH),
        ),
    ),
    (
        *("A.3.2", "inbound", "unsubscribe"),
        (
            (_NONE, "drop", _NONE),
            (_NONE_OUT, "drop", _NONE_OUT),
            (_NONE_IN, "pass", _NONE),
            (_NONE_OUT_IN, "pass", _NONE_OUT),
            (_TO, "drop", _TO),
            (_TO_IN, "pass", _TO),
            (_FROM, "pass", _NONE),
            (_FROM_OUT, "pass", _NONE_OUT),
            (_BOTH, "pass", _TO),
        ),
    ),
    (
        *("A.3.3", "inbound", "subscribed"),
        (
            (_NONE, "drop", _NONE),
            (_NONE_OUT, "pass", _TO),
            (_NONE_IN, "drop", _NONE_IN),
            (_NONE_OUT_IN, "pass", _TO_IN),
            (_TO, "drop", _TO),
            (_TO_IN, "drop", _TO_IN),
            (_FROM, "drop", _FROM),
            (_FROM_OUT, "pass", _BOTH),
            (_BOTH, "drop", _BOTH),
        ),
    ),
    (
        *("A.3.4", "inbound", "unsubscribed"),
        (
            (_NONE, "drop", _NONE),
            (_NONE_OUT, "pass", _NONE),
            (_NONE_IN, "drop", _NONE_IN),
            (_NONE_OUT_IN, "pass", _NONE_IN),
            (_TO, "pass", _NONE),
            (_TO_IN, "pass", _NONE_IN),
            (_FROM, "drop", _FROM),
            (_FROM_OUT, "pass", _FROM),
            (_BOTH, "pass", _FROM),
        ),
    ),
)

TABLE: Mapping[tuple[Direction, SubscriptionType, DefinedState], Transition] = MappingProxyType(
    {
        (direction, kind, before): Transition(
            section, handling == "pass", after, "subscribed" if handling == "answer" else None
        )
        for section, direction, kind, rows in _APPENDIX_A
        for before, handling, after in rows
    }
)
"""Appendix A.2 and A.3 whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a contact's server sends back for a stanza, if anything, and the state after it."""

    reply: SubscriptionType | None
    state: DefinedState


def answered(kind: SubscriptionType, state: DefinedState, *, approves: bool) -> Answer:
    """Return what the server of a contact answers whose owner approves or refuses every request at once.

    A request that is delivered (A.3.1) is decided in the same breath (A.2.3 or A.2.4), so no request stays pending.
    An `unsubscribe` is answered by no `unsubscribed`: it would cancel a request that the other one has made since.
    """
    step = TABLE["inbound", kind, state]
    if kind != "subscribe" or not step.passes:
        return Answer(step.reply, step.state)
    reply: SubscriptionType = "subscribed" if approves else "unsubscribed"
    return Answer(reply, TABLE["outbound", reply, step.state].state)
