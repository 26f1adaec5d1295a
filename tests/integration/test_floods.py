"""Floods: whatever one employee's client sends, his colleagues receive a presence a second, and the last one wins."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from component.panel_client import Event, PanelClient, ReceivedMessage, Seen
from tests.integration.office import Office, Person, sees
from tests.integration.wire import PING, Wire, error_of
from tests.servers.server import Server

PANEL = "urn:panel-presence:1"
COMMANDS = "http://jabber.org/protocol/commands"
SECONDS = 3.0
BATCH = 20
PEOPLE = {
    "ivanov": Person("Иванов Иван"),
    "petrov": Person("Петров Пётр", mode="deskphone"),
    "sidorov": Person("Сидоров Сидор", mode="deskphone"),
    "orlov": Person("Орлов Олег", mode="deskphone"),
}
Came = list[tuple[float, Event]]


@pytest.fixture(scope="module")
async def office(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Four colleagues: Ivanov floods, and floods are aimed at Orlov."""
    office = Office(server, tmp_path_factory.mktemp("floods"), PEOPLE, {})
    await office.register("stranger")
    await office.open()
    yield office
    await office.close()
    assert not [line for line in office.component.lines if "could not be" in line or "Traceback" in line]


@pytest.fixture(autouse=True)
async def everybody_goes_home(office: Office) -> AsyncIterator[None]:
    yield
    for client in office.clients:
        await client.close()
    office.clients.clear()


def recorded(client: PanelClient) -> Came:
    """From now on all that the client receives, with the loop's time."""
    came: Came = []
    loop = asyncio.get_running_loop()
    client.on_event = lambda event: came.append((loop.time(), event))
    return came


async def flood(wire: Wire, stanzas: Iterator[str], seconds: float = SECONDS) -> int:
    """Send as much as the component takes in so many seconds; returns how many stanzas it took."""
    end, sent = asyncio.get_running_loop().time() + seconds, 0
    while asyncio.get_running_loop().time() < end:
        wire.write("".join(itertools.islice(stanzas, BATCH)))
        sent += BATCH
        await wire.iq(PING, kind="get")
    return sent


def form(**fields: str) -> str:
    inner = "".join(f"<field var='{name}'><value>{value}</value></field>" for name, value in fields.items())
    return f"<x xmlns='jabber:x:data' type='submit'>{inner}</x>"


def sets(domain: str) -> Iterator[str]:
    for number in itertools.count():
        status = f"<status xmlns='{PANEL}' value='busy'><text>№{number}</text></status>"
        yield f"<iq type='set' to='{domain}' id='s{number}'>{status}</iq>"


def commands(domain: str) -> Iterator[str]:
    for number in itertools.count():
        inner = form(status=("busy", "dnd")[number % 2], text=f"№{number}")
        command = f"<command xmlns='{COMMANDS}' node='set-status' action='complete'>{inner}</command>"
        yield f"<iq type='set' to='{domain}' id='c{number}'>{command}</iq>"


def panels(domain: str) -> Iterator[str]:
    for phone in itertools.cycle(("offline", "online")):
        yield f"<presence to='{domain}'><panel xmlns='{PANEL}' mode='softphone' phone='{phone}'/></presence>"


def idle_toggles(domain: str) -> Iterator[str]:
    panel = f"<panel xmlns='{PANEL}' mode='softphone' phone='online'/>"
    for idle in itertools.cycle(("<idle xmlns='urn:xmpp:idle:1' since='2020-01-01T00:00:00Z'/>", "")):
        yield f"<presence to='{domain}'>{panel}{idle}</presence>"


def comings_and_goings(domain: str) -> Iterator[str]:
    for gone in itertools.cycle((False, True)):
        if gone:
            yield f"<presence to='{domain}' type='unavailable'/>"
        else:
            yield f"<presence to='{domain}'><panel xmlns='{PANEL}' mode='softphone' phone='online'/></presence>"


def everything(domain: str) -> Iterator[str]:
    for together in zip(*(one(domain) for one in (sets, commands, panels, idle_toggles)), strict=True):
        yield from together


def blocks(domain: str) -> Iterator[str]:
    for number in itertools.count():
        node = ("block", "unblock")[number % 2]
        inner = form(colleague="{petrov}")
        command = f"<command xmlns='{COMMANDS}' node='{node}' action='complete'>{inner}</command>"
        yield f"<iq type='set' to='{domain}' id='b{number}'>{command}</iq>"


@pytest.mark.parametrize("road", [sets, commands, panels, idle_toggles, comings_and_goings, everything, blocks])
async def test_colleagues_receive_a_presence_a_second_and_the_last_one_wins(
    office: Office, road: Callable[[str], Iterator[str]]
) -> None:
    petrov, contact = await office.client("petrov"), office.contact("ivanov")
    wire = await Wire.open(office, "ivanov")
    wire.write(f"<presence to='{wire.domain}'><panel xmlns='{PANEL}' mode='softphone' phone='online'/></presence>")
    await wire.iq(f"<status xmlns='{PANEL}' value='online'/>")
    await sees(petrov, contact, show="", status="")
    came, begin = recorded(petrov), asyncio.get_running_loop().time()
    stanzas = (one.replace("{petrov}", office.contact("petrov")) for one in road(wire.domain))
    sent = await flood(wire, stanzas)
    spent = asyncio.get_running_loop().time() - begin

    wire.write(f"<presence to='{wire.domain}'><panel xmlns='{PANEL}' mode='softphone' phone='online'/></presence>")
    if road is blocks:
        async with asyncio.timeout(10):
            while not await unblocked(office, wire):
                await wire.settled()
    await wire.iq(f"<status xmlns='{PANEL}' value='dnd'><text>последний</text></status>")
    await sees(petrov, contact, show="dnd", status="Не беспокоить — последний")
    await petrov.status()
    of_ivanov = [at for at, event in came if isinstance(event, Seen) and event.jid.startswith(contact)]
    span = of_ivanov[-1] - begin
    print(f"{road.__name__}: {sent / spent:.0f}/s sent, {len(of_ivanov)} presences in {span:.2f} s at a colleague's")
    assert len(of_ivanov) <= span + 1
    assert not [event for _, event in came if isinstance(event, ReceivedMessage)]
    assert sent > 10 * len(of_ivanov)
    await wire.close()


async def unblocked(office: Office, wire: Wire) -> bool:
    """Whether Ivanov sees Petrov; if not, he ends his block, which must have lasted for its time."""
    blocked = await office.component.control.blocks()
    if blocked:
        inner = form(colleague=office.contact("petrov"))
        await wire.iq(f"<command xmlns='{COMMANDS}' node='unblock' action='complete'>{inner}</command>")
    return not blocked


async def test_floods_of_probes_and_subscriptions_reach_nobody_else(office: Office) -> None:
    contact = office.contact("orlov")
    orlov, sidorov = await office.client("orlov"), await office.client("sidorov")
    wire, stranger = await Wire.open(office, "petrov"), await Wire.open(office, "stranger")
    await sees(sidorov, contact)
    await sees(orlov, office.contact("sidorov"))
    for client in (orlov, sidorov):
        await client.status()
    at_orlov, at_sidorov = recorded(orlov), recorded(sidorov)

    def probes() -> Iterator[str]:
        return itertools.cycle([f"<presence to='{contact}{resource}' type='probe'/>" for resource in ("", "/panel")])

    def subscriptions() -> Iterator[str]:
        kinds = ("subscribe", "unsubscribe", "subscribed", "unsubscribed")
        return itertools.cycle([f"<presence to='{contact}' type='{kind}'/>" for kind in kinds])

    for who, what in ((wire, probes), (wire, subscriptions), (stranger, probes), (stranger, subscriptions)):
        begin, start = len(who.came), asyncio.get_running_loop().time()
        sent = await flood(who, what(), SECONDS / 2)
        spent = asyncio.get_running_loop().time() - start
        name = "an outsider" if who is stranger else "a colleague"
        print(f"{what.__name__} of {name}: {sent / spent:.0f}/s sent, {len(who.came) - begin} stanzas back to himself")
    for client in (orlov, sidorov):
        await client.status()
    late = office.contact("ivanov")  # the end of an earlier test's session may only now be told
    for came in (at_orlov, at_sidorov):
        assert [event for _, event in came if not (isinstance(event, Seen) and event.jid.startswith(late))] == []
    wire.write(f"<presence to='{contact}' type='subscribe'/>")
    await wire.settled()
    await office.component.control.set_status(office.id("orlov"), "busy", text="потом", until=None)
    await wire.next(lambda one: one.get("from", "").startswith(contact) and "потом" in "".join(one.itertext()))
    await sees(sidorov, contact, status="Занят — потом")
    for session in (wire, stranger):
        await session.close()


async def forged_iq(office: Office, session: Wire) -> None:
    victim = f"{office.account('ivanov')}/pc"
    status = f"<status xmlns='{PANEL}' value='dnd'/>"
    session.write(f"<iq type='set' from='{victim}' to='{session.domain}' id='f1'>{status}</iq>")


async def forged_panel(office: Office, session: Wire) -> None:
    panel = f"<panel xmlns='{PANEL}' mode='softphone' phone='offline'/>"
    session.write(f"<presence from='{office.account('ivanov')}/pc' to='{session.domain}'>{panel}</presence>")


async def to_the_contact(office: Office, session: Wire) -> None:
    for payload in (
        f"<status xmlns='{PANEL}' value='dnd'/>",
        f"<command xmlns='{COMMANDS}' node='set-status' action='complete'>{form(status='dnd')}</command>",
    ):
        assert error_of(await session.iq(payload, office.contact("ivanov")))[1] == "service-unavailable"
    panel = f"<panel xmlns='{PANEL}' mode='softphone' phone='offline'/>"
    session.write(f"<presence to='{office.contact('ivanov')}'>{panel}</presence>")
    session.write(f"<presence to='{office.contact('ivanov')}' type='unavailable'/>")


async def phone_report(office: Office, session: Wire) -> None:
    report = f"<phone xmlns='{PANEL}' employee='{office.id('ivanov')}' state='offline'/>"
    assert error_of(await session.iq(report))[:2] == ("auth", "forbidden")


async def named_in_the_request(office: Office, session: Wire) -> None:
    named = f"employee='{office.id('ivanov')}' value='dnd'"
    assert error_of(await session.iq(f"<status xmlns='{PANEL}' {named}/>"))[:2] == ("modify", "bad-request")
    inner = form(status="online", employee=office.id("ivanov"), jid=office.contact("ivanov"))
    command = f"<command xmlns='{COMMANDS}' node='set-status' sessionid='ivanov' action='complete'>{inner}</command>"
    assert (await session.iq(command)).get("type") == "result"


@pytest.mark.parametrize("road", [forged_iq, forged_panel, to_the_contact, phone_report, named_in_the_request])
async def test_nobody_sets_another_ones_status(office: Office, road: Callable[[Office, Wire], Awaitable[None]]) -> None:
    ivanov = await office.panel("ivanov", resource="pc")
    await ivanov.set_status("busy", "сам")
    before = await office.component.control.status(office.id("ivanov"))
    petrov = await Wire.open(office, "petrov")
    await road(office, petrov)
    # Servers answer a forged `from` by an error or end the stream; the component gets nothing of it.
    other = await Wire.open(office, "petrov", "other")
    await other.settled()
    await ivanov.status()
    assert await office.component.control.status(office.id("ivanov")) == before
    await other.close()
