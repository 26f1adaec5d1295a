"""Facts become presences: once, only on change, only to who may see them."""

from datetime import timedelta

from component.core.facts import Mode, PanelSeen, Phone, SessionEnded, Status, StatusChosen
from component.core.roster import Roster
from component.services.company import Settings
from tests.unit.fakes import DOMAIN, World, employee

PANEL = "ivanov@example.test/panel"


def launched(world: World) -> str:
    """Petrov watches, Ivanov's panel runs; what was told so far is forgotten."""
    watcher = world.client("petrov")
    world.publisher.record("ivanov", PanelSeen(PANEL, Mode.SOFTPHONE, Phone.ONLINE))
    world.clock.pass_by(seconds=2)
    world.stream.presences.clear()
    return watcher


def test_a_change_goes_to_the_online_sessions_of_those_who_may_see_it() -> None:
    world = World(
        *(employee("ivanov", ("a",)), employee("petrov", ("a",)), employee("hidden", ("b",))),
        settings=Settings(DOMAIN, visibility="groups"),
    )
    watcher, second = launched(world), world.client("petrov", "phone")
    world.client("hidden")
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    ((localpart, presence, to),) = [one for one in world.stream.presences if one[0] == "ivanov"]
    assert (localpart, presence.payload.status) == ("ivanov", Status.BUSY)
    assert sorted(to) == sorted((watcher, second))


def test_what_changes_nothing_is_not_sent() -> None:
    world = World(employee("ivanov"), employee("petrov"))
    launched(world)
    world.publisher.record("ivanov", StatusChosen(Status.ONLINE))
    world.clock.pass_by(seconds=5)
    sent = len(world.stream.presences)
    world.publisher.record("ivanov", PanelSeen(PANEL, Mode.SOFTPHONE, Phone.ONLINE))
    world.publisher.record("ivanov", PanelSeen(PANEL, Mode.SOFTPHONE, Phone.ONLINE))
    world.clock.pass_by(minutes=5)
    assert len(world.stream.presences) == sent


def test_a_burst_is_told_at_once_and_then_once_a_second_and_the_last_wins() -> None:
    world = World(employee("ivanov"), employee("petrov"))
    launched(world)
    for number in range(50):
        world.publisher.record("ivanov", StatusChosen(Status.BUSY, f"{number}"))
        world.clock.pass_by(milliseconds=50)
    world.clock.pass_by(seconds=2)
    texts = [presence.texts[0][1] for local, presence, _ in world.stream.presences if local == "ivanov"]
    assert texts[0] == "Занят — 0"
    assert texts[-1] == "Занят — 49"
    assert len(texts) <= 4


def test_a_held_back_change_that_is_taken_back_leaves_nobody_with_another_story() -> None:
    world = World(employee("ivanov"), employee("petrov"))
    watcher = launched(world)
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    world.publisher.record("ivanov", StatusChosen(Status.DND))  # held back for a second
    world.subscriptions.probe("petrov@example.test/late", "petrov@example.test", "ivanov")
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    world.clock.pass_by(seconds=5)
    assert world.stream.shown(watcher)["ivanov"] == "busy"
    assert world.stream.shown("petrov@example.test/late")["ivanov"] == "busy"


def test_time_alone_is_told_too() -> None:
    world = World(employee("ivanov"), employee("petrov"))
    launched(world)
    world.publisher.record("ivanov", PanelSeen(PANEL, Mode.SOFTPHONE, Phone.ONLINE, world.clock.now))
    world.publisher.record("ivanov", StatusChosen(Status.DND, until=world.clock.now + timedelta(minutes=5)))
    world.clock.pass_by(hours=2)
    assert world.stream.shows("ivanov") == ["dnd", "", "away", "xa"]


async def test_nothing_is_sent_while_the_stream_is_down_and_the_truth_is_told_after() -> None:
    world = World(employee("ivanov"), employee("petrov"))
    launched(world)
    world.stream.up = False
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    world.clock.pass_by(seconds=5)
    assert world.stream.presences == []
    world.stream.up = True
    world.publisher.begin_anew()
    await world.publisher.tell_differences()
    assert world.stream.shown("petrov@example.test/pc") == {"ivanov": "busy"}


def test_who_has_no_item_is_told_nothing_and_unknown_sessions_get_it_on_the_account() -> None:
    world = World(employee("ivanov"), employee("petrov"), roster=Roster())
    launched(world)
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    assert world.stream.shown("petrov@example.test/pc") == {}
    world.company.set_exception("petrov", "ivanov", "approved")
    world.clock.pass_by(seconds=2)
    world.publisher.record("ivanov", StatusChosen(Status.DND))
    assert world.stream.shown("petrov@example.test") == {"ivanov": "dnd"}


async def test_a_stop_shows_everybody_as_unavailable() -> None:
    world = World(employee("ivanov"), employee("petrov"))
    watcher = launched(world)
    await world.publisher.withdraw_all()
    assert world.stream.shown(watcher) == {"ivanov": "offline"}


def test_an_employee_who_left_is_no_longer_shown() -> None:
    world = World(employee("ivanov"), employee("petrov"))
    launched(world)
    world.publisher.record("ivanov", PanelSeen(PANEL, Mode.SOFTPHONE, Phone.ONLINE, world.clock.now))
    world.company.set_directory((employee("petrov"),))
    world.stream.presences.clear()
    world.publisher.refresh("ivanov")
    world.clock.pass_by(hours=2)
    assert [one for one in world.stream.presences if one[0] == "ivanov"] == []


def test_the_end_of_the_last_softphone_is_told() -> None:
    world = World(employee("ivanov"), employee("petrov"))
    launched(world)
    world.publisher.record("ivanov", SessionEnded(PANEL))
    assert world.stream.shows("ivanov") == ["unavailable"]


async def test_a_withdrawal_reaches_who_is_about_to_get_a_new_name() -> None:
    world = World(employee("ivanov"), employee("petrov"))
    world.client("petrov")
    world.company.set_roster("petrov", renewed=frozenset({"ivanov"}))
    await world.publisher.withdraw_all()
    assert world.stream.shown("petrov@example.test/pc") == {"ivanov": "offline"}


async def test_nothing_is_shown_after_the_withdrawal() -> None:
    world = World(employee("ivanov"), employee("petrov"))
    watcher = launched(world)
    await world.publisher.withdraw_all()
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    world.publisher.present_all("petrov", (watcher,))
    world.clock.pass_by(hours=1)
    assert world.stream.shows("ivanov") == ["unavailable"]
