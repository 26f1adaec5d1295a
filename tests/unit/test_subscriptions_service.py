"""Subscription stanzas and probes: whoever may see is approved and answered, nobody else learns anything."""

from datetime import timedelta

import pytest

from component.core.roster import Roster
from component.services.company import Settings
from tests.unit.fakes import DOMAIN, World, employee

PETROV, STRANGER, OUTSIDER = "petrov@example.test", "stranger@example.test", "somebody@elsewhere.test"


def groups(roster: Roster | None = None) -> World:
    """Ivanov and Petrov sell, Sidorov does not; nobody's roster is kept unless one is given."""
    people = (employee("ivanov", ("sales",)), employee("petrov", ("sales",)), employee("sidorov", ("stock",)))
    return World(*people, roster=roster or Roster(), settings=Settings(DOMAIN, visibility="groups"))


def test_who_may_see_a_contact_is_approved_and_shown_it_at_once() -> None:
    world = groups()
    world.subscriptions.subscribe(PETROV, "ivanov")
    assert world.stream.other == [("subscribed", "ivanov", PETROV), ("subscribe", "", PETROV)]
    assert world.stream.shown(PETROV) == {"ivanov": "online"}
    assert world.company.subscribed("petrov", "ivanov")


@pytest.mark.parametrize(
    ("account", "localpart"), [(PETROV, "sidorov"), (PETROV, "nobody"), (PETROV, "petrov"), (STRANGER, "ivanov")]
)
def test_everyone_else_is_refused_alike(account: str, localpart: str) -> None:
    world = groups()
    world.subscriptions.subscribe(account, localpart)
    world.subscriptions.probe(f"{account}/pc", account, localpart)
    assert world.stream.other == [("unsubscribed", localpart, account)] * 2
    assert world.stream.presences == []


def test_a_stranger_may_not_have_the_domain_either() -> None:
    world = groups()
    world.subscriptions.subscribe(STRANGER, "")
    world.subscriptions.probe(f"{STRANGER}/pc", STRANGER, "")
    assert world.stream.other == [("unsubscribed", "", STRANGER)] * 2


def test_another_domain_gets_silence() -> None:
    world = groups()
    for localpart in ("", "ivanov", "nobody"):
        world.subscriptions.subscribe(OUTSIDER, localpart)
        world.subscriptions.unsubscribe(OUTSIDER, localpart)
        world.subscriptions.subscribed(OUTSIDER, localpart)
        world.subscriptions.unsubscribed(OUTSIDER, localpart)
        world.subscriptions.probe(f"{OUTSIDER}/pc", OUTSIDER, localpart)
    assert world.stream.other == []
    assert world.stream.presences == []


def test_with_an_empty_directory_nobody_is_refused_anything() -> None:
    world = World()
    world.subscriptions.subscribe(PETROV, "ivanov")
    world.subscriptions.probe(f"{PETROV}/pc", PETROV, "ivanov")
    world.subscriptions.probe(f"{PETROV}/pc", PETROV, "")
    world.subscriptions.unsubscribe(PETROV, "ivanov")
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
    for localpart in ("ivanov", "ivanov", ""):
        world.subscriptions.subscribe(PETROV, localpart)
    assert world.stream.other.count(("subscribe", "", PETROV)) == 1
    assert ("available", "", PETROV) in world.stream.other
    world.clock.now += timedelta(days=6)
    world.subscriptions.subscribe(PETROV, "ivanov")
    assert world.stream.other.count(("subscribe", "", PETROV)) == 1
    world.clock.now += timedelta(days=2)
    world.subscriptions.subscribe(PETROV, "ivanov")
    assert world.stream.other.count(("subscribe", "", PETROV)) == 2


def test_when_the_account_lets_the_domain_see_it_is_probed_once_and_never_asked_again() -> None:
    world = groups()
    world.subscriptions.subscribed(PETROV, "")
    world.subscriptions.subscribed(PETROV, "")
    world.subscriptions.subscribed(PETROV, "ivanov")  # a contact never asked
    assert world.stream.other == [("probe", "", PETROV)]
    assert world.company.roster("petrov").domain_item
    world.subscriptions.subscribe(PETROV, "")
    assert ("subscribe", "", PETROV) not in world.stream.other


def test_a_domain_item_that_went_is_repaired_and_presences_go_to_the_account_until_then() -> None:
    world = groups(Roster(provisioned=True, domain_item=True))
    world.subscriptions.unsubscribed(PETROV, "ivanov")  # a contact never had it
    assert world.repaired == []
    world.subscriptions.unsubscribed(PETROV, "")
    world.subscriptions.unsubscribed(PETROV, "")
    assert world.repaired == ["petrov"]
    assert list(world.company.watchers("ivanov")) == [PETROV]


def test_a_contact_deleted_by_hand_stays_deleted_and_is_shown_as_gone() -> None:
    world = groups(Roster(provisioned=True, domain_item=True))
    world.subscriptions.unsubscribe(PETROV, "ivanov")
    assert world.company.exception("petrov", "ivanov") == "deleted"
    assert world.stream.shown(PETROV) == {"ivanov": "offline"}
    world.subscriptions.subscribe(PETROV, "ivanov")
    assert world.company.exception("petrov", "ivanov") is None
    assert world.company.subscribed("petrov", "ivanov")


def test_where_the_rosters_are_not_ours_an_approval_is_taken_back_by_its_end() -> None:
    world = groups()
    world.subscriptions.subscribe(PETROV, "ivanov")
    world.subscriptions.unsubscribe(PETROV, "ivanov")
    assert world.company.exception("petrov", "ivanov") is None
    assert not world.company.subscribed("petrov", "ivanov")


def test_what_follows_our_own_removal_is_not_taken_for_the_employees() -> None:
    world = groups(Roster(provisioned=True, domain_item=True))
    world.company.set_roster("petrov", removing=frozenset({f"ivanov@{DOMAIN}"}))
    world.subscriptions.unsubscribe(PETROV, "ivanov")
    assert world.company.exception("petrov", "ivanov") is None
    assert world.stream.presences == []


def test_the_end_of_a_subscription_that_never_could_be_changes_nothing() -> None:
    world = groups(Roster(provisioned=True, domain_item=True))
    for account, localpart in ((PETROV, "sidorov"), (PETROV, "nobody"), (PETROV, ""), (STRANGER, "ivanov")):
        world.subscriptions.unsubscribe(account, localpart)
    assert world.stream.presences == []
    assert world.company.deleted_by_hand("petrov") == set()
