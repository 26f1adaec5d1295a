"""Blocks from the employees' side: by a command in any client and by the command line, there and back again."""

import json

from component.panel_client import PanelClient
from tests.conftest import OpenOffice
from tests.integration.office import PEOPLE, Office, sees
from tests.integration.wire import Wire, error_of

COMMANDS = "http://jabber.org/protocol/commands"
GONE = "Больше нет в списке сотрудников"


async def command(wire: Wire, node: str, colleague: str) -> str:
    """Submit the command's form; returns the note of the answer."""
    form = f"<x xmlns='jabber:x:data' type='submit'><field var='colleague'><value>{colleague}</value></field></x>"
    answer = await wire.iq(f"<command xmlns='{COMMANDS}' node='{node}' action='complete'>{form}</command>")
    assert answer.get("type") == "result", error_of(answer)
    return answer.findtext(f".//{{{COMMANDS}}}note", "")


async def roster(office: Office, name: str) -> set[str]:
    items = await office.server.roster(office.id(name))
    return {item.jid.partition("@")[0] for item in items if "@" in item.jid}


async def item_goes(client: PanelClient, jid: str) -> None:
    await client.next_roster_push(lambda item: item.jid == jid and item.subscription == "remove")


async def test_a_block_by_a_command_and_its_end(office: Office) -> None:
    petrov, sidorov = await office.client("petrov"), await office.client("sidorov")
    ivanov = await office.panel("ivanov", "deskphone", phone=None)
    wire = await Wire.open(office, "petrov")
    for client, name in ((ivanov, "petrov"), (petrov, "ivanov"), (sidorov, "ivanov")):
        await sees(client, office.contact(name))
    begin = len(office.component.lines)
    assert await command(wire, "block", office.contact("ivanov")) == "Заблокировано: Иванов Иван"
    await sees(petrov, office.contact("ivanov"), type="unavailable", status=GONE)
    await sees(ivanov, office.contact("petrov"), type="unavailable", status=GONE)
    await item_goes(petrov, office.contact("ivanov"))
    await item_goes(ivanov, office.contact("petrov"))
    await office.rosters_ready(begin)
    assert await roster(office, "petrov") == await roster(office, "ivanov") == {office.id("sidorov")}
    assert await roster(office, "sidorov") == {office.id("ivanov"), office.id("petrov")}
    assert [one.id for one in await ivanov.statuses()] == [office.id("sidorov")]

    # An import and a restart keep the block, and what the others do is told to the others alone.
    await office.import_directory()
    begin = len(office.component.lines)
    await office.component.restart()
    await office.rosters_ready(begin)
    wire = await Wire.open(office, "petrov", "later")
    await ivanov.set_status("busy", "занят")
    await sees(sidorov, office.contact("ivanov"), status="Занят — занят")
    await petrov.status()
    assert petrov.seen(office.contact("ivanov")).type == "unavailable"

    begin = len(office.component.lines)
    assert await command(wire, "unblock", office.contact("ivanov")) == "Разблокировано: Иванов Иван"
    await sees(petrov, office.contact("ivanov"), status="Занят — занят")
    await sees(ivanov, office.contact("petrov"))
    await office.rosters_ready(begin)
    assert await roster(office, "petrov") == {office.id("ivanov"), office.id("sidorov")}


async def test_blocked_ones_cannot_write_to_each_other(office: Office) -> None:
    wires = {name: await Wire.open(office, name) for name in ("ivanov", "petrov")}
    await office.component.control.block(office.id("ivanov"), office.id("petrov"))
    for one, other in (("ivanov", "petrov"), ("petrov", "ivanov")):
        message = f"<message to='{office.contact(other)}' type='chat' id='b1'><body>Ты здесь?</body></message>"
        assert error_of(await wires[one].ask(message)) == ("cancel", "item-not-found", "Такого контакта нет")
    for wire in wires.values():
        await wire.settled()
        assert [one for one in wire.came if one.tag.endswith("}message") and one.get("type") == "chat"] == []


async def test_the_command_line(office: Office) -> None:
    ivanov, petrov = office.id("ivanov"), office.id("petrov")
    client = await office.client("petrov")
    await sees(client, office.contact("ivanov"))
    cli = office.component.cli
    said = await cli("block", ivanov, petrov)
    assert said == f"blocked: Иванов Иван ({ivanov}) blocks Петров Пётр ({petrov})\n"
    await sees(client, office.contact("ivanov"), type="unavailable", status=GONE)
    (row,) = json.loads(await cli("blocks", "--json"))
    assert (row["employee"], row["blocked"]) == (ivanov, petrov)
    for arguments, text in (
        (("block", ivanov, ivanov), "nobody can block himself"),
        (("block", ivanov, "nobody"), "no employee 'nobody'"),
        (("unblock", petrov, ivanov), f"'{ivanov}' is not blocked"),
    ):
        assert text in await cli(*arguments, expect=1)
    assert "no longer blocks" in await cli("unblock", ivanov, petrov)
    await sees(client, office.contact("ivanov"))
    assert await cli("blocks") == "id\tname\tblocks\tblocked name\n0 blocks\n"


async def test_a_subscription_by_hand_ends_and_can_be_made_again_after_the_block(open_office: OpenOffice) -> None:
    office = await open_office(PEOPLE, settings={"rosters": {"method": "handshake"}}, ready=False)
    petrov, contact = await office.client("petrov"), office.contact("ivanov")
    await petrov.subscribe(contact)
    await sees(petrov, contact, type="subscribed")
    await sees(petrov, contact)
    await office.component.control.block(office.id("ivanov"), office.id("petrov"))
    await sees(petrov, contact, type="unsubscribed")
    await petrov.subscribe(contact)
    await sees(petrov, contact, type="unsubscribed")
    await office.component.control.unblock(office.id("ivanov"), office.id("petrov"))
    await petrov.subscribe(contact)
    await sees(petrov, contact, type="subscribed")
    await sees(petrov, contact)
