"""What the command line asks beside imports: statuses, blocks, health."""

from datetime import timedelta

import pytest

from component.core.facts import Mode, Phone, Status
from component.services.ports import HANDSHAKE_CONFIGURED
from tests.unit.administration_rig import ALL, HEAD, Rig, line, refused
from tests.unit.fakes import DOMAIN


async def test_a_status_set_from_the_command_line_is_what_colleagues_see() -> None:
    rig = Rig()
    rig.world.client("ivanov")
    rig.world.client("petrov")
    rig.world.clock.pass_by(seconds=2)
    until = rig.world.clock.now + timedelta(hours=1)
    row = await rig.administration.set_status("ivanov", "dnd", text="До обеда", until=until)
    assert (row.status, row.chosen, row.text, row.until, row.show) == (Status.DND, "dnd", "До обеда", until, "dnd")
    assert (row.shown, row.sessions, row.contact) == ("Не беспокоить — До обеда", 1, f"ivanov@{DOMAIN}")
    assert rig.administration.status("ivanov") == row
    assert [one.id for one in rig.administration.statuses()] == rig.ids()
    assert rig.world.stream.shown("petrov@example.test/pc") == {"ivanov": "dnd"}


async def test_rows_of_a_silent_and_of_an_unreachable_employee() -> None:
    rig = Rig()
    rig.world.attendance.panel("petrov@example.test/panel", "petrov", Mode.SOFTPHONE, Phone.OFFLINE, None)
    silent, unreachable = rig.administration.status("ivanov"), rig.administration.status("petrov")
    assert (silent.show, silent.shown, silent.chosen, silent.phone) == ("", "", "online", "unknown")
    assert (unreachable.show, unreachable.shown) == ("unavailable", "Телефон отключён, чат работает")


@pytest.mark.parametrize(
    ("one", "value", "code", "hint"),
    [
        ("nobody", "busy", "item-not-found", "see: panel-presence employees list"),
        ("ivanov", "on holiday", "bad-request", "or a preset: На обеде"),
        ("ivanov", "offline", "not-allowed", None),
    ],
)
async def test_a_refused_status_says_why(one: str, value: str, code: str, hint: str | None) -> None:
    rig = Rig()
    error = await refused(lambda: rig.administration.set_status(one, value, text=None, until=None))
    assert (error.code, error.hint) == (code, hint)
    assert rig.world.company.state("ivanov").choice is None


async def test_blocks_are_made_listed_and_ended() -> None:
    rig = Rig()
    row = await rig.administration.block("ivanov", "sidorov")
    assert (row.employee, row.name, row.blocked, row.blocked_name) == ("ivanov", "Ivanov", "sidorov", "Sidorov")
    assert rig.administration.blocks() == [row]
    await rig.load(ALL.replace("sidorov@", "sidorov.s@"))
    assert rig.administration.blocks() == [row], "an import keeps the blocks"
    assert not rig.world.company.directory.may_see("ivanov", "sidorov")
    assert await rig.administration.unblock("ivanov", "sidorov") == row
    assert rig.administration.blocks() == []


async def test_an_import_that_makes_blocked_ones_colleagues_shows_neither_to_the_other() -> None:
    rig = Rig()
    await rig.administration.block("ivanov", "sidorov")
    await rig.load(HEAD + line("ivanov", "a") + line("petrov", "a") + line("sidorov", "a"))
    assert rig.world.company.roster("ivanov").pending == frozenset()
    assert rig.world.company.roster("sidorov").pending == {"petrov"}


@pytest.mark.parametrize(
    ("call", "one", "other", "code", "hint"),
    [
        ("block", "nobody", "ivanov", "item-not-found", "see: panel-presence employees list"),
        ("block", "ivanov", "nobody", "item-not-found", "see: panel-presence employees list"),
        ("block", "ivanov", "ivanov", "bad-request", None),
        ("unblock", "ivanov", "nobody", "item-not-found", "see: panel-presence employees list"),
        ("unblock", "ivanov", "petrov", "item-not-found", "see: panel-presence blocks"),
    ],
)
async def test_a_refused_block_says_why(call: str, one: str, other: str, code: str, hint: str | None) -> None:
    rig = Rig()
    error = await refused(lambda: getattr(rig.administration, call)(one, other))
    assert (error.code, error.hint) == (code, hint)
    assert rig.administration.blocks() == []


async def health(rig: Rig) -> dict[str, bool | None]:
    return {check.name: check.ok for check in await rig.administration.health()}


async def test_health_of_a_component_that_is_well() -> None:
    rig = Rig()
    rig.world.client("ivanov")
    lines = await rig.administration.health()
    assert [one for one in lines if one.ok is False] == []
    assert next(one for one in lines if one.name == "watchers").text == "1 sessions online"


@pytest.mark.parametrize(
    ("reason", "ok"), [("handshake: no privilege works", None), (HANDSHAKE_CONFIGURED, True), ("it works", True)]
)
async def test_health_warns_of_rosters_that_nobody_fills_unless_that_is_configured(
    reason: str, ok: bool | None
) -> None:
    rig = Rig()
    rig.found = (rig.way if reason == "it works" else None, reason)
    assert await rig.provisioning.way() is rig.found[0]
    assert (await health(rig))["rosters"] is ok


async def test_health_names_what_is_broken_and_what_to_do() -> None:
    rig = Rig(empty=True)
    rig.world.stream.up = False
    rig.world.store.failing = "the disk is full"
    rig.provisioning.problems["ghost"] = "ghost@example.test does not exist"
    lines = await rig.administration.health()
    assert await health(rig) | {"rosters": None} == {
        "link": False,
        "store": False,
        "rosters": None,
        "accounts": None,
        "directory": None,
        "watchers": True,
    }
    assert all(one.hint for one in lines if one.name in ("link", "accounts", "directory"))
    assert next(one for one in lines if one.name == "store").text == "the disk is full"
