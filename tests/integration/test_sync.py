"""`rosters sync` against the server's real rosters: drift is named, repaired, and never a fight with anybody."""

import asyncio
import json
import sys

import pytest

from component.services.operations import SyncReport
from tests.conftest import OpenOffice
from tests.integration.office import PEOPLE, Office, Person, sees

FULL = ("w1-", "w3-", "w5-")
ROOMS = ";".join(map(str, range(12)))
CROWD = {f"w{number}-": Person(f"Сотрудник {number}", str(number)) for number in range(12)}
CROWD |= {name: Person(f"Сотрудник {name}", ROOMS) for name in FULL}
"""Three who see everybody, whom the others see: rosters that take a while, and little else to fill."""


async def items(office: Office, name: str) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """What an employee's roster holds on the server: subscription, name, groups."""
    roster = await office.server.roster(office.id(name))
    return {item.jid: (item.subscription, item.name, item.groups) for item in roster}


async def survey(office: Office, restore: str | None = None) -> SyncReport:
    """What `rosters sync --dry-run` asks the component."""
    return await office.component.control.survey_rosters(restore=restore, progress=lambda _: None)


async def sync(office: Office) -> SyncReport:
    """What `rosters sync` asks the component."""
    drifted = (await survey(office)).drifted
    return await office.component.control.sync_rosters(drifted, restore=None, yes=False, progress=lambda _: None)


async def empty_roster(office: Office, name: str) -> None:
    """As if an old backup had been restored: without `none` first a server would say that the user unsubscribed."""
    for item in await office.server.roster(office.id(name)):
        await office.server.set_roster_item(office.id(name), item.jid, subscription="none")
        await office.server.delete_roster_item(office.id(name), item.jid)


async def test_drift_is_named_by_a_dry_run_and_repaired_by_a_sync(office: Office) -> None:
    server, petrov = office.server, office.id("petrov")
    ivanov, gone = office.contact("ivanov"), f"gone@{office.server.component_domain}"
    right = {name: await items(office, name) for name in PEOPLE}
    assert (await sync(office)).drifted == {}

    await server.set_roster_item(petrov, ivanov, "Ваня", "from", ["Друзья"])
    await server.set_roster_item(petrov, gone, "Ушёл", "to")
    await server.set_roster_item(petrov, server.component_domain, "", "to")
    await empty_roster(office, "sidorov")
    drifted = {name: await items(office, name) for name in PEOPLE}
    assert drifted["sidorov"] == {}

    said = await office.component.cli("rosters", "sync", "--dry-run", "--json")
    found = json.loads(said[said.index("{") :])
    assert found["drifted"] == {petrov: 3, office.id("sidorov"): 3}
    assert found["kinds"] == {"domain-item": 2, "missing": 2, "subscription": 1, "renamed": 0, "surplus": 1}
    assert 0 < found["server_seconds"] < found["seconds"]
    said = await office.component.cli("rosters", "sync", "--dry-run")
    for text in (
        "3 rosters read, 2 have drifted: 6 items to change",
        f"{petrov}: {ivanov} ('Ваня' in Друзья) has subscription 'from' instead of 'both'",
        f"{petrov}: {gone} ('Ушёл') is surplus",
        "the repair will take about",
    ):
        assert text in said
    assert {name: await items(office, name) for name in PEOPLE} == drifted

    said = await office.component.cli("rosters", "sync")
    assert "put right: 6 items in 2 rosters" in said
    assert "changes made: 6 of 6" in said
    after = {name: await items(office, name) for name in PEOPLE}
    assert after == right | {
        "petrov": right["petrov"]
        | {ivanov: ("both", "Ваня", ("Друзья",))}
        | {server.component_domain: ("both", *right["petrov"][server.component_domain][1:])}
    }
    assert (await sync(office)).drifted == {}
    await office.panel("ivanov")
    await sees(await office.client("petrov"), ivanov, show="")


async def test_a_contact_deleted_by_hand_comes_back_only_when_that_is_asked_for(office: Office) -> None:
    petrov, ivanov = await office.client("petrov"), office.contact("ivanov")
    await sees(petrov, ivanov)
    await petrov.remove_roster_item(ivanov)
    await sees(petrov, ivanov, type="unavailable")
    assert (await sync(office)).drifted == {}
    assert (await survey(office)).deleted_by_hand == 1
    assert (await survey(office, office.id("petrov"))).kinds["missing"] == 1
    assert ivanov not in await items(office, "petrov")
    said = await office.component.cli("rosters", "sync", "--restore", office.id("petrov"))
    assert "put right: 1 items in 1 rosters" in said
    assert (await survey(office)).deleted_by_hand == 0
    assert (await items(office, "petrov"))[ivanov][0] == "to"
    await sees(petrov, ivanov, show="")
    assert "no employee 'nobody'" in await office.component.cli("rosters", "sync", "--restore", "nobody", expect=1)


@pytest.mark.parametrize("what", ["the command is interrupted", "the component crashes"])
async def test_an_interruption_loses_nothing(open_office: OpenOffice, what: str) -> None:
    office = await open_office(CROWD, settings={"company": {"visibility": "groups"}})
    first, by_hand = office.contact("w0-"), office.contact("w7-")
    deleter = await office.client("w1-")
    await sees(deleter, by_hand)
    await deleter.remove_roster_item(by_hand)
    await sees(deleter, by_hand, type="unavailable")
    right = {name: await items(office, name) for name in FULL}
    for name in ("w3-", "w5-"):
        await empty_roster(office, name)

    begin = len(office.component.lines)
    command = ("-m", "component", "rosters", "sync", "-c", str(office.component.config))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        while first not in await items(office, "w3-"):  # noqa: ASYNC110 - only the server knows
            await asyncio.sleep(0.01)
    if what == "the component crashes":
        await office.component.kill()
        _, said = await process.communicate()
        assert b"the component went away" in said
        begin = len(office.component.lines)
        assert len(await items(office, "w3-")) < len(right["w3-"])
        await office.component.start()
    else:
        process.terminate()
        await process.wait()
    await office.rosters_ready(begin)
    assert {name: await items(office, name) for name in right} == right
    assert by_hand not in right["w1-"]
    report = await survey(office)
    assert (report.drifted, report.deleted_by_hand) == ({}, 1)


async def test_a_login_of_which_the_server_does_not_tell_is_no_lasting_lie(office: Office) -> None:
    """Without the domain item ejabberd tells us no session: a probe is the only sign. Prosody tells all the same."""
    domain, ivanov = office.server.component_domain, office.contact("ivanov")
    right, panel = await items(office, "petrov"), await office.panel("ivanov")
    await office.server.set_roster_item(office.id("petrov"), domain, "Статусы телефонии", "none", ["Телефония"])
    assert (await items(office, "petrov"))[domain][0] == "none"
    watcher = await office.client("petrov")
    await sees(watcher, ivanov, show="")
    await panel.set_status("dnd")
    await sees(watcher, ivanov, show="dnd", within=15)
    await sync(office)
    assert await items(office, "petrov") == right


async def test_over_the_handshake_there_is_nothing_to_sync(open_office: OpenOffice) -> None:
    office = await open_office(settings={"rosters": {"method": "handshake"}}, ready=False)
    said = await office.component.cli("rosters", "sync", expect=1)
    assert "nothing can be synced: with the plain subscription handshake" in said
    assert "handshake: it is configured, rosters.method" in said
    assert "panel-presence check" in said
