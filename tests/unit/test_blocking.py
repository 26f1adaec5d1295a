"""Blocks: both become invisible to each other at once, for their rosters and after a restart too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from component.core.errors import Refusal
from component.core.roster import Roster
from component.services.blocking import KEPT_FOR, Blocking
from component.services.company import Company, Settings
from component.services.directory_changes import DirectoryChanges
from component.services.ports import RosterWay, Snapshot
from component.services.provisioning import Provisioning
from tests.unit.fakes import DOMAIN, KEPT, FakeStore, FakeWay, World, employee, until

PEOPLE = (
    employee("ivanov", ("a",)),
    employee("petrov", ("a",)),
    employee("sidorov", ("a",)),
    employee("alien", ("b",)),
)
PETROV = f"petrov@{DOMAIN}"


class Rig:
    """Three colleagues and one whom they do not see; their rosters are kept by a worker that the test runs."""

    def __init__(self, roster: Roster = KEPT) -> None:
        self.world = world = World(*PEOPLE, roster=roster, settings=Settings(DOMAIN, visibility="groups"))
        self.way = FakeWay(world.store.log)

        async def choose() -> tuple[RosterWay | None, str]:
            return self.way, "a test item was set"

        async def pause(took: float) -> None:
            pass

        self.provisioning = Provisioning(
            world.company, world.publisher, world.store, choose, pause, lambda _: None, retry_after=0.001
        )
        self.changes = DirectoryChanges(world.company, world.publisher, world.stream)
        self.blocking = Blocking(world.company, self.changes, self.provisioning, world.store, world.clock)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The worker runs, all rosters are put right before."""
        task = asyncio.create_task(self.provisioning.run())
        self.provisioning.request(self.world.company.directory.employees)
        await self.rosters_ready()
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def rosters_ready(self) -> None:
        await until(lambda: self.provisioning.method == "fake" and not self.provisioning.waiting)
        for _ in range(20):
            await asyncio.sleep(0)

    def items(self, one: str) -> set[str]:
        return set(self.way.rosters[f"{one}@example.test"])


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def refused(call: object) -> tuple[str, str]:
    with pytest.raises(Refusal) as refusal:
        await call  # type: ignore[misc]  # whatever was called, the test awaits it
    return refusal.value.condition, refusal.value.key


async def test_each_is_gone_for_the_other_at_once_and_for_nobody_else(rig: Rig) -> None:
    ivanov, petrov, sidorov = (rig.world.client(one) for one in ("ivanov", "petrov", "sidorov"))
    rig.world.stream.presences.clear()
    await rig.blocking.block("ivanov", "petrov")
    assert rig.world.stream.shown(ivanov) == {"petrov": "offline"}
    assert rig.world.stream.shown(petrov) == {"ivanov": "offline"}
    assert rig.world.stream.shown(sidorov) == {}
    assert rig.world.store.blocks == {("ivanov", "petrov")}
    assert rig.world.store.log[-1] == "committed"
    rig.world.clock.pass_by(seconds=2)
    rig.world.stream.presences.clear()
    await rig.world.choices.choose("ivanov", "busy", None, None, None)
    assert rig.world.stream.shown(petrov) == {}
    assert rig.world.stream.shown(sidorov) == {"ivanov": "busy"}


async def test_the_items_go_and_come_back_and_both_are_shown_again(rig: Rig) -> None:
    watcher = rig.world.client("petrov")
    async with rig.running():
        await rig.blocking.block("ivanov", "petrov")
        await rig.rosters_ready()
        assert rig.items("ivanov") == {DOMAIN, f"sidorov@{DOMAIN}"}
        assert rig.items("petrov") == {DOMAIN, f"sidorov@{DOMAIN}"}
        assert rig.world.stream.shown(watcher)["ivanov"] == "offline"
        rig.world.stream.presences.clear()
        await rig.blocking.unblock("ivanov", "petrov")
        assert rig.world.stream.shown(watcher) == {}, "not before he is in the roster"
        await rig.rosters_ready()
    assert rig.items("ivanov") == {DOMAIN, f"sidorov@{DOMAIN}", PETROV}
    assert rig.world.stream.shown(watcher) == {"ivanov": "online"}
    assert rig.world.company.deleted_by_hand("petrov") == set()
    assert rig.world.store.blocks == set()


async def test_an_unblock_before_the_items_went_shows_both_again(rig: Rig) -> None:
    watcher = rig.world.client("petrov")
    async with rig.running():
        await rig.blocking.block("ivanov", "petrov")
        assert f"ivanov@{DOMAIN}" in rig.items("petrov")
        await rig.blocking.unblock("ivanov", "petrov")
        assert rig.world.stream.shown(watcher)["ivanov"] == "offline"
        await rig.rosters_ready()
    assert rig.world.company.roster("petrov") == KEPT
    assert rig.world.stream.shown(watcher)["ivanov"] == "online"


async def test_a_subscription_made_by_hand_ends(rig: Rig) -> None:
    rig = Rig(Roster())
    rig.world.subscriptions.received("subscribe", "petrov@example.test", "ivanov")
    rig.world.stream.other.clear()
    await rig.blocking.block("petrov", "ivanov")
    assert rig.world.stream.other == [("unsubscribed", "ivanov", "petrov@example.test")]
    assert rig.world.stream.shown("petrov@example.test") == {"ivanov": "offline"}
    rig.world.subscriptions.received("subscribe", "petrov@example.test", "ivanov")
    assert rig.world.stream.other[-1] == ("unsubscribed", "ivanov", "petrov@example.test")


async def test_a_subscription_made_by_hand_ends_when_the_link_is_back() -> None:
    rig = Rig(Roster())
    for one in ("ivanov", "sidorov"):
        rig.world.subscriptions.received("subscribe", "petrov@example.test", one)
    rig.world.stream.up = False
    await rig.blocking.block("ivanov", "petrov")
    assert rig.world.company.still_approved() == [("petrov", "ivanov")]
    rig.world.stream.up = True
    rig.world.stream.other.clear()
    rig.world.stream.presences.clear()
    for _ in range(2):
        rig.changes.link_up()
        assert rig.world.stream.other == [("unsubscribed", "ivanov", "petrov@example.test")]
        assert rig.world.stream.shown("petrov@example.test") == {"ivanov": "offline"}
    await rig.blocking.unblock("ivanov", "petrov")
    assert rig.world.company.approved_by_hand("petrov") == ["sidorov"]


async def test_what_somebody_deleted_by_hand_does_not_come_back_by_an_unblock(rig: Rig) -> None:
    async with rig.running():
        rig.world.company.set_exception("petrov", "ivanov", "deleted")
        await rig.way.remove("petrov@example.test", f"ivanov@{DOMAIN}")
        await rig.blocking.block("ivanov", "petrov")
        await rig.rosters_ready()
        await rig.blocking.unblock("ivanov", "petrov")
        await rig.rosters_ready()
    assert rig.items("petrov") == {DOMAIN, f"sidorov@{DOMAIN}"}
    assert PETROV in rig.items("ivanov")


async def test_each_ends_his_own_block_alone(rig: Rig) -> None:
    await rig.blocking.block("ivanov", "petrov")
    await rig.blocking.block("petrov", "ivanov")
    await rig.blocking.block("petrov", "ivanov")
    await rig.blocking.unblock("ivanov", "petrov")
    assert not rig.world.company.directory.may_see("ivanov", "petrov")
    assert await refused(rig.blocking.unblock("ivanov", "petrov")) == ("item-not-found", "not-blocked")
    await rig.blocking.unblock("petrov", "ivanov")
    assert rig.world.company.directory.may_see("ivanov", "petrov")


async def test_nobody_blocks_himself(rig: Rig) -> None:
    assert await refused(rig.blocking.block("ivanov", "ivanov")) == ("bad-request", "block-self")
    assert await refused(rig.blocking.block("ivanov", "nobody")) == ("item-not-found", "unknown-employee")
    assert (rig.world.store.blocks, rig.world.company.directory.blocks) == (set(), frozenset())


async def test_a_block_holds_though_it_cannot_be_stored_now(rig: Rig) -> None:
    rig.world.store.failing = "the disk is full"
    assert await refused(rig.blocking.block("ivanov", "petrov")) == ("resource-constraint", "block-not-stored")
    assert not rig.world.company.directory.may_see("ivanov", "petrov")


async def test_a_flood_of_blocks_and_unblocks_stays_below_a_presence_a_second(rig: Rig) -> None:
    watcher = rig.world.client("petrov")
    async with rig.running():
        rig.world.stream.presences.clear()
        for _ in range(40):  # ten seconds
            with suppress(Refusal):
                await rig.blocking.block("ivanov", "petrov")
            with suppress(Refusal):
                await rig.blocking.unblock("ivanov", "petrov", by_himself=True)
            await rig.rosters_ready()
            rig.world.clock.pass_by(seconds=0.25)
    told = [to for local, _, to in rig.world.stream.presences if watcher in to and local == "ivanov"]
    assert 8 <= len(told) <= 11
    assert KEPT_FOR.total_seconds() == 2


async def test_whoever_does_not_end_his_own_block_needs_not_wait(rig: Rig) -> None:
    await rig.blocking.block("ivanov", "petrov")
    refusal = await refused(rig.blocking.unblock("ivanov", "petrov", by_himself=True))
    assert refusal == ("resource-constraint", "just-blocked")
    await rig.blocking.unblock("ivanov", "petrov")
    assert rig.world.company.directory.may_see("ivanov", "petrov")
    await rig.blocking.block("ivanov", "petrov")
    rig.world.clock.pass_by(seconds=-60)  # the clock was set back
    await rig.blocking.unblock("ivanov", "petrov", by_himself=True)


@pytest.mark.parametrize("address", ["petrov", PETROV, f"{PETROV}/panel", f"Petrov@{DOMAIN.upper()}"])
def test_a_colleague_is_named_by_his_id_or_his_address(rig: Rig, address: str) -> None:
    assert rig.blocking.colleague("ivanov", address) == "petrov"


@pytest.mark.parametrize("address", ["alien", f"alien@{DOMAIN}", "nobody", f"nobody@{DOMAIN}", "sidorov", "", "a@b@c"])
async def test_only_who_is_seen_can_be_named_and_the_refusal_is_one(rig: Rig, address: str) -> None:
    await rig.blocking.block("sidorov", "ivanov")
    with pytest.raises(Refusal) as refusal:
        rig.blocking.colleague("ivanov", address)
    assert (refusal.value.condition, refusal.value.key) == ("item-not-found", "unknown-employee")
    assert refusal.value.values == {"value": address}


async def test_whom_one_blocks_can_be_named_oneself_not(rig: Rig) -> None:
    await rig.blocking.block("ivanov", "petrov")
    assert rig.blocking.colleague("ivanov", "petrov") == "petrov"
    with pytest.raises(Refusal) as refusal:
        rig.blocking.colleague("ivanov", f"ivanov@{DOMAIN}")
    assert refusal.value.key == "block-self"


def test_blocks_survive_a_restart_and_an_import_but_not_the_one_who_leaves() -> None:
    blocks = frozenset({("ivanov", "petrov"), ("sidorov", "ivanov")})
    company = Company(Settings(DOMAIN), FakeStore(), Snapshot(employees=PEOPLE, blocks=blocks))
    assert not company.directory.may_see("petrov", "ivanov")
    company.set_directory(PEOPLE)
    assert company.directory.blocks == blocks
    company.set_directory([one for one in PEOPLE if one.id != "petrov"])
    company.set_directory(PEOPLE)
    assert company.directory.blocks == {("sidorov", "ivanov")}


def test_a_store_that_has_lost_them_is_given_the_blocks_again() -> None:
    store, blocks = FakeStore(), frozenset({("ivanov", "petrov")})
    Company(Settings(DOMAIN), store, Snapshot(employees=PEOPLE, blocks=blocks)).keep_all()
    assert store.blocks == blocks
