"""The beat: the link lives in both directions, one instance serves, the store is there."""

import asyncio
from dataclasses import replace

import pytest

from component.core.facts import Status, StatusChosen
from component.core.lease import LEASE
from component.services.heartbeat import BEATS_UNANSWERED, Heartbeat, take_lease
from component.services.ports import Lease
from tests.unit.fakes import LEASE as MINE
from tests.unit.fakes import FakeStream, World, employee, until


def office() -> World:
    world = World(employee("ivanov"), employee("petrov"))
    world.client("petrov")
    return world


def reported(heartbeat: Heartbeat) -> str:
    return heartbeat.stranger or ""


def numbers(world: World) -> list[int]:
    return [int(number) for kind, _, number in world.stream.other if kind == "instance"]


async def test_a_beat_that_comes_back_proves_what_was_written_before() -> None:
    world = office()
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    world.heartbeat.link_up()
    sent = world.clock.now
    world.clock.pass_by(seconds=1)
    world.heartbeat.came_back("this", numbers(world)[0])
    assert world.store.told["ivanov"] is not None
    assert world.catch_up.linked_at == sent
    assert world.heartbeat.stranger is None


async def test_proof_waits_for_the_return() -> None:
    world = office()
    waiting = asyncio.create_task(world.heartbeat.proof(5))
    await until(lambda: bool(numbers(world)))
    world.heartbeat.came_back("this", numbers(world)[-1] + 7)  # of an earlier link
    assert not waiting.done()
    world.heartbeat.came_back("this", numbers(world)[-1])
    assert await waiting
    assert not await world.heartbeat.proof(0.01)
    world.stream.up = False
    assert not await world.heartbeat.proof(5)


def returns(world: World, count: int) -> None:
    """So many proofs are asked for, and each message comes back."""
    for _ in range(count):
        world.heartbeat.link_up()
        world.heartbeat.came_back("this", numbers(world)[-1])


async def test_a_strange_instance_is_reported_until_nothing_is_seen_of_it() -> None:
    world = office()
    returns(world, 1)
    held = world.catch_up.linked_at
    world.clock.pass_by(seconds=5)
    world.heartbeat.came_back("that", 1)
    assert "second connection" in reported(world.heartbeat)
    returns(world, 5)
    assert world.catch_up.linked_at == held, "what came in between is not known"
    world.heartbeat.came_back("that", 2)
    returns(world, 5)
    assert (world.resyncs, bool(reported(world.heartbeat))) == (0, True)
    returns(world, 2)
    assert (world.resyncs, reported(world.heartbeat)) == (1, "")
    assert world.catch_up.linked_at == world.clock.now


async def test_a_lost_beat_is_a_second_connection_too() -> None:
    world = office()
    for _ in range(5):
        world.heartbeat.link_up()  # what an old link lost is no sign
    world.heartbeat.came_back("this", numbers(world)[-1])
    assert reported(world.heartbeat) == ""
    sent = len(numbers(world))
    waiting = [asyncio.create_task(world.heartbeat.proof(5)) for _ in range(3)]
    await until(lambda: len(numbers(world)) == sent + 3)
    world.heartbeat.came_back("this", numbers(world)[-1])
    assert "does not arrive" in reported(world.heartbeat)
    assert all(await asyncio.gather(*waiting))


async def test_after_an_instance_that_hangs_everybody_is_asked_again() -> None:
    world = office()
    world.heartbeat = world.new_heartbeat(contested=True)
    assert "hangs" in reported(world.heartbeat)
    returns(world, 6)
    assert (world.resyncs, reported(world.heartbeat)) == (1, "")


async def test_a_silent_server_is_given_up() -> None:
    world = office()
    world.stream.silent_for = 0.5
    task = asyncio.create_task(world.new_heartbeat(every=0.0).run())
    await until(lambda: any(kind == "drop" for kind, _, _ in world.stream.other))
    task.cancel()
    world.stream.up = False
    world.stream.other.clear()
    task = asyncio.create_task(world.new_heartbeat(every=0.0).run())
    await until(lambda: bool(world.store.lease))
    assert world.stream.other == []
    task.cancel()


async def test_a_process_that_was_stopped_reads_what_came_meanwhile() -> None:
    world = office()
    silences = iter([60.0, 0.0] * 20)

    class Woken(FakeStream):
        @property
        def silent_for(self) -> float:
            return next(silences, 0.0)

        @silent_for.setter
        def silent_for(self, _: float) -> None:
            pass

    world.stream = Woken()
    task = asyncio.create_task(world.new_heartbeat(every=0.0).run())
    await until(lambda: len(numbers(world)) > 40)
    assert not any(kind == "drop" for kind, _, _ in world.stream.other)
    task.cancel()


async def test_a_store_that_was_lost_just_before_the_end_is_written_anew() -> None:
    world = office()
    world.store.lost = True
    await world.heartbeat.renew()
    assert world.store.directory == ["ivanov", "petrov"]


async def test_a_lost_lease_ends_the_beat() -> None:
    world = office()
    world.store.lease = replace(MINE, instance="that", pid=2)
    await asyncio.wait_for(world.new_heartbeat(every=0.0).run(), 5)
    assert world.store.lease.instance == "that"


async def test_a_lost_store_is_written_anew() -> None:
    world = office()
    world.publisher.record("ivanov", StatusChosen(Status.BUSY))
    for rows in (world.store.states, world.store.rosters, world.store.told):
        rows.clear()
    world.store.lost = True
    task = asyncio.create_task(world.new_heartbeat(every=0.0).run())
    await until(lambda: not world.store.lost)
    task.cancel()
    assert world.store.directory == ["ivanov", "petrov"]
    assert world.store.states.keys() == {"ivanov", "petrov"}
    assert world.store.told["ivanov"] is None


@pytest.mark.parametrize("gone", [True, False])
async def test_a_second_instance_stands_by_until_the_first_has_ended(gone: bool) -> None:
    world = office()
    held = world.store.lease = Lease("that", "host", 2, world.clock.now)
    ended: set[int] = set()
    taking = asyncio.create_task(
        take_lease(world.store, MINE, world.clock, lambda lease: lease.pid in ended, every=0.0)
    )
    for _ in range(10):
        await asyncio.sleep(0)
    assert world.store.lease == held
    if gone:
        ended.add(2)
    else:
        world.clock.pass_by(seconds=LEASE.total_seconds() + 1)
    assert await taking == (replace(MINE, renewed_at=world.clock.now), not gone)
    assert world.store.lease == replace(MINE, renewed_at=world.clock.now)


async def test_a_lost_store_that_could_not_be_written_at_once_is_written_later() -> None:
    world = office()
    world.store.directory, world.store.lost = [], True
    world.store.failing = "the disk is full"
    task = asyncio.create_task(world.new_heartbeat(every=0.0).run())
    await until(lambda: not world.store.lost)
    for _ in range(10):
        await asyncio.sleep(0)
    assert world.store.directory == []
    world.store.failing = None
    await until(lambda: world.store.directory == ["ivanov", "petrov"])
    task.cancel()


async def test_a_store_that_hangs_holds_no_beat_up() -> None:
    world = office()
    world.store.hangs = True
    world.stream.silent_for = 0.5
    task = asyncio.create_task(world.new_heartbeat(every=0.0).run())
    await until(lambda: any(kind == "drop" for kind, _, _ in world.stream.other))
    task.cancel()


async def test_a_link_that_only_hears_is_given_up() -> None:
    world = office()
    heartbeat = world.new_heartbeat(every=0.0)
    heartbeat.link_up()
    heartbeat.came_back("this", numbers(world)[-1])
    task = asyncio.create_task(heartbeat.run())
    await until(lambda: any(kind == "drop" for kind, _, _ in world.stream.other))
    task.cancel()
    assert len(numbers(world)) == 1 + BEATS_UNANSWERED


async def test_a_server_that_never_hands_anything_back_is_borne() -> None:
    world = office()
    heartbeat = world.new_heartbeat(every=0.0)
    heartbeat.link_up()
    task = asyncio.create_task(heartbeat.run())
    await until(lambda: len(numbers(world)) > 3 * BEATS_UNANSWERED)
    task.cancel()
    assert not any(kind == "drop" for kind, _, _ in world.stream.other)


async def test_a_failure_of_the_store_that_nobody_has_foreseen_ends_no_beat() -> None:
    world = office()
    world.store.breaks = ValueError("no driver does that")
    task = asyncio.create_task(world.new_heartbeat(every=0.0).run())
    await until(lambda: len(numbers(world)) > 3)
    world.store.breaks = None
    await until(lambda: world.store.lease is not None)
    task.cancel()
