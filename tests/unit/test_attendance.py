"""Who is there, and what is certain after a handshake."""

import asyncio
import gc
from datetime import timedelta

from component.core.facts import Mode, Phone
from component.core.roster import Roster
from component.services.company import Settings
from tests.unit.fakes import DOMAIN, KEPT, World, employee

PANEL, PBX = "ivanov@example.test/panel", "pbx@example.test/1"


async def settled() -> None:
    """Let the tasks that wait for nothing come to their ends."""
    for _ in range(10):
        await asyncio.sleep(0)


def office(roster: Roster | None = None) -> World:
    settings = Settings(DOMAIN, pbx_jids=frozenset({"pbx@example.test"}), session_grace=timedelta(seconds=30))
    people = (employee("ivanov"), employee("petrov"))
    world = World(*people, settings=settings) if roster is None else World(*people, settings=settings, roster=roster)
    world.attendance.panel(PANEL, "ivanov", Mode.SOFTPHONE, Phone.ONLINE, None)
    world.clock.pass_by(seconds=2)
    return world


def status(world: World, one: str = "ivanov") -> str:
    return str(world.company.status(one, world.clock.now).status)


async def test_after_a_handshake_everybody_is_asked_and_stored_sessions_hold() -> None:
    world = office()
    world.attendance.resync()
    await settled()
    assert ("announce", "", PANEL) in world.stream.other
    assert ("probe", "", "petrov@example.test") in world.stream.other
    world.clock.pass_by(seconds=29)
    assert status(world) == "online"
    world.clock.pass_by(seconds=2)
    assert status(world) == "offline"
    world.attendance.stop()


async def test_a_panel_that_announces_itself_stays() -> None:
    world = office()
    world.attendance.resync()
    world.attendance.panel(PANEL, "ivanov", Mode.SOFTPHONE, Phone.ONLINE, None)
    world.clock.pass_by(minutes=2)
    assert status(world) == "online"
    world.attendance.stop()


async def test_a_ping_error_ends_a_session_at_once() -> None:
    world = office()
    world.stream.pings[PANEL] = "error"
    world.attendance.resync()
    await settled()
    assert status(world) == "offline"
    world.attendance.stop()


async def test_a_replay_by_the_server_proves_the_session_but_not_its_panel() -> None:
    world = office()
    world.attendance.resync()
    world.attendance.client(PANEL, "ivanov", None, away=False, stamp=world.clock.now)
    world.clock.pass_by(seconds=31)
    assert status(world) == "offline"
    assert PANEL in world.company.sessions, "it goes on as an ordinary client"
    world.attendance.stop()


async def test_a_session_found_after_a_handshake_is_presented_everything() -> None:
    world = office()
    world.attendance.resync()
    world.stream.presences.clear()
    world.attendance.client("petrov@example.test/new", "petrov", None, away=False, stamp=world.clock.now)
    assert world.stream.shown("petrov@example.test/new") == {"ivanov": "online"}
    assert ("announce", "", "petrov@example.test/new") in world.stream.other, "it may be a panel"
    world.stream.presences.clear()
    world.client("petrov", "login")  # its server probes by itself
    assert world.stream.shown("petrov@example.test/login") == {}
    world.attendance.stop()


async def test_accounts_whose_presence_is_unknown_are_presented_their_contacts() -> None:
    world = office(Roster())
    world.company.set_exception("petrov", "ivanov", "approved")
    world.stream.presences.clear()
    world.attendance.resync()
    await settled()
    assert world.stream.shown("petrov@example.test") == {"ivanov": "online"}
    world.attendance.stop()


def test_a_pbx_that_is_available_is_believed_until_it_goes() -> None:
    world = office()
    world.attendance.pbx_here(PBX)
    world.attendance.phone(PBX, "ivanov", Phone.OFFLINE)
    world.clock.pass_by(days=3)
    assert status(world) == "offline"
    world.attendance.gone(PBX)
    assert status(world) == "online"


def test_a_pbx_without_presence_is_believed_for_its_time() -> None:
    world = office()
    world.attendance.phone(PBX, "ivanov", Phone.OFFLINE)
    world.clock.pass_by(hours=23)
    assert status(world) == "offline"
    world.clock.pass_by(hours=2)
    assert status(world) == "online"


def test_a_pbx_that_shows_itself_later_is_believed_on() -> None:
    world = office()
    world.attendance.phone(PBX, "ivanov", Phone.OFFLINE)
    world.attendance.pbx_here(PBX)
    world.clock.pass_by(days=3)
    assert status(world) == "offline"


async def test_a_pbx_that_does_not_come_back_after_a_handshake_is_no_longer_believed() -> None:
    world = office()
    world.attendance.pbx_here(PBX)
    world.attendance.phone(PBX, "ivanov", Phone.OFFLINE)
    world.attendance.resync()
    world.attendance.panel(PANEL, "ivanov", Mode.SOFTPHONE, Phone.ONLINE, None)
    world.clock.pass_by(seconds=31)
    assert status(world) == "online"
    world.attendance.stop()


async def test_a_stop_right_after_a_handshake_leaves_nothing_behind() -> None:
    world, failures = office(), list[str]()
    world.stream.hung.add(PANEL)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["message"]))
    try:
        world.attendance.resync()
        await asyncio.sleep(0)
        world.attendance.stop()
        await settled()
        gc.collect()
    finally:
        asyncio.get_running_loop().set_exception_handler(None)
    assert failures == []
    assert [task for task in asyncio.all_tasks() if "_end_unless_alive" in repr(task)] == []


def test_a_message_is_activity() -> None:
    world = office()
    world.attendance.gone(PANEL)
    chat = world.client("ivanov", "chat")
    world.attendance.panel("ivanov@example.test/desk", "ivanov", Mode.DESKPHONE, None, world.clock.now)
    world.clock.pass_by(minutes=20)
    assert status(world) == "was-here"
    world.attendance.acted(chat, "ivanov")
    assert status(world) == "online"


async def test_a_session_that_refused_presences_is_forgotten_with_its_end_and_by_a_handshake() -> None:
    world = office()
    first, second = world.client("petrov", "first"), world.client("petrov", "second")
    for session in (first, second, "petrov@example.test/never"):
        world.attendance.refuses(session)
    assert world.company.deaf == {first, second}
    world.attendance.gone(first)
    assert world.company.deaf == {second}
    assert list(world.company.watchers("ivanov")) == []
    world.attendance.resync()
    assert list(world.company.watchers("ivanov")) == [second]
    world.attendance.stop()


def test_where_presences_go_to_the_account_one_session_cannot_be_left_out() -> None:
    world = office(Roster())
    world.company.set_exception("petrov", "ivanov", "approved")
    session = world.client("petrov")
    world.attendance.refuses(session)
    world.stream.presences.clear()
    assert list(world.company.watchers("ivanov")) == ["petrov@example.test"]
    world.attendance.hears(session)
    assert world.stream.presences == []
    assert world.company.deaf == set()


def test_with_the_account_or_the_employee_goes_what_its_sessions_refused() -> None:
    for forget in ("account", "employee"):
        world = office()
        world.attendance.refuses(world.client("petrov"))
        if forget == "account":
            world.company.forget_account("petrov")
        else:
            world.company.set_directory((employee("ivanov"),))
        assert world.company.deaf == set()


async def test_a_session_whose_replay_came_too_late_is_told_what_it_missed() -> None:
    world = office()
    watcher = world.client("petrov")
    since = world.clock.now
    world.clock.pass_by(hours=1)
    world.catch_up.linked_at = world.clock.now
    world.attendance.resync()
    await settled()
    world.clock.pass_by(seconds=31)  # the server was slow: the session counts as gone
    assert list(world.company.watchers("ivanov")) == []
    world.attendance.panel(PANEL, "ivanov", Mode.SOFTPHONE, Phone.ONLINE, None)
    world.stream.presences.clear()
    world.attendance.client(watcher, "petrov", None, away=False, stamp=since)
    assert world.stream.shown(watcher) == {"ivanov": "online"}
    world.attendance.stop()


async def test_a_session_that_was_found_and_forgotten_is_presented_everything_when_it_is_found_again() -> None:
    world = office()
    world.attendance.resync()
    watcher, ivanov, petrov = "petrov@example.test/pc", employee("ivanov"), employee("petrov")
    world.attendance.client(watcher, "petrov", None, away=False, stamp=world.clock.now)
    world.company.set_directory((ivanov,))
    world.company.set_directory((ivanov, petrov))
    world.set_roster("petrov", KEPT)
    world.clock.pass_by(seconds=11)
    world.stream.presences.clear()
    world.attendance.client(watcher, "petrov", None, away=False, stamp=world.clock.now)
    assert world.stream.shown(watcher) == {"ivanov": "online"}
    world.attendance.stop()


def test_a_session_that_refuses_and_comes_back_again_and_again_is_told_all_at_measured_intervals() -> None:
    world = office()
    watcher, other = world.client("petrov"), world.client("petrov", "other")
    world.stream.presences.clear()
    for _ in range(100):
        for session in (watcher, other):
            world.attendance.refuses(session)
            world.attendance.hears(session)
    assert [to for local, _, to in world.stream.presences if to] == [(watcher,), (other,)]
    world.attendance.gone(other)
    world.clock.pass_by(seconds=30)
    assert [to for local, _, to in world.stream.presences if to] == [(watcher,), (other,), (watcher,)]


def test_one_who_comes_and_goes_by_directed_presence_is_told_all_at_measured_intervals() -> None:
    world = office()
    world.stream.presences.clear()
    for _ in range(50):
        session = "petrov@example.test/pc"
        world.attendance.client(session, "petrov", None, away=False, stamp=world.clock.now)
        world.attendance.gone(session)
    assert [to for local, _, to in world.stream.presences if local == "ivanov"] == [("petrov@example.test/pc",)]
