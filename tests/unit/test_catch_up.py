"""What each watcher missed while there was no link."""

from datetime import timedelta

from component.core.facts import Status, StatusChosen
from component.services.catch_up import CatchUp
from tests.unit.fakes import World, employee

WATCHER = "petrov@example.test/pc"


def office(*, linked: bool = True) -> tuple[World, CatchUp]:
    """Petrov has watched for an hour; the link just came back."""
    world = World(employee("ivanov"), employee("petrov"))
    world.client("petrov")
    world.publisher.refresh("ivanov")
    world.publisher.refresh("petrov")
    world.clock.pass_by(hours=1)
    world.publisher.proven(world.publisher.writes)
    linked_at = world.clock.now - timedelta(minutes=1) if linked else None
    catch_up = CatchUp(world.company, world.publisher, world.stream, linked_at, refreshed_a_second=1000)
    world.stream.presences.clear()
    catch_up.begin()
    return world, catch_up


def test_who_has_been_there_all_along_is_told_nothing_at_once() -> None:
    world, catch_up = office()
    catch_up.found(WATCHER, "petrov", world.clock.now - timedelta(minutes=59), new=False)
    assert world.stream.presences == []


def test_who_logged_in_since_or_may_have_gets_everything_once() -> None:
    for linked, ago in ((True, timedelta(seconds=30)), (True, timedelta(seconds=63)), (False, timedelta(minutes=59))):
        world, catch_up = office(linked=linked)
        for _ in range(2):
            catch_up.found(WATCHER, "petrov", world.clock.now - ago, new=False)
        assert [local for local, _, to in world.stream.presences if to == (WATCHER,)] == ["ivanov"]


def test_a_session_that_ended_and_comes_back_gets_everything_again() -> None:
    world, catch_up = office()
    for _ in range(2):
        catch_up.found("petrov@example.test/other", "petrov", world.clock.now, new=False)
        catch_up.ended("petrov@example.test/other")
        world.clock.pass_by(seconds=10)
    assert [local for local, _, _ in world.stream.presences] == ["ivanov", "ivanov"]


def test_an_unknown_session_gets_everything() -> None:
    world, catch_up = office()
    catch_up.found("petrov@example.test/other", "petrov", world.clock.now - timedelta(minutes=59), new=False)
    assert world.stream.shown("petrov@example.test/other") == {"ivanov": "online"}


async def test_differences_come_first_and_everything_once_more_after() -> None:
    world, catch_up = office()
    catch_up.found(WATCHER, "petrov", world.clock.now - timedelta(minutes=59), new=False)
    world.company.apply("ivanov", StatusChosen(Status.BUSY), world.clock.now)
    await catch_up.run()
    told = [str(one.payload.status) for _, one, to in world.stream.presences if to == (WATCHER,)]
    assert told == ["was-here", "was-here"]


async def test_who_got_everything_is_not_refreshed() -> None:
    world, catch_up = office()
    catch_up.found(WATCHER, "petrov", world.clock.now, new=False)
    await catch_up.run()
    assert [local for local, _, to in world.stream.presences if to == (WATCHER,)] == ["ivanov"]


async def test_a_session_that_refused_presences_meanwhile_is_left_out() -> None:
    world, catch_up = office()
    world.company.deaf.add(WATCHER)
    await catch_up.run()
    assert [to for _, _, to in world.stream.presences if to] == []


async def test_a_session_that_ended_meanwhile_is_left_out() -> None:
    world, catch_up = office()
    world.attendance.gone(WATCHER)
    await catch_up.run()
    assert world.stream.presences == []


async def test_the_second_link_is_measured_by_its_own_end() -> None:
    world, catch_up = office()
    catch_up.linked_at = world.clock.now
    world.clock.pass_by(hours=1)
    catch_up.begin()
    catch_up.linked_at = world.clock.now  # a beat of the new link; who logged in between is still found
    catch_up.found(WATCHER, "petrov", world.clock.now - timedelta(minutes=30), new=False)
    assert world.stream.shown(WATCHER) == {"ivanov": "online"}
