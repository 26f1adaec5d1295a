"""A small company, and what the command line can do with it."""

import asyncio
from collections.abc import Callable

import pytest

from component.core.roster import Roster
from component.services.administration import Administration
from component.services.blocking import Blocking
from component.services.company import Settings
from component.services.directory_changes import DirectoryChanges
from component.services.operations import ImportReport, OperationError, Progress
from component.services.ports import RosterWay
from component.services.provisioning import Provisioning
from tests.unit.fakes import DOMAIN, KEPT, FakeWay, World, employee

HEAD = "id,account,name,groups\n"


def line(one: str, groups: str = "", *, account: str | None = None, name: str | None = None) -> str:
    return f"{one},{account or one + '@example.test'},{name or one.title()},{groups}\n"


ALL = HEAD + line("ivanov", "a") + line("petrov", "a") + line("sidorov", "b")


class Rig:
    """A company of three in two groups, and what the command line can do with it."""

    def __init__(self, *, roster: Roster = KEPT, empty: bool = False) -> None:
        people = (employee("ivanov", ("a",)), employee("petrov", ("a",)), employee("sidorov", ("b",)))
        settings = Settings(DOMAIN, visibility="groups", presets=(("На обеде", "busy"),))
        self.world = World(*(() if empty else people), roster=roster, settings=settings)
        self.way = FakeWay(self.world.store.log)
        self.found: tuple[RosterWay | None, str] = (self.way, "a test item was set")
        world = self.world
        for one in world.company.directory.employees:
            world.publisher.refresh(one)
        self.provisioning = Provisioning(
            world.company, world.publisher, world.store, self._choose, self._pause, lambda _: None
        )
        changes = DirectoryChanges(world.company, world.publisher, world.stream)
        self.administration = Administration(
            world.company,
            world.choices,
            world.publisher,
            self.provisioning,
            changes,
            Blocking(world.company, changes, self.provisioning, world.store, world.clock),
            world.store,
            world.stream,
            world.heartbeat,
            world.clock,
        )
        self.steps: list[Progress] = []

    async def _choose(self) -> tuple[RosterWay | None, str]:
        return self.found

    async def _pause(self, took: float) -> None:
        pass

    async def load(self, text: str, *, dry_run: bool = False, allow_removals: int | None = None) -> ImportReport:
        return await self.administration.import_employees(
            text, dry_run=dry_run, allow_removals=allow_removals, progress=self.steps.append
        )

    def ids(self) -> list[str]:
        return [row.id for row in self.administration.employees()]


async def refused(call: Callable[[], object]) -> OperationError:
    with pytest.raises(OperationError) as error:
        result = call()
        if asyncio.iscoroutine(result):
            await result
    return error.value
