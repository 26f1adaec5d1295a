"""`why`: from the facts to what one colleague sees, with the reason wherever the chain ends early."""

from datetime import timedelta

import pytest

from component.core.facts import Mode, Phone
from component.core.roster import Roster, RosterItem
from component.services.company import Settings
from component.services.explaining import Explaining
from component.services.operations import OperationError
from component.services.ports import RosterWay
from component.services.provisioning import Provisioning
from component.services.why import ChoiceFact, ItemFact, ReportFact, SessionFact, Shown, Watchers, Why
from tests.unit.fakes import DOMAIN, START, FakeWay, World, employee

PBX = "pbx.example.test"
PANEL = "ivanov@example.test/panel"
IVANOV = f"ivanov@{DOMAIN}"


class Rig:
    """Ivanov and petrov share a group, sidorov is in another one; all rosters are kept."""

    def __init__(self) -> None:
        people = (employee("ivanov", ("a", "b")), employee("petrov", ("a",)), employee("sidorov", ("c",)))
        self.world = World(*people, settings=Settings(DOMAIN, visibility="groups"))
        self.way = FakeWay(self.world.store.log)
        domain = RosterItem(DOMAIN, subscription="from")
        self.way.rosters["petrov@example.test"] = {DOMAIN: domain, IVANOV: RosterItem(IVANOV, "Ваня", ("a",))}
        self.found: RosterWay | None = self.way
        world = self.world
        self.worker = Provisioning(
            world.company, world.publisher, world.store, self._choose, self._pause, lambda _: None
        )
        self.explaining = Explaining(world.company, world.publisher, self.worker, world.stream, world.clock)
        for one in people:
            world.publisher.refresh(one.id)

    async def _choose(self) -> tuple[RosterWay | None, str]:
        return self.found, "handshake: it is configured"

    async def _pause(self, took: float) -> None:
        pass

    async def why(self, viewer: str | None = None) -> Why:
        return await self.explaining.why("ivanov", viewer)

    async def answer(self, viewer: str | None = None) -> str:
        return (await self.why(viewer)).answer


async def test_one_of_whom_nothing_is_known() -> None:
    why = await Rig().why()
    assert why.answer == (
        "whoever watches sees ivanov as available, because no panel was ever launched and no status ever set (R1)"
    )
    assert (why.facts.launched_at, why.facts.sessions, why.facts.report, why.facts.choice) == (None, (), None, None)
    assert (why.facts.was_activity, why.facts.last_activity) == (False, None)
    assert (why.decision.rule, why.decision.phone, why.facts.mode) == ("R1", "unknown", "deskphone")
    assert why.presence == Shown("available", "", {}, None)
    assert (why.told.up_to_date, why.told.at, why.viewer) == (True, START, None)


async def test_all_facts_are_named() -> None:
    rig = Rig()
    rig.world.attendance.panel(PANEL, "ivanov", Mode.SOFTPHONE, None, START)
    rig.world.client("ivanov")
    rig.world.attendance.phone(PBX, "ivanov", Phone.OFFLINE)
    await rig.world.choices.choose("ivanov", "busy", "На совещании", START + timedelta(hours=2), PANEL)
    rig.world.clock.pass_by(hours=1)
    why = await rig.why()
    assert why.facts.sessions == (
        SessionFact(PANEL, True, "softphone", "unknown", START),
        SessionFact("ivanov@example.test/pc", False, None, None, START),
    )
    assert why.facts.report == ReportFact(PBX, "offline", START, START + timedelta(hours=24), True)
    assert why.facts.choice == ChoiceFact("busy", "На совещании", START, START + timedelta(hours=2), True)
    assert (why.facts.mode, why.facts.launched_at, why.facts.last_activity) == ("softphone", START, START)
    assert why.facts.was_activity
    assert (why.decision.status, why.decision.rule, why.decision.hidden) == ("offline", "R2", "busy")
    assert list(why.decision.rules) == ["R2", "R6", "R8"]
    assert why.presence.texts["ru"] == "Телефон отключён, чат работает — На совещании"
    assert why.answer == (
        "whoever watches sees ivanov as unavailable, «Телефон отключён, чат работает — На совещании», "
        f"because the PBX {PBX} reports the phone as offline (R2)"
    )
    rig.world.clock.pass_by(hours=24)
    why = await rig.why()
    assert (why.facts.report and why.facts.report.in_force, why.facts.choice and why.facts.choice.in_force) == (
        False,
        False,
    )
    assert (why.decision.status, why.presence.show, why.presence.idle_since) == ("was-here", "xa", START)


async def test_a_colleague_who_sees_him() -> None:
    rig = Rig()
    rig.world.client("petrov")
    rig.world.client("petrov", "phone")
    why = await rig.why("petrov")
    assert why.viewer
    assert why.answer.startswith("petrov sees ivanov as available, because")
    assert (why.viewer.may_see, why.viewer.visibility) == (True, "they share a")
    assert why.viewer.sessions == ("petrov@example.test/pc", "petrov@example.test/phone")
    assert (why.viewer.item, why.viewer.domain_item) == (ItemFact(True, "Ваня", ("a",), "to", ""), "from")
    assert why.watchers == Watchers(may_see=1, subscribed=1, online=1, sessions=2)


async def test_one_who_is_not_online() -> None:
    assert "petrov is not online; at his login he is shown ivanov as available" in await Rig().answer("petrov")


async def test_a_change_that_is_held_back_is_said_to_be() -> None:
    rig = Rig()
    rig.world.client("petrov")
    rig.world.attendance.panel(PANEL, "ivanov", Mode.SOFTPHONE, Phone.ONLINE, None)
    rig.world.clock.pass_by(seconds=5)
    await rig.world.choices.choose("ivanov", "busy", None, None, None)
    await rig.world.choices.choose("ivanov", "dnd", None, None, None)
    why = await rig.why("petrov")
    assert (why.told.up_to_date, why.told.presence and why.told.presence.texts["ru"]) == (False, "Занят")
    assert why.answer == (
        "petrov still sees ivanov as dnd, «Занят»: a newer presence is held back for a moment: a contact is told at "
        "most once a second"
    )
    rig.world.clock.pass_by(seconds=1)
    assert "petrov sees ivanov as dnd, «Не беспокоить», because dnd was chosen" in await rig.answer("petrov")


async def test_a_change_that_waits_for_the_store_is_said_to_do_so() -> None:
    rig = Rig()
    rig.world.publisher.proven(rig.world.publisher.writes)
    rig.world.clock.pass_by(seconds=5)
    rig.world.store.holds = True
    await rig.world.choices.choose("ivanov", "dnd", None, None, None)
    assert "a newer presence is about to be sent" in await rig.answer()


async def test_a_link_that_is_down() -> None:
    rig = Rig()
    rig.world.stream.up, rig.world.stream.problem = False, "connection refused"
    assert await rig.answer() == (
        "whoever watches still sees ivanov as available: the link is down (connection refused): nobody is told "
        "anything until it is back"
    )
    told = (await rig.why()).told
    assert (told.up_to_date, told.at) == (False, START)


async def test_right_after_the_start_it_is_not_known_what_watchers_hold() -> None:
    rig = Rig()
    world = World(employee("ivanov"))
    explaining = Explaining(world.company, world.publisher, rig.worker, world.stream, world.clock)
    why = await explaining.why("ivanov", None)
    assert why.answer == (
        "what whoever watches sees of ivanov is not known: what watchers hold is just being compared, after a handshake"
    )


@pytest.mark.parametrize(("viewer", "words"), [("sidorov", "they share no group"), ("ivanov", "nobody has a contact")])
async def test_one_who_may_not_see_him(viewer: str, words: str) -> None:
    why = await Rig().why(viewer)
    assert why.answer.startswith(f"{viewer} sees nothing of ivanov: {words}")
    assert why.viewer
    assert (why.viewer.may_see, why.viewer.subscribed) == (False, False)


@pytest.mark.parametrize(("who", "whom"), [("petrov", "ivanov"), ("ivanov", "petrov")])
async def test_a_block_hides_both_and_is_named(who: str, whom: str) -> None:
    rig = Rig()
    rig.world.company.set_block(who, whom)
    assert (await rig.answer("petrov")).startswith(f"petrov sees nothing of ivanov: {who} blocks {whom}")


async def test_everyone_sees_everyone() -> None:
    rig = Rig()
    world = World(employee("ivanov"), employee("petrov"))
    explaining = Explaining(world.company, world.publisher, rig.worker, world.stream, world.clock)
    viewer = (await explaining.why("ivanov", "petrov")).viewer
    assert viewer
    assert viewer.visibility == "everyone sees everyone (company.visibility)"


@pytest.mark.parametrize(
    ("roster", "subscribed", "words"),
    [
        (Roster(provisioned=True, domain_item=True), True, "the component keeps the contact"),
        (Roster(provisioned=True, pending=frozenset({"ivanov"})), False, "pending: the item is still to be set"),
        (Roster(), False, "he has not added the contact"),
    ],
)
async def test_the_state_of_a_subscription(roster: Roster, subscribed: bool, words: str) -> None:
    rig = Rig()
    rig.world.set_roster("petrov", roster)
    why = await rig.why("petrov")
    assert why.viewer
    assert (why.viewer.subscribed, why.viewer.known_sessions) == (subscribed, roster.domain_item)
    assert words in why.viewer.subscription
    assert subscribed or words in why.answer


async def test_a_contact_deleted_or_added_by_hand() -> None:
    rig = Rig()
    rig.world.subscriptions.received("unsubscribe", "petrov@example.test", "ivanov")
    assert await rig.answer("petrov") == (
        "petrov sees nothing of ivanov: he deleted the contact by hand (rosters sync --restore petrov brings it back)"
    )
    rig.world.company.set_exception("petrov", "ivanov", "approved")
    viewer = (await rig.why("petrov")).viewer
    assert viewer
    assert (viewer.subscribed, viewer.subscription) == (True, "he added the contact by hand and was approved")


async def test_an_account_that_is_missing() -> None:
    rig = Rig()
    rig.way.missing.add("petrov@example.test")
    rig.worker.problems["petrov"] = "petrov@example.test does not exist"
    viewer = (await rig.why("petrov")).viewer
    assert viewer
    assert (viewer.subscription, viewer.item.found) == ("petrov@example.test does not exist", None)


async def test_a_roster_that_has_drifted() -> None:
    rig = Rig()
    rig.world.client("petrov")
    rig.way.rosters["petrov@example.test"][IVANOV] = RosterItem(IVANOV, subscription="none")
    viewer = (await rig.why("petrov")).viewer
    assert viewer
    assert (viewer.item.found, viewer.item.subscription) == (True, "none")
    assert "rosters sync repairs" in await rig.answer("petrov")
    rig.way.rosters["petrov@example.test"].clear()
    why = await rig.why("petrov")
    assert "petrov sees nothing of ivanov: the contact is not in his roster" in why.answer
    assert why.viewer
    assert why.viewer.domain_item == "none"


async def test_rosters_that_cannot_be_read_end_nothing() -> None:
    rig = Rig()
    rig.world.client("petrov")
    rig.way.calls_until_broken = 0
    why = await rig.why("petrov")
    assert why.viewer
    assert (why.viewer.item, why.viewer.domain_item) == (ItemFact(None, "", (), "", "the API is down"), None)
    assert "petrov sees ivanov as available" in why.answer
    rig = Rig()
    rig.found = None
    why = await rig.why("petrov")
    assert why.viewer
    assert why.viewer.item.note == "rosters cannot be read here (handshake: it is configured)"


async def test_unknown_employees_are_named() -> None:
    rig = Rig()
    for employee_id, viewer in (("nobody", None), ("ivanov", "nobody"), ("nobody", "petrov")):
        with pytest.raises(OperationError, match="no employee 'nobody'"):
            await rig.explaining.why(employee_id, viewer)


async def test_nothing_is_changed_by_asking() -> None:
    rig = Rig()
    rig.world.stream.presences.clear()
    before = (dict(rig.world.store.states), dict(rig.world.store.rosters), dict(rig.world.store.told))
    await rig.why("petrov")
    assert (rig.world.store.states, rig.world.store.rosters, rig.world.store.told) == before
    assert (rig.world.stream.presences, rig.world.stream.other) == ([], [])
