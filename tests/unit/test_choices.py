"""Statuses chosen by any road: checked, shown at once, stored before the answer."""

from datetime import timedelta

import pytest

from component.core.errors import Refusal
from component.core.facts import Mode, Phone, Status
from component.services.company import Settings
from tests.unit.fakes import DOMAIN, World, employee

PANEL = "ivanov@example.test/panel"


def office() -> World:
    settings = Settings(DOMAIN, presets=(("На обеде", "busy"), ("Работаю из дома", "online")))
    world = World(employee("ivanov"), employee("petrov"), settings=settings)
    world.client("ivanov")
    world.client("petrov")
    world.clock.pass_by(seconds=2)
    return world


async def test_a_choice_is_shown_and_stored_and_the_status_in_force_returned() -> None:
    world = office()
    until = world.clock.now + timedelta(hours=1)
    status = await world.choices.choose("ivanov", "dnd", " На\tсовещании ", until, None)
    assert (status.status, status.text, status.until, status.since) == (
        Status.DND,
        "На совещании",
        until,
        world.clock.now,
    )
    assert world.stream.shown("petrov@example.test/pc") == {"ivanov": "dnd"}
    assert world.store.states["ivanov"] == world.company.state("ivanov")
    assert world.store.log == ["committed"]


@pytest.mark.parametrize(
    ("value", "text", "status", "shown"),
    [
        ("На обеде", None, Status.BUSY, "На обеде"),
        ("На обеде", "  ", Status.BUSY, "На обеде"),
        ("На обеде", "the form showed this", Status.BUSY, "На обеде"),
        ("Работаю из дома", None, Status.ONLINE, "Работаю из дома"),
        ("busy", None, Status.BUSY, None),
    ],
)
async def test_a_preset_brings_its_status_and_its_text(
    value: str, text: str | None, status: Status, shown: str | None
) -> None:
    chosen = await office().choices.choose("ivanov", value, text, None, None)
    assert (chosen.status, chosen.text) == (status, shown)


@pytest.mark.parametrize(
    ("value", "text", "hours", "condition", "key"),
    [
        ("was-here", None, None, "bad-request", "unknown-status"),
        ("", None, None, "bad-request", "unknown-status"),
        ("На обед", None, None, "bad-request", "unknown-status"),
        ("busy", "x" * 301, None, "not-acceptable", "text-too-long"),
        ("busy", "\u202etxet", None, "not-acceptable", "text-control"),
        ("busy", None, 0, "bad-request", "bad-until"),
        ("busy", None, 401 * 24, "bad-request", "bad-until"),
        ("offline", None, None, "not-allowed", "offline-needs-softphone"),
    ],
)
async def test_what_a_rule_refuses_changes_nothing(
    value: str, text: str | None, hours: int | None, condition: str, key: str
) -> None:
    world = office()
    before, sent = world.company.state("ivanov"), len(world.stream.presences)
    until = None if hours is None else world.clock.now + timedelta(hours=hours)
    with pytest.raises(Refusal) as refusal:
        await world.choices.choose("ivanov", value, text, until, None)
    assert (refusal.value.condition, refusal.value.key) == (condition, key)
    assert world.company.state("ivanov") == before
    assert len(world.stream.presences) == sent
    assert world.store.log == []


async def test_offline_can_be_chosen_in_a_softphones_session() -> None:
    world = office()
    world.attendance.panel(PANEL, "ivanov", Mode.SOFTPHONE, Phone.ONLINE, None)
    status = await world.choices.choose("ivanov", "offline", None, None, PANEL)
    assert (status.status, status.phone) == (Status.OFFLINE, Phone.ONLINE)


async def test_the_status_in_force_may_be_another_one_than_the_chosen() -> None:
    world = office()
    world.attendance.panel(PANEL, "ivanov", Mode.SOFTPHONE, Phone.OFFLINE, None)
    status = await world.choices.choose("ivanov", "dnd", None, None, PANEL)
    assert status.status == Status.OFFLINE


async def test_a_store_that_fails_is_told_though_the_status_is_shown() -> None:
    world = office()
    world.store.failing = "the disk is full"
    with pytest.raises(Refusal) as refusal:
        await world.choices.choose("ivanov", "busy", None, None, None)
    assert (refusal.value.condition, refusal.value.key) == ("resource-constraint", "not-stored")
    assert world.stream.shown("petrov@example.test/pc") == {"ivanov": "busy"}
    assert world.store.states["ivanov"] == world.company.state("ivanov"), "it is stored as soon as it can be"
