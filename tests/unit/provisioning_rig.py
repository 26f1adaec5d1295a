"""A small company, and the worker that fills its rosters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from component.core.roster import Roster
from component.services.ports import RosterError, RosterWay
from component.services.provisioning import Provisioning
from tests.unit.fakes import FakeWay, World, employee, until

PETROV = "petrov@example.test"


class Rig:
    """A world with employees ivanov and petrov, and the worker that fills their rosters."""

    def __init__(self, roster: Roster, retry_after: float = 0.001) -> None:
        self.world = World(employee("ivanov"), employee("petrov"), roster=roster)
        self.way = FakeWay(self.world.store.log)
        self.asked: list[str] = []
        self.pauses: list[float] = []

        self.found: RosterWay | None = self.way
        self.refuses: RosterError | None = None
        self.chosen = 0

        async def choose() -> tuple[RosterWay | None, str]:
            self.chosen += 1
            if self.refuses:
                raise self.refuses
            return self.found, "it works" if self.found else "it does not work"

        async def pause(took: float) -> None:
            self.pauses.append(took)

        world = self.world
        self.worker = Provisioning(
            world.company, world.publisher, world.store, choose, pause, self.asked.append, retry_after=retry_after
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.worker.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def done(self) -> None:
        """Wait until nothing is left to do."""
        await until(lambda: not self.worker.waiting and self.worker.method != "handshake")
        for _ in range(20):
            await asyncio.sleep(0)

    def items(self, account: str = PETROV) -> set[str]:
        return set(self.way.rosters.get(account, {}))
