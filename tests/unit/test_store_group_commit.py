"""Group commit, with a hand-written writer in place of a database."""

import asyncio

import pytest

from component.core.facts import Session, State
from component.services.ports import StoreError
from component.store.group_commit import GroupCommit
from component.store.statements import Batch, Key

IVANOV, PETROV = Key("state", "ivanov"), Key("state", "petrov")


class Writer:
    """Notes every batch; fails as often as it is told, and waits at its gate while that is closed."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.failures = failures
        self.error = error or StoreError("the disk is full")
        self.batches: list[Batch] = []
        self.tries = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.written = asyncio.Event()

    async def write(self, batch: Batch) -> list[str]:
        self.tries += 1
        self.begun.set()
        await self.gate.wait()
        if self.tries <= self.failures:
            raise self.error
        self.batches.append(batch)
        self.written.set()
        return []


def started(writer: Writer, backoff: tuple[float, float] = (0.001, 0.002)) -> GroupCommit:
    commits = GroupCommit(writer.write, backoff=backoff)
    commits.start()
    return commits


async def test_a_failed_commit_is_tried_again_by_itself() -> None:
    writer = Writer(failures=4)
    commits = started(writer)
    commits.put(IVANOV, State())
    await writer.written.wait()
    await commits.committed()
    assert (writer.tries, writer.batches) == (5, [{IVANOV: State()}])
    assert (commits.failing, commits.commits) == (None, 1)
    await commits.close(1)


async def test_a_caller_need_not_wait_for_the_backoff() -> None:
    writer = Writer(failures=1)
    commits = started(writer, backoff=(3600, 3600))
    commits.put(IVANOV, State())
    with pytest.raises(StoreError, match="disk is full"):
        await commits.committed()
    await commits.committed()
    assert writer.batches == [{IVANOV: State()}]
    await commits.close(1)


async def test_a_commit_in_flight_does_not_cover_what_comes_after() -> None:
    writer = Writer()
    commits = started(writer)
    writer.gate.clear()
    commits.put(IVANOV, State())
    await writer.begun.wait()
    commits.put(PETROV, State())
    waiting = asyncio.create_task(commits.committed())
    writer.gate.set()
    await waiting
    assert writer.batches == [{IVANOV: State()}, {PETROV: State()}]
    await commits.close(1)


async def test_what_failed_does_not_overwrite_what_is_newer() -> None:
    writer = Writer(failures=1)
    commits = started(writer)
    newer = State(sessions={"ivanov@example.test/a": Session(None)})
    writer.gate.clear()
    commits.put(IVANOV, State())
    await writer.begun.wait()
    commits.put(IVANOV, newer)
    writer.gate.set()
    await writer.written.wait()
    assert writer.batches == [{IVANOV: newer}]
    await commits.close(1)


async def test_an_unforeseen_failure_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    writer = Writer(failures=1, error=RuntimeError())
    commits = started(writer)
    commits.put(IVANOV, State())
    await writer.written.wait()
    assert "RuntimeError" in caplog.text
    await commits.close(1)


async def test_a_caller_that_gives_up_disturbs_nobody() -> None:
    writer = Writer()
    commits = started(writer)
    writer.gate.clear()
    commits.put(IVANOV, State())
    await writer.begun.wait()
    impatient, patient = (asyncio.create_task(commits.committed()) for _ in range(2))
    await asyncio.wait([impatient], timeout=0)
    impatient.cancel()
    writer.gate.set()
    await patient
    assert impatient.cancelled()
    await commits.close(1)


async def test_closing_in_the_middle_of_a_commit_answers_those_who_wait() -> None:
    writer = Writer()
    commits = started(writer)
    writer.gate.clear()
    commits.put(IVANOV, State())
    await writer.begun.wait()
    waiting = asyncio.create_task(commits.committed())
    await commits.close(0.01)
    with pytest.raises(StoreError, match="closed"):
        await waiting
    assert len(commits) == 1
