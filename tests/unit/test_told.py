"""The note of what watchers hold: written before, certain after, never a lie."""

from component.core.facts import Mode, PanelSeen, PbxLost, Phone, PhoneReported, Status, StatusChosen
from component.core.presence import Show, Style, presence_for
from component.core.status import PanelStatus
from component.core.told import digest
from component.services.publisher import Publisher
from tests.unit.fakes import START, World, employee

PANEL, WATCHER = "ivanov@example.test/panel", "petrov@example.test/pc"


def office() -> World:
    """Petrov watches, Ivanov's panel runs; both were told long ago, and it is certain."""
    world = World(employee("ivanov"), employee("petrov"))
    world.client("petrov")
    world.publisher.record("ivanov", PanelSeen(PANEL, Mode.SOFTPHONE, Phone.ONLINE))
    world.publisher.record("ivanov", StatusChosen(Status.ONLINE))
    world.clock.pass_by(seconds=2)
    world.publisher.proven(world.publisher.writes)
    world.stream.presences.clear()
    return world


def after_crash(world: World) -> Publisher:
    """A new publisher over the same facts, with what the store knew at the crash."""
    publisher = Publisher(world.company, world.stream, world.store, world.clock, world.clock, dict(world.store.told))
    world.stream.presences.clear()
    publisher.begin_anew()
    return publisher


def test_a_digest_differs_when_the_presence_does() -> None:
    status = PanelStatus(Status.BUSY, Phone.ONLINE)
    zone = START.tzinfo
    assert zone
    busy, away = (presence_for(status, START, Style(busy_show=show), zone) for show in (Show.DND, Show.AWAY))
    assert digest(busy) == digest(presence_for(status, START, Style(), zone)) != digest(away)
    assert len(digest(busy)) == 16


def test_the_note_is_committed_before_the_presence_is_sent() -> None:
    world = office()
    certain = world.store.told["ivanov"]
    assert certain is not None
    world.store.holds = True
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    assert world.store.told["ivanov"] is None
    assert world.stream.presences == []
    world.store.held.pop()()
    assert world.stream.shown(WATCHER) == {"ivanov": "busy"}
    world.clock.pass_by(seconds=2)
    world.publisher.record("ivanov", StatusChosen(Status.DND))  # in doubt already: nothing to wait for
    assert world.stream.shown(WATCHER) == {"ivanov": "dnd"}
    assert world.store.held == []


def test_a_locked_store_holds_nothing_back_for_long() -> None:
    world = office()
    world.store.holds = True
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    world.clock.pass_by(seconds=0.6)
    assert world.stream.shown(WATCHER) == {"ivanov": "busy"}
    sent = len(world.stream.presences)
    world.store.held.pop()()  # the commit comes late and changes nothing
    assert len(world.stream.presences) == sent


def test_a_store_that_is_known_to_fail_is_not_waited_for() -> None:
    world = office()
    world.store.holds, world.store.failing = True, "the disk is full"
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    assert world.stream.shown(WATCHER) == {"ivanov": "busy"}


def test_a_change_that_is_taken_back_before_the_commit_is_not_sent() -> None:
    world = office()
    world.store.holds = True
    world.publisher.record("ivanov", PhoneReported(Phone.OFFLINE, "pbx@example.test"))
    world.publisher.record("ivanov", PbxLost("pbx@example.test"))
    world.store.held.pop()()
    assert world.stream.presences == []


async def test_after_a_crash_only_what_differs_is_told() -> None:
    world = office()
    world.company.apply("petrov", StatusChosen(Status.BUSY), world.clock.now)
    world.client("ivanov", "phone")
    publisher = after_crash(world)
    await publisher.tell_differences()
    assert world.stream.shown(WATCHER) == {}
    assert world.stream.shown("ivanov@example.test/phone") == {"petrov": "busy"}


async def test_after_a_crash_what_was_in_doubt_is_told_again() -> None:
    world = office()
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))  # committed as in doubt, perhaps never written
    publisher = after_crash(world)
    await publisher.tell_differences()
    assert world.stream.shown(WATCHER) == {"ivanov": "busy"}
    publisher.proven(publisher.writes)
    assert world.store.told["ivanov"] == digest(world.company.presence("ivanov", world.clock.now))
    again = after_crash(world)
    await again.tell_differences()
    assert world.stream.shown(WATCHER) == {}


async def test_after_a_broken_link_what_was_not_proven_is_told_again() -> None:
    world = office()
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    world.stream.presences.clear()
    world.publisher.begin_anew()
    await world.publisher.tell_differences()
    assert world.stream.shown(WATCHER) == {"ivanov": "busy"}
    world.publisher.proven(world.publisher.writes)
    world.stream.presences.clear()
    world.publisher.begin_anew()
    await world.publisher.tell_differences()
    assert world.stream.presences == []


async def test_who_was_presented_everything_is_not_told_the_difference_again() -> None:
    world = office()
    world.client("petrov", "new")
    world.company.apply("ivanov", StatusChosen(Status.BUSY), world.clock.now)
    publisher = after_crash(world)
    publisher.present_all("petrov", ("petrov@example.test/new",))
    await publisher.tell_differences()
    told = [to for local, _, to in world.stream.presences if local == "ivanov"]
    assert told == [("petrov@example.test/new",), (WATCHER,)]


async def test_a_change_between_two_presentations_reaches_both() -> None:
    world = office()
    world.client("petrov", "new")
    world.client("petrov", "newer")
    publisher = after_crash(world)
    world.store.holds = True
    world.store.told["ivanov"] = None
    publisher = Publisher(world.company, world.stream, world.store, world.clock, world.clock, {})
    publisher.present_all("petrov", ("petrov@example.test/new",))
    world.company.apply("ivanov", StatusChosen(Status.BUSY), world.clock.now)
    publisher.refresh("ivanov")
    publisher.present_all("petrov", ("petrov@example.test/newer",))
    world.store.held.pop()()
    for session in ("new", "newer", "pc"):
        assert world.stream.shown(f"petrov@example.test/{session}")["ivanov"] == "busy"


async def test_a_proof_covers_what_was_written_before_it() -> None:
    world = office()
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    before = world.publisher.writes
    world.clock.pass_by(seconds=2)
    world.publisher.record("ivanov", StatusChosen(Status.DND))
    world.publisher.proven(before)
    assert world.store.told["ivanov"] is None
    world.publisher.proven(world.publisher.writes)
    assert world.store.told["ivanov"] is not None


async def test_a_withdrawal_leaves_everybody_in_doubt_and_says_what_it_owes() -> None:
    world = office()
    await world.publisher.withdraw_all()
    world.publisher.proven(world.publisher.writes)
    assert world.store.told == {"ivanov": None, "petrov": None}
    assert world.publisher.owed == 0
    other = office()
    other.stream.up = False
    await other.publisher.withdraw_all()
    assert other.publisher.owed == 2


def test_a_store_made_anew_gets_the_note_back() -> None:
    world = office()
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    noted = dict(world.store.told)
    world.store.told.clear()
    world.publisher.keep_all()
    assert world.store.told == {one: value for one, value in noted.items() if one in world.store.told}
    assert world.store.told["ivanov"] is None


def test_a_store_made_anew_does_not_take_for_certain_what_is_about_to_change() -> None:
    world = office()
    world.store.holds = True
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    world.store.told.clear()
    world.publisher.keep_all()
    assert world.store.told["ivanov"] is None
