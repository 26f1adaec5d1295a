"""Imports of the directory: applied whole or not at all, and what colleagues see of them."""

import asyncio
from dataclasses import replace

import pytest

from component.core.roster import Roster
from component.services.operations import ImportReport
from tests.unit.administration_rig import ALL, HEAD, Rig, line, refused
from tests.unit.fakes import DOMAIN, KEPT, until


def report(**counts: int) -> ImportReport:
    return ImportReport(**{"added": 0, "changed": 0, "moved": 0, "removed": 0, "unchanged": 0, **counts}, dry_run=False)


async def test_the_same_file_again_changes_nothing() -> None:
    rig = Rig()
    assert await rig.load(ALL) == report(unchanged=3)
    assert [to for _, _, to in rig.world.stream.presences if to] == []
    assert rig.world.stream.other == []
    assert [step.done for step in rig.steps] == [0, 1, 2, 4]


async def test_a_first_import_fills_the_directory() -> None:
    rig = Rig(empty=True)
    assert await rig.load(ALL) == report(added=3)
    assert rig.ids() == ["ivanov", "petrov", "sidorov"]
    assert rig.world.company.directory.visible_to("ivanov") == {"petrov"}


async def test_an_account_may_be_a_localpart_once_the_domain_is_known() -> None:
    rig = Rig()
    await rig.load(ALL + line("new", "a", account="newcomer"))
    assert rig.world.company.directory.employees["new"].account == "newcomer@example.test"


async def test_a_dry_run_counts_and_applies_nothing() -> None:
    rig = Rig()
    text = HEAD + line("ivanov", "b") + line("petrov", "a", name="Petr") + line("new", "a")
    counted = await rig.load(text, dry_run=True)
    assert counted == ImportReport(added=1, changed=1, moved=1, removed=1, unchanged=0, dry_run=True)
    assert rig.ids() == ["ivanov", "petrov", "sidorov"]
    assert rig.world.store.log == []
    assert rig.world.company.roster("petrov") == KEPT


async def test_bad_rows_are_named_and_nothing_is_applied() -> None:
    rig = Rig()
    error = await refused(lambda: rig.load(ALL + "bad,,Bad,\n" + "worse\n"))
    assert error.code == "bad-file"
    assert [detail.partition(":")[0] for detail in error.details] == ["line 5", "line 6"]
    assert (await refused(lambda: rig.load(HEAD))).code == "bad-file"
    assert rig.ids() == ["ivanov", "petrov", "sidorov"]
    assert rig.world.store.log == []


async def test_an_import_that_removes_too_many_asks_first() -> None:
    rig = Rig()
    text = HEAD + line("somebody") + line("else")
    error = await refused(lambda: rig.load(text))
    assert (error.code, error.hint) == ("too-many-removals", "if it is meant, add --allow-removals 3")
    assert rig.ids() == ["ivanov", "petrov", "sidorov"]
    assert await rig.load(text, allow_removals=3) == report(added=2, removed=3)
    assert rig.ids() == ["else", "somebody"]


async def test_a_store_that_fails_leaves_everything_as_it_was() -> None:
    rig = Rig()
    rig.world.client("petrov")
    rig.world.stream.presences.clear()
    rig.world.store.failing = "the disk is full"
    error = await refused(lambda: rig.load(HEAD + line("ivanov", "b") + line("petrov", "a")))
    assert (error.code, error.text) == ("store", "the disk is full; nothing was applied")
    assert rig.ids() == ["ivanov", "petrov", "sidorov"]
    assert rig.world.stream.presences == []
    assert rig.world.company.subscribed("petrov", "ivanov")


async def test_one_who_moves_is_gone_for_those_who_may_no_longer_see_him() -> None:
    rig = Rig()
    ivanov, petrov, sidorov = (rig.world.client(one) for one in ("ivanov", "petrov", "sidorov"))
    rig.world.stream.presences.clear()
    assert await rig.load(HEAD + line("ivanov", "b") + line("petrov", "a") + line("sidorov", "b")) == report(
        moved=1, unchanged=2
    )
    assert rig.world.stream.shown(petrov) == {"ivanov": "offline"}
    assert rig.world.stream.shown(ivanov) == {"petrov": "offline"}
    assert rig.world.stream.shown(sidorov) == {}, "not before he is in the roster"
    assert rig.world.company.roster("sidorov").pending == {"ivanov"}
    assert rig.world.company.roster("ivanov").pending == {"sidorov"}


async def test_a_subscription_made_by_hand_ends_with_the_right_to_see() -> None:
    rig = Rig(roster=Roster())
    rig.world.subscriptions.received("subscribe", "petrov@example.test", "ivanov")
    rig.world.stream.other.clear()
    await rig.load(HEAD + line("ivanov", "b") + line("petrov", "a") + line("sidorov", "b"))
    assert rig.world.stream.other == [("unsubscribed", "ivanov", "petrov@example.test")]
    assert rig.world.stream.shown("petrov@example.test") == {"ivanov": "offline"}
    assert rig.world.company.exception("petrov", "ivanov") is None


async def test_one_who_leaves_is_gone_everywhere_and_his_roster_is_cleared() -> None:
    rig = Rig()
    petrov = rig.world.client("petrov")
    rig.world.client("ivanov")
    rig.world.stream.presences.clear()
    await rig.load(HEAD + line("petrov", "a") + line("sidorov", "b"))
    assert rig.world.stream.shown(petrov) == {"ivanov": "offline"}
    assert rig.world.stream.shown("ivanov@example.test/pc") == {"petrov": "offline"}
    assert "ivanov@example.test/pc" not in rig.world.company.sessions
    assert "ivanov" in str(await refused(lambda: rig.administration.status("ivanov")))


async def test_a_renamed_contact_is_set_again_in_the_rosters_of_those_who_see_him() -> None:
    rig = Rig()
    await rig.load(ALL.replace("Ivanov", "Ivanov Ivan"))
    assert rig.world.company.roster("petrov") == replace(KEPT, renewed=frozenset({"ivanov"}))
    assert rig.world.company.roster("sidorov") == KEPT


async def test_another_account_begins_with_an_empty_roster_and_without_sessions() -> None:
    rig = Rig()
    rig.world.client("ivanov")
    rig.world.company.set_exception("ivanov", "petrov", "deleted")
    await rig.load(ALL.replace("ivanov@", "ivanov.i@"))
    assert rig.world.company.state("ivanov").sessions == {}
    assert rig.world.company.roster("ivanov") == Roster()
    assert rig.world.company.exception("ivanov", "petrov") is None
    assert "ivanov@example.test" not in rig.world.company.directory.by_account


async def test_imports_at_the_same_time_follow_each_other() -> None:
    rig = Rig()
    first = HEAD + line("ivanov", "a") + line("petrov", "a")
    second = first + line("new", "a")
    one, other = await asyncio.gather(rig.load(first), rig.load(second))
    assert (one, other) == (report(removed=1, unchanged=2), report(added=1, unchanged=2))
    assert rig.ids() == ["ivanov", "new", "petrov"]


@pytest.mark.parametrize("roster", [KEPT, Roster()], ids=["kept", "not yet kept"])
async def test_rosters_that_are_looked_at_while_an_import_is_stored_get_its_contacts_after_it(roster: Roster) -> None:
    rig = Rig(roster=roster)
    worker = asyncio.create_task(rig.provisioning.run())

    async def look_at_rosters() -> None:
        rig.provisioning.request(["petrov"])
        await until(lambda: len(rig.way.rosters.get("petrov@example.test", {})) == 2)

    rig.world.store.while_committing = look_at_rosters
    await rig.load(ALL + line("new", "a"))
    await until(lambda: f"new@{DOMAIN}" in rig.way.rosters["petrov@example.test"])
    worker.cancel()
    assert rig.world.company.deleted_by_hand("petrov") == set()


async def test_a_renamed_contact_is_shown_on_while_his_items_are_not_set_yet() -> None:
    rig = Rig()
    petrov, _ = rig.world.client("petrov"), rig.world.client("ivanov")
    await rig.load(ALL.replace("Ivanov", "Ivanov Ivan"))
    rig.world.clock.pass_by(seconds=2)
    rig.world.stream.presences.clear()
    await rig.administration.set_status("ivanov", "busy", text=None, until=None)
    assert rig.world.stream.shown(petrov) == {"ivanov": "busy"}
    await rig.administration.block("petrov", "ivanov")
    assert rig.world.stream.shown(petrov) == {"ivanov": "offline"}


async def test_an_import_that_could_not_be_stored_hides_nobody() -> None:
    rig = Rig()
    petrov, _ = rig.world.client("petrov"), rig.world.client("ivanov")
    rig.world.store.failing = "the disk is full"
    await refused(lambda: rig.load(ALL.replace("Ivanov", "Ivanov Ivan")))
    rig.world.store.failing = None
    rig.world.clock.pass_by(seconds=2)
    await rig.administration.set_status("ivanov", "busy", text=None, until=None)
    assert rig.world.stream.shown(petrov) == {"ivanov": "busy"}


@pytest.mark.parametrize("roster", [KEPT, Roster()], ids=["kept", "by hand"])
async def test_an_account_that_is_given_up_shows_nobody_any_more(roster: Roster) -> None:
    rig = Rig(roster=roster)
    former = rig.world.client("petrov")
    if roster is not KEPT:
        former = "petrov@example.test"
        rig.world.subscriptions.received("subscribe", former, "ivanov")
    rig.world.stream.presences.clear()
    rig.world.stream.other.clear()
    await rig.load(ALL.replace("petrov@", "petrov.p@"))
    assert rig.world.stream.shown(former) == {"ivanov": "offline"}
    if roster is not KEPT:
        assert rig.world.stream.other == [("unsubscribed", "ivanov", former)]


async def test_nothing_is_remembered_of_what_was_told_of_one_who_left() -> None:
    rig = Rig()
    rig.world.client("petrov")
    rig.world.client("ivanov")
    await rig.load(HEAD + line("petrov", "a") + line("sidorov", "b"))
    assert rig.world.publisher.told("ivanov") is None
