"""Roster calls follow each other with pauses between, and are measured."""

import asyncio

import pytest

from component.services.paced import Estimate, PacedCalls
from component.services.ports import RosterError


class Rig:
    """Calls of a given length on a clock that only moves while something waits."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.running = self.most = 0
        self.calls = PacedCalls(self.pause)

    async def pause(self, took: float) -> None:
        self.pauses.append(took)
        await asyncio.sleep(2 * took)

    async def call(self, seconds: float = 0.01) -> str:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(seconds)
        self.running -= 1
        return "answer"


async def test_one_at_a_time_whoever_asks() -> None:
    rig = Rig()
    answers = await asyncio.gather(*(rig.calls.read(lambda: rig.call(0.001)) for _ in range(5)))
    assert (answers, rig.most) == (["answer"] * 5, 1)
    assert rig.pauses[0] == 0
    assert all(pause >= 0.001 for pause in rig.pauses[1:])


async def test_an_answer_is_fresh_since_the_pause_comes_before_the_next_call() -> None:
    rig = Rig()
    await rig.calls.read(rig.call)
    assert rig.pauses == [0]
    await rig.calls.change(rig.call)
    assert rig.pauses[1] >= 0.01


async def test_a_call_that_fails_is_followed_by_a_pause_too() -> None:
    rig = Rig()

    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise RosterError("down")

    with pytest.raises(RosterError):
        await rig.calls.read(fails)
    await rig.calls.read(rig.call)
    assert rig.pauses[1] >= 0.01
    assert rig.calls.spent >= 0.02


async def test_the_estimate_follows_what_was_measured() -> None:
    rig = Rig()
    assert rig.calls.estimate(3, 100) == Estimate()
    for _ in range(2):
        await rig.calls.read(rig.call)
    as_reads = rig.calls.estimate(1, 1)
    assert as_reads.server >= 0.02, "before any change was made it counts as a read"
    assert as_reads.total > as_reads.server
    await rig.calls.change(lambda: rig.call(0.05))
    assert rig.calls.estimate(0, 10).server >= 0.5
    assert rig.calls.estimate(10, 0).server == pytest.approx(10 * as_reads.server / 2)
