"""The rosters by XEP-0356 on a real Prosody, and why not on an ejabberd."""

import asyncio
import re
import statistics
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from component.panel_client.stanzas import RosterItem as PushedItem
from tests.integration.office import PASSWORD, PEOPLE, Office, Person, sees
from tests.integration.wire import PING, Wire
from tests.servers.ejabberd import Ejabberd
from tests.servers.prosody import Prosody
from tests.servers.server import RosterItem

DOMAIN = Prosody.component_domain
DOMAIN_ITEM = RosterItem(DOMAIN, "Статусы телефонии", "from", "none", ("Телефония",))
OFFICE = {name: Person(one.name, "Офис") for name, one in PEOPLE.items()}
FILLED = ("petrov",)
"""Whose rosters of 200 contacts are filled for the figures."""
CROWD = {f"w{number}-": Person(f"Сотрудник {number}", "Цех") for number in range(60)}


@pytest.fixture(scope="module")
async def prosody(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prosody]:
    server = Prosody(tmp_path_factory.mktemp("prosody"))
    await server.start()
    yield server
    await server.stop()


class Narrow(Prosody):
    """The same server, but it lets the component only read rosters."""

    def _write_config(self) -> None:
        super()._write_config()
        fragment = self.folder / "panel-presence.cfg.lua"
        text, count = re.subn('roster = "both"', 'roster = "get"', fragment.read_text())
        assert count == 1
        fragment.write_text(text)


OpenHere = Callable[..., Office]


@pytest.fixture
async def office_of(prosody: Prosody, tmp_path: Path) -> AsyncIterator[OpenHere]:
    """Makes offices beside the Prosody (not yet open), and closes them after the test."""
    offices: list[Office] = []

    def make(people: dict[str, Person], **rosters: str) -> Office:
        offices.append(Office(prosody, tmp_path / f"office{len(offices)}", people, {"rosters": rosters}))
        return offices[-1]

    yield make
    for office in offices:
        await office.close()


async def stored(office: Office, name: str) -> dict[str, RosterItem]:
    """What the server has of an employee's roster, by JID."""
    return {item.jid: item for item in await office.server.roster(office.id(name))}


def item(office: Office, name: str) -> RosterItem:
    """The contact's item as it should be stored."""
    one = office.people[name]
    return RosterItem(office.contact(name), one.name, "to", "none", (one.groups,))


def named(jid: str) -> Callable[[PushedItem], bool]:
    """Fits the push of an item with a name."""
    return lambda one: one.jid == jid and bool(one.name)


async def test_items_appear_live_and_are_what_they_should_be(office_of: OpenHere) -> None:
    office = office_of(OFFICE)
    await office.register(*office.people)
    await office.component.start()
    petrov = await office.client("petrov")
    await office.server.set_roster_item(office.id("petrov"), "colleague@example.test", "Коллега")
    await office.import_directory()
    for wanted in (DOMAIN_ITEM, item(office, "ivanov"), item(office, "sidorov")):
        pushed = await petrov.next_roster_push(named(wanted.jid))
        assert (pushed.name, pushed.subscription, pushed.groups) == (wanted.name, wanted.subscription, wanted.groups)
    await sees(petrov, office.contact("ivanov"), show="")
    await office.rosters_ready()
    assert await office.component.wait_log(
        f"rosters: privilege: an item was set in the roster of {office.account('ivanov')} and read back"
    )
    for viewer in office.people:
        roster = await stored(office, viewer)
        roster.pop("colleague@example.test", None)
        others = [item(office, name) for name in office.people if name != viewer]
        assert list(roster.values()) == sorted([DOMAIN_ITEM, *others], key=lambda one: one.jid)
    panel = await office.panel("ivanov")
    await panel.set_status("dnd")
    await sees(petrov, office.contact("ivanov"), show="dnd")


async def test_what_was_deleted_by_hand_stays_so_and_what_left_the_directory_goes(office_of: OpenHere) -> None:
    office = office_of({**OFFICE, "orlov": Person("Орлов Олег", "Офис")})
    await office.open()
    petrov = await office.client("petrov")
    await sees(petrov, office.contact("ivanov"))
    await petrov.remove_roster_item(office.contact("ivanov"))  # while the component runs
    await petrov.next_roster_push(lambda one: one.subscription == "remove")
    await petrov.status()
    await office.component.stop()
    await petrov.remove_roster_item(office.contact("sidorov"))  # while it does not
    await petrov.next_roster_push(lambda one: one.subscription == "remove")
    begin = len(office.component.lines)
    await office.component.start()
    await office.rosters_ready(begin)
    assert set(await stored(office, "petrov")) == {DOMAIN, office.contact("orlov")}

    begin = len(office.component.lines)
    del office.people["orlov"]
    await office.import_directory()
    pushed = await petrov.next_roster_push(lambda one: one.jid == office.contact("orlov"))
    assert pushed.subscription == "remove"
    await office.rosters_ready(begin)
    assert await stored(office, "orlov") == {}
    assert set(await stored(office, "petrov")) == {DOMAIN}
    assert set(await stored(office, "ivanov")) == {DOMAIN, office.contact("petrov"), office.contact("sidorov")}


@pytest.mark.parametrize("who", ["component", "server"])
async def test_what_breaks_in_the_middle_goes_on(office_of: OpenHere, prosody: Prosody, who: str) -> None:
    office = office_of({**OFFICE, **CROWD}, method="privilege")
    await office.register("petrov", "sidorov")
    await office.component.start()
    await office.import_directory()
    begin = len(office.component.lines)
    async with asyncio.timeout(20):
        while len(await stored(office, "petrov")) < 10:
            pass
    if who == "component":
        await office.component.kill()
        assert len(await stored(office, "petrov")) < len(office.people)
        await office.component.start()
    else:
        await prosody.kill()
        await office.component.wait_log("the connection ended", begin=begin)
        await prosody.start()
    await office.component.wait_log("rosters: all are as they should be", begin=begin, within=40)
    wanted = {DOMAIN} | {office.contact(name) for name in office.people if name not in ("petrov", "sidorov")}
    assert set(await stored(office, "petrov")) == wanted | {office.contact("sidorov")}
    assert set(await stored(office, "sidorov")) == wanted | {office.contact("petrov")}


async def test_a_wiped_roster_is_filled_again(office_of: OpenHere) -> None:
    office = office_of(OFFICE)
    await office.open()
    for jid in await stored(office, "ivanov"):  # the first employee's: the one that is proven with
        await office.server.delete_roster_item(office.id("ivanov"), jid)
    begin = len(office.component.lines)
    await office.component.restart()
    await office.rosters_ready(begin)
    assert set(await stored(office, "ivanov")) == {DOMAIN, office.contact("petrov"), office.contact("sidorov")}


async def test_check_says_which_way_and_why(office_of: OpenHere) -> None:
    office = office_of(OFFICE)
    await office.open()
    why = f"an item was set in the roster of {office.account('ivanov')} and read back"
    assert f"✓ rosters: privilege: {why}" in await office.component.cli("check")
    await office.component.stop()
    before = {name: await stored(office, name) for name in office.people}
    assert f"✓ rosters: privilege: {why}" in await office.component.cli("check", expect=None)
    assert {name: await stored(office, name) for name in office.people} == before


@pytest.mark.parametrize("method", ["auto", "privilege"])
async def test_it_is_chosen_again_when_the_server_grants_something_else(
    office_of: OpenHere, prosody: Prosody, method: str
) -> None:
    office = office_of(OFFICE, method=method)
    await office.open()
    refused = r'grants roster = "get", "both" is needed; on Prosody'
    begin = len(office.component.lines)
    await prosody.stop()
    narrow = Narrow(prosody.folder, prosody.ports)
    narrow.secret = prosody.secret
    try:
        await narrow.start()
        await office.component.wait_log(f"rosters: .*{refused}", begin=begin)
        told = await office.component.cli("check", expect=None)
        assert re.search(f"rosters: .*{refused}", told), told
    finally:
        await narrow.stop()
        begin = len(office.component.lines)
        await prosody.start()
    await office.component.wait_log("rosters: privilege: ", begin=begin)


async def test_an_ejabberd_that_does_not_obey_is_found_out(tmp_path: Path) -> None:
    """23.01 grants version 1 and fails at the set; later ones ignore the subscription."""
    server = Ejabberd(tmp_path / "server")
    await server.start()
    office = Office(server, tmp_path / "office", OFFICE, {"rosters": {"method": "privilege"}})
    try:
        config = server.folder / "ejabberd.yml"
        text = config.read_text()
        assert text.count("\nmodules:\n") == 1
        rights = "  mod_privilege:\n    roster:\n      both: panel_component\n"
        acl = "\nacl:\n  panel:\n    server: panel.example.test\n"
        rules = f"{acl}access_rules:\n  panel_component:\n    allow: panel\n"
        config.write_text(text.replace("\nmodules:\n", f"{rules}\nmodules:\n{rights}"))
        await server.api("reload_config")
        await office.register(*OFFICE)
        await office.component.start()
        await office.import_directory()
        line = await office.component.wait_log('rosters: rosters.method = "privilege" does not work: the server .* ')
        assert re.search("does not write the roster of .*: internal-server-error|newer ejabberds", line), line
        assert await stored(office, "ivanov") == {}
    finally:
        await office.close()
        await server.stop()


async def test_a_roster_of_200_is_filled_and_the_server_answers_meanwhile(
    office_of: OpenHere, prosody: Prosody, capsys: pytest.CaptureFixture[str]
) -> None:
    crowd = {f"w{number}-": Person(f"Сотрудник {number}", "Цех") for number in range(198)}
    office = office_of({**OFFICE, **crowd})
    await prosody.register({"outsider" + office.id(""): PASSWORD})
    await office.register(*FILLED)
    await office.component.start()
    wire = await Wire.open(office, "outsider")
    begin, started, cpu = len(office.component.lines), time.monotonic(), prosody.cpu_seconds()
    await office.import_directory()
    done = asyncio.create_task(office.component.wait_log("all are as they should be", begin=begin, within=100))
    pings: list[float] = []
    while not done.done():
        asked = time.monotonic()
        await wire.iq(PING, to=prosody.domain, kind="get")
        pings.append(time.monotonic() - asked)
        await asyncio.sleep(0.02)
    await done
    took, cpu = time.monotonic() - started, prosody.cpu_seconds() - cpu
    assert [len(await stored(office, name)) for name in FILLED] == [201] * len(FILLED)
    milliseconds = sorted(1000 * one for one in pings)
    with capsys.disabled():
        print(
            f"\n{len(FILLED)} rosters of 200 contacts: {took:.1f} s, Prosody's CPU {cpu:.1f} s; "
            f"{len(pings)} pings meanwhile: median {statistics.median(milliseconds):.1f} ms, "
            f"99 % {milliseconds[len(pings) * 99 // 100]:.1f} ms, longest {milliseconds[-1]:.1f} ms"
        )
