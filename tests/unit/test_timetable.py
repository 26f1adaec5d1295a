"""Deadlines on the wall clock: the last one set for a key, however the clock was set in between."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

from component.services.timetable import Timetable
from tests.unit.fakes import START, FakeClock

MOMENT = timedelta(milliseconds=5)


class Called:
    """Takes callbacks in; the test waits for the number that it expects."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._came = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, name: str) -> None:
        self.names.append(name)
        task = asyncio.ensure_future(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._came:
            self._came.notify_all()

    async def wait_for(self, *names: str) -> None:
        async with asyncio.timeout(5), self._came:
            await self._came.wait_for(lambda: len(self.names) >= len(names))
        assert self.names == list(names)


def now() -> datetime:
    return datetime.now(UTC)


async def test_deadlines_are_met_in_order() -> None:
    called, times = Called(), Timetable(now)
    for number in (3, 1, 2):
        times.at(number, now() + number * MOMENT, partial(called, str(number)))
    await called.wait_for("1", "2", "3")
    times.close()


async def test_a_deadline_that_has_passed_is_met_at_once_but_never_inside_the_call() -> None:
    called, times = Called(), Timetable(now)
    times.at("a", now() - timedelta(days=1), lambda: called("a"))
    assert called.names == []
    await called.wait_for("a")
    times.close()


async def test_a_key_has_the_last_deadline_only_and_a_cancelled_one_has_none() -> None:
    called, times = Called(), Timetable(now)
    times.at("a", now() + MOMENT, lambda: called("first"))
    times.at("b", now() + MOMENT, lambda: called("cancelled"))
    times.at("a", now() + 2 * MOMENT, lambda: called("second"))
    times.cancel("b")
    times.cancel("never set")
    times.at("c", now() + 4 * MOMENT, lambda: called("end"))
    await called.wait_for("second", "end")
    times.close()


async def test_a_callback_may_set_its_own_key_again() -> None:
    called, times = Called(), Timetable(now)

    def again() -> None:
        called("again")
        if len(called.names) < 3:
            times.at("a", now() + MOMENT, again)

    times.at("a", now(), again)
    await called.wait_for("again", "again", "again")
    times.close()


async def test_after_a_callback_that_fails_the_others_go_on() -> None:
    called, times, loop = Called(), Timetable(now), asyncio.get_running_loop()
    reported: list[str] = []
    loop.set_exception_handler(lambda _, context: reported.append(str(context.get("exception"))))
    try:

        def fails() -> None:
            raise ZeroDivisionError("a defect")

        times.at("a", now(), fails)
        times.at("b", now() + MOMENT, lambda: called("b"))
        await called.wait_for("b")
    finally:
        loop.set_exception_handler(None)
        times.close()
    assert reported == ["a defect"]


async def test_closed_it_calls_nobody() -> None:
    called, times = Called(), Timetable(now)
    times.at("a", now(), lambda: called("a"))
    times.close()
    other = Timetable(now)
    other.at("b", now() + MOMENT, lambda: called("b"))
    await called.wait_for("b")
    other.close()


async def test_a_clock_that_was_set_is_noticed() -> None:
    called, clock = Called(), FakeClock()
    times = Timetable(clock, longest_sleep=0.002)
    times.at("a", START + timedelta(hours=1), lambda: called("a"))
    times.at("b", START + timedelta(hours=3), lambda: called("b"))
    clock.now = START + timedelta(hours=2)
    await called.wait_for("a")
    clock.now = START
    times.at("c", START, lambda: called("c"))
    await called.wait_for("a", "c")
    times.close()


async def test_many_deadlines_that_were_moved_take_no_memory() -> None:
    times = Timetable(now)
    later = now() + timedelta(hours=1)
    for number in range(10_000):
        times.at(number % 10, later + number * MOMENT, lambda: None)
    assert len(times._heap) <= 100  # nothing outside tells
    times.close()


async def test_a_clock_that_was_set_back_puts_nothing_off() -> None:
    called, clock = Called(), FakeClock()
    times = Timetable(clock, longest_sleep=0.002)
    times.at("a", START + timedelta(seconds=1), lambda: called("a"))
    clock.now = START - timedelta(hours=1)
    times.at("b", START - timedelta(hours=1) + timedelta(seconds=2), lambda: called("b"))
    clock.now += timedelta(seconds=1.5)
    await called.wait_for("a")
    clock.now += timedelta(seconds=1)
    await called.wait_for("a", "b")
    times.close()
