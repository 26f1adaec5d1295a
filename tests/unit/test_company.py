"""What is, taken over from the store: nothing that held before a restart is lost, nothing of those who left is kept."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from component.core.facts import Acted, Choice, Session, SessionEnded, State, Status
from component.core.presence import Available
from component.core.roster import Roster
from component.services.company import Company, Settings
from component.services.ports import Snapshot
from tests.unit.fakes import DOMAIN, KEPT, START, FakeStore, employee

PC = "ivanov@example.test/pc"
WORKING = State(choice=Choice(Status.BUSY, START), launched_at=START, sessions=MappingProxyType({PC: Session(None)}))


def company(store: FakeStore | None = None) -> Company:
    snapshot = Snapshot(
        employees=(employee("ivanov"), employee("petrov")),
        states={"ivanov": WORKING, "left": replace(WORKING, sessions={"left@example.test/pc": Session(None)})},
        rosters={"ivanov": Roster(), "petrov": KEPT},
        subscriptions={
            ("ivanov", "petrov"): "approved",
            ("petrov", "ivanov"): "deleted",
            ("left", "ivanov"): "approved",
        },
    )
    return Company(Settings(DOMAIN), store or FakeStore(), snapshot)


def test_what_was_stored_holds() -> None:
    known = company()
    assert known.state("ivanov") == WORKING
    assert known.status("ivanov", START).status is Status.BUSY
    assert known.sessions == {PC: "ivanov"}
    assert known.deleted_by_hand("petrov") == {"ivanov"}
    assert known.approved_by_hand("ivanov") == ["petrov"]
    assert list(known.watchers("petrov")) == ["ivanov@example.test"], "where his sessions are is not told to us"
    assert list(known.watchers("ivanov")) == []


def test_what_was_stored_of_one_who_left_does_not() -> None:
    known = company()
    known.set_directory((employee("petrov"),))
    known.set_directory((employee("ivanov"), employee("petrov"), employee("left")))
    for one in ("ivanov", "left"):
        assert known.state(one) == State()
        assert known.approved_by_hand(one) == []
    assert known.sessions == {}


def test_an_event_that_changes_nothing_is_not_stored() -> None:
    store = FakeStore()
    known = company(store)
    known.apply("ivanov", SessionEnded("ivanov@example.test/other"), START)
    known.set_exception("ivanov", "petrov", "approved")
    known.set_roster("petrov", domain_item=True)
    assert (store.states, store.rosters) == ({}, {})
    known.apply("petrov", Acted("petrov@example.test/x"), START)
    assert set(store.states) == {"petrov"}


def test_of_an_account_that_is_gone_nothing_stays() -> None:
    store = FakeStore()
    known = company(store)
    known.forget_account("ivanov")
    known.forget_account("petrov")
    known.forget_account("nobody")
    assert known.sessions == {}
    assert known.state("ivanov").choice == WORKING.choice, "a choice is the employee's, not the account's"
    assert (known.roster("petrov"), store.rosters["petrov"]) == (Roster(), Roster())
    assert known.deleted_by_hand("petrov") == set()


def test_a_second_time_zone_is_named_in_everybodys_times() -> None:
    def said(known: Company) -> str:
        presence = known.presence("ivanov", START + timedelta(minutes=20))
        assert isinstance(presence, Available)
        return presence.texts[0][1]

    known = company()
    known.apply("ivanov", SessionEnded(PC), START)
    assert said(known) == "Был(а) на месте 24.11 в 12:00"
    known.set_directory((employee("ivanov"), replace(employee("petrov"), timezone="Asia/Omsk")))
    assert said(known) == "Был(а) на месте 24.11 в 12:00 (UTC+3)"
