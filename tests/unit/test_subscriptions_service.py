"""Subscription stanzas and probes: whoever may see is approved and answered, nobody else learns anything."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component.core.roster import Roster
from component.core.subscription import SubscriptionType
from component.services.company import Settings
from tests.unit.fakes import DOMAIN, KEPT, START, World, employee

ASKED = Roster(asked_at=START)
PETROV, STRANGER, OUTSIDER = "petrov@example.test", "stranger@example.test", "somebody@elsewhere.test"


def groups(roster: Roster | None = None) -> World:
    """Ivanov and Petrov sell, Sidorov does not; nobody's roster is kept unless one is given."""
    people = (employee("ivanov", ("sales",)), employee("petrov", ("sales",)), employee("sidorov", ("stock",)))
    return World(*people, roster=roster or Roster(), settings=Settings(DOMAIN, visibility="groups"))


def test_who_may_see_a_contact_is_approved_and_shown_it_at_once() -> None:
    world = groups()
    world.subscriptions.received("subscribe", PETROV, "ivanov")
    assert world.stream.other == [("subscribed", "ivanov", PETROV), ("subscribe", "", PETROV)]
    assert world.stream.shown(PETROV) == {"ivanov": "online"}
    assert world.company.subscribed("petrov", "ivanov")


@pytest.mark.parametrize(
    ("account", "localpart"), [(PETROV, "sidorov"), (PETROV, "nobody"), (PETROV, "petrov"), (STRANGER, "ivanov")]
)
def test_everyone_else_is_refused_alike(account: str, localpart: str) -> None:
    world = groups()
    world.subscriptions.received("subscribe", account, localpart)
    world.subscriptions.probe(f"{account}/pc", account, localpart)
    assert world.stream.other == [("unsubscribed", localpart, account)] * 2
    assert world.stream.presences == []


def test_a_stranger_may_not_have_the_domain_either() -> None:
    world = groups()
    world.subscriptions.received("subscribe", STRANGER, "")
    world.subscriptions.probe(f"{STRANGER}/pc", STRANGER, "")
    assert world.stream.other == [("unsubscribed", "", STRANGER)] * 2


def test_another_domain_gets_silence() -> None:
    world = groups()
    for localpart in ("", "ivanov", "nobody"):
        world.subscriptions.received("subscribe", OUTSIDER, localpart)
        world.subscriptions.received("unsubscribe", OUTSIDER, localpart)
        world.subscriptions.received("subscribed", OUTSIDER, localpart)
        world.subscriptions.received("unsubscribed", OUTSIDER, localpart)
        world.subscriptions.probe(f"{OUTSIDER}/pc", OUTSIDER, localpart)
    assert world.stream.other == []
    assert world.stream.presences == []


def test_with_an_empty_directory_nobody_is_refused_anything() -> None:
    world = World()
    world.subscriptions.received("subscribe", PETROV, "ivanov")
    world.subscriptions.probe(f"{PETROV}/pc", PETROV, "ivanov")
    world.subscriptions.probe(f"{PETROV}/pc", PETROV, "")
    world.subscriptions.received("unsubscribe", PETROV, "ivanov")
    assert world.stream.other == []
    assert world.stream.presences == []


def test_a_probe_is_answered_to_the_session_that_asked() -> None:
    world = groups()
    world.subscriptions.probe(f"{PETROV}/pc", PETROV, "ivanov")
    world.subscriptions.probe(f"{PETROV}/pc", PETROV, "")
    assert world.stream.shown(f"{PETROV}/pc") == {"ivanov": "online"}
    assert world.stream.shown(PETROV) == {}
    assert world.stream.other == [("available", "", f"{PETROV}/pc")]


def test_the_domain_asks_for_presence_with_the_first_approval_and_then_once_a_week() -> None:
    world = groups()
    for localpart in ("ivanov", "ivanov", ""):  # the second one is approved already and answered alike
        world.subscriptions.received("subscribe", PETROV, localpart)
    assert world.stream.other.count(("subscribe", "", PETROV)) == 1
    assert ("available", "", PETROV) in world.stream.other
    world.clock.now += timedelta(days=6)
    world.subscriptions.received("subscribe", PETROV, "ivanov")
    assert world.stream.other.count(("subscribe", "", PETROV)) == 1
    world.clock.now += timedelta(days=2)
    world.subscriptions.received("subscribe", PETROV, "ivanov")
    assert world.stream.other.count(("subscribe", "", PETROV)) == 2


def test_when_the_account_lets_the_domain_see_it_is_probed_once_and_never_asked_again() -> None:
    world = groups(ASKED)
    world.subscriptions.received("subscribed", PETROV, "")
    world.subscriptions.received("subscribed", PETROV, "")
    world.subscriptions.received("subscribed", PETROV, "ivanov")  # a contact never asked
    assert world.stream.other == [("probe", "", PETROV)]
    assert world.company.roster("petrov").domain_item
    world.subscriptions.received("subscribe", PETROV, "")
    assert ("subscribe", "", PETROV) not in world.stream.other


def test_what_was_not_asked_for_is_not_taken() -> None:
    world = groups()
    world.subscriptions.received("subscribed", PETROV, "")
    assert world.stream.other == []
    assert not world.company.roster("petrov").domain_item


def test_who_does_not_let_the_domain_see_is_asked_again_only_after_a_week() -> None:
    world = groups()
    for _ in range(3):
        world.subscriptions.received("subscribe", PETROV, "ivanov")
        world.subscriptions.received("unsubscribed", PETROV, "")
    assert world.stream.other.count(("subscribe", "", PETROV)) == 1
    assert world.repaired == []


def test_a_domain_item_that_went_is_repaired_and_presences_go_to_the_account_until_then() -> None:
    world = groups(Roster(provisioned=True, domain_item=True))
    world.subscriptions.received("unsubscribed", PETROV, "ivanov")  # a contact never had it
    assert world.repaired == []
    world.subscriptions.received("unsubscribed", PETROV, "")
    world.subscriptions.received("unsubscribed", PETROV, "")
    assert world.repaired == ["petrov"]
    assert list(world.company.watchers("ivanov")) == [PETROV]


def test_a_contact_deleted_by_hand_stays_deleted_and_is_shown_as_gone() -> None:
    world = groups(Roster(provisioned=True, domain_item=True))
    world.subscriptions.received("unsubscribe", PETROV, "ivanov")
    assert world.company.exception("petrov", "ivanov") == "deleted"
    assert world.stream.shown(PETROV) == {"ivanov": "offline"}
    world.subscriptions.received("subscribe", PETROV, "ivanov")
    assert world.company.exception("petrov", "ivanov") is None
    assert world.company.subscribed("petrov", "ivanov")


def test_where_the_rosters_are_not_ours_an_approval_is_taken_back_by_its_end() -> None:
    world = groups()
    world.subscriptions.received("subscribe", PETROV, "ivanov")
    world.subscriptions.received("unsubscribe", PETROV, "ivanov")
    assert world.company.exception("petrov", "ivanov") is None
    assert not world.company.subscribed("petrov", "ivanov")


def test_what_follows_our_own_removal_is_not_taken_for_the_employees() -> None:
    world = groups(Roster(provisioned=True, domain_item=True))
    world.company.set_roster("petrov", removing=frozenset({f"ivanov@{DOMAIN}"}))
    world.subscriptions.received("unsubscribe", PETROV, "ivanov")
    assert world.company.exception("petrov", "ivanov") is None
    assert world.stream.presences == []


def test_the_end_of_a_subscription_that_never_could_be_changes_nothing() -> None:
    world = groups(Roster(provisioned=True, domain_item=True))
    for account, localpart in ((PETROV, "sidorov"), (PETROV, "nobody"), (PETROV, ""), (STRANGER, "ivanov")):
        world.subscriptions.received("unsubscribe", account, localpart)
    assert world.stream.presences == []
    assert world.company.deleted_by_hand("petrov") == set()


@pytest.mark.parametrize("roster", [Roster(), KEPT])
def test_a_repeated_unsubscribe_does_nothing_and_is_never_answered_by_unsubscribed(roster: Roster) -> None:
    world = groups(roster)
    world.subscriptions.received("subscribe", PETROV, "ivanov")
    world.stream.other.clear()
    world.stream.presences.clear()
    for _ in range(3):
        world.subscriptions.received("unsubscribe", PETROV, "ivanov")
    assert world.stream.shows("ivanov") == ["unavailable"]
    assert world.stream.other == []
    assert list(world.company.watchers("ivanov")) == []


def test_what_is_deleted_before_its_new_name_is_set_is_deleted_by_hand() -> None:
    world = groups(Roster(provisioned=True, domain_item=True, renewed=frozenset({"ivanov"})))
    world.subscriptions.received("unsubscribe", PETROV, "ivanov")
    assert world.company.exception("petrov", "ivanov") == "deleted"


def test_what_is_added_by_hand_before_we_set_it_is_shown_from_then_on() -> None:
    world = groups(Roster(provisioned=True, domain_item=True, pending=frozenset({"ivanov"})))
    session = world.client("petrov")
    assert list(world.company.watchers("ivanov")) == []
    world.subscriptions.received("subscribe", PETROV, "ivanov")
    assert world.stream.other == [("subscribed", "ivanov", PETROV)]
    assert list(world.company.watchers("ivanov")) == [session]


def test_the_domain_given_up_is_shown_as_gone() -> None:
    world = groups(KEPT)
    world.subscriptions.received("unsubscribe", PETROV, "")
    assert world.stream.other == [("unavailable", "", PETROV)]
    assert world.company.roster("petrov").domain_item, "the other direction stays"


KINDS: tuple[SubscriptionType, ...] = ("subscribe", "subscribed", "unsubscribe", "unsubscribed")
SENT = st.tuples(
    st.sampled_from(KINDS), st.sampled_from((PETROV, STRANGER, OUTSIDER)), st.sampled_from(("ivanov", "sidorov", ""))
)


@given(st.sampled_from((Roster(), ASKED, KEPT)), st.lists(SENT, max_size=30))
def test_whatever_comes_nobody_is_sent_more_stanzas_than_he_has_sent_requests(
    roster: Roster, came: list[tuple[SubscriptionType, str, str]]
) -> None:
    world = groups(roster)
    for kind, account, localpart in came:
        world.subscriptions.received(kind, account, localpart)
        world.subscriptions.received(kind, account, localpart)
    requests = [(account, localpart) for kind, account, localpart in came if kind == "subscribe"] * 2
    answers = [(to, localpart) for kind, localpart, to in world.stream.other if kind in ("subscribed", "unsubscribed")]
    assert sorted(answers) == sorted(pair for pair in requests if pair[0] != OUTSIDER)
    assert [one for one in world.stream.other if one[0] == "subscribe"] in ([], [("subscribe", "", PETROV)])
    assert not [one for _, _, to in world.stream.presences for one in to if one != PETROV]
