"""What colleagues see, from a watching client's side: every row of the table, every rule."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from component.panel_client import Event, PanelClient, PanelError, Seen
from tests.integration.office import Office, Person, sees
from tests.servers.server import Server

OFFLINE = "Телефон отключён, чат работает"
SOFT = ("never", "online", "busy", "dnd", "away", "gone", "offline", "until", "two")
DESK = ("desk", "closed", "client", "burst")
# A group for each with the watcher: nobody else sees him, which keeps the rosters small.
PEOPLE = {
    "petrov": Person("Петров Пётр", ";".join(SOFT + DESK), mode="deskphone"),
    **{name: Person(name.title(), name, mode="softphone") for name in SOFT},
    **{name: Person(name.title(), name, mode="deskphone") for name in DESK},
}


@pytest.fixture(scope="module")
async def office(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A watching colleague; each test has an employee of its own."""
    office = Office(server, tmp_path_factory.mktemp("presence"), PEOPLE, {"company": {"visibility": "groups"}})
    await office.open()
    yield office
    await office.close()


@pytest.fixture(scope="module")
async def petrov(office: Office) -> PanelClient:
    """The watching colleague."""
    return await office.client("petrov")


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def payload(seen: Seen) -> Mapping[str, str]:
    assert seen.panel is not None
    return seen.panel


async def test_r1_never_launched_is_online(office: Office, petrov: PanelClient) -> None:
    seen = await sees(petrov, office.contact("never"), show="", status="", idle_since=None)
    assert payload(seen) == {"status": "online", "phone": "unknown"}
    assert seen.priority == 0
    assert seen.caps is not None


async def test_online_shows_the_text_alone(office: Office, petrov: PanelClient) -> None:
    panel = await office.panel("online")
    await sees(petrov, office.contact("online"), show="", status="")
    await panel.set_status("online", "Работаю из дома")
    seen = await sees(petrov, office.contact("online"), show="", status="Работаю из дома")
    assert seen.statuses == (("ru", "Работаю из дома"),)
    assert payload(seen)["phone"] == "online"


async def test_busy_and_r6_the_text_beside_it(office: Office, petrov: PanelClient) -> None:
    panel = await office.panel("busy")
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    answer = await panel.set_status("busy", "На совещании", until)
    assert (answer.value, answer.chosen, answer.text, answer.until) == ("busy", "busy", "На совещании", until)
    seen = await sees(petrov, office.contact("busy"), show="dnd")
    assert seen.statuses == (("ru", "Занят — На совещании"), ("en", "Busy — На совещании"))
    assert payload(seen)["status"] == "busy"
    assert payload(seen)["until"] == stamp(until)


async def test_dnd_without_and_with_a_text(office: Office, petrov: PanelClient) -> None:
    panel = await office.panel("dnd")
    await panel.set_status("dnd")
    seen = await sees(petrov, office.contact("dnd"), show="dnd")
    assert seen.statuses == (("ru", "Не беспокоить"), ("en", "Do not disturb"))
    await panel.set_status("dnd", "отчёт")
    await sees(petrov, office.contact("dnd"), show="dnd", status="Не беспокоить — отчёт")


async def test_r3_r4_idle_away_xa_activity_back(office: Office, petrov: PanelClient) -> None:
    panel, contact = await office.panel("away"), office.contact("away")
    await panel.set_status("busy", "квартальный отчёт")
    await sees(petrov, contact, show="dnd")
    since = ago(minutes=15, seconds=-1.5).replace(microsecond=0)
    await panel.idle(since)  # was-here comes by time alone, a moment later
    seen = await sees(petrov, contact, show="away")
    local = since + timedelta(hours=3)
    assert seen.status == f"Был(а) на месте {local:%d.%m} в {local:%H:%M} — квартальный отчёт"
    assert seen.statuses[1][0] == "en"
    assert seen.idle_since == since
    assert seen.caps is not None
    assert payload(seen)["since"] == stamp(since)
    assert seen.last_seconds is not None
    assert 899 <= seen.last_seconds <= 905
    assert payload(seen)["status"] == "was-here"
    await panel.idle(ago(minutes=61))
    await sees(petrov, contact, show="xa")
    await panel.active()
    await sees(petrov, contact, show="dnd", status="Занят — квартальный отчёт", idle_since=None)


async def test_r2_r8_offline_when_the_softphone_closes(office: Office, petrov: PanelClient) -> None:
    panel, contact = await office.panel("gone"), office.contact("gone")
    await panel.set_status("busy", "обед")
    await sees(petrov, contact, show="dnd")
    panel.kill()
    seen = await sees(petrov, contact, type="unavailable", show="", status=f"{OFFLINE} — обед", idle_since=None)
    assert payload(seen)["status"] == "offline"
    again = await office.panel("gone")
    await sees(petrov, contact, show="dnd", status="Занят — обед")
    await again.close()
    await sees(petrov, contact, type="unavailable")
    late = await office.client("petrov", "late")
    answered = await sees(late, contact, type="unavailable", status=f"{OFFLINE} — обед")
    assert answered.delay is not None, "a probe's answer says since when"
    assert stamp(answered.delay) == payload(answered)["since"]
    assert answered.caps is None
    await late.close()


async def test_r7_offline_can_be_chosen_in_softphone_mode_only(office: Office, petrov: PanelClient) -> None:
    desk, soft = await office.panel("desk", "deskphone"), await office.panel("offline")
    await sees(petrov, office.contact("desk"), show="")
    await sees(petrov, office.contact("offline"), show="")
    with pytest.raises(PanelError) as refused:
        await desk.set_status("offline")
    assert (refused.value.type, refused.value.condition) == ("cancel", "not-allowed")
    assert (await desk.status()).value == "online"
    assert (await soft.set_status("offline", "перезвоню")).value == "offline"
    seen = await sees(petrov, office.contact("offline"), type="unavailable", status=f"{OFFLINE} — перезвоню")
    assert payload(seen)["phone"] == "online"
    await soft.launch("deskphone")  # a chosen offline has no force without a softphone
    await sees(petrov, office.contact("offline"), show="", status="перезвоню")


async def test_a_choice_with_an_end_falls_back_to_online(office: Office, petrov: PanelClient) -> None:
    panel = await office.panel("until")
    await panel.set_status("dnd", "до конца", datetime.now(UTC) + timedelta(seconds=2.5))
    await sees(petrov, office.contact("until"), show="dnd", status="Не беспокоить — до конца")
    await sees(petrov, office.contact("until"), show="", status="")
    assert (await panel.status()).chosen == "online"


async def test_r3_a_deskphones_panel_that_closes_leaves_was_here(office: Office, petrov: PanelClient) -> None:
    panel, contact = await office.panel("closed", "deskphone", phone=None), office.contact("closed")
    await panel.set_status("busy", "до завтра")
    await sees(petrov, contact, show="dnd")
    await panel.close()
    seen = await sees(petrov, contact, show="away")
    assert seen.status.startswith("Был(а) на месте ")
    assert seen.status.endswith(" — до завтра")
    assert seen.idle_since is not None
    assert ago(seconds=30) < seen.idle_since <= ago()


async def test_an_ordinary_clients_session_is_activity_but_launches_nothing(
    office: Office, petrov: PanelClient
) -> None:
    contact = office.contact("client")
    await sees(petrov, contact, show="")
    client = await office.client("client", "gajim")
    await client.send_presence("away", "обед", idle=ago(hours=2))
    assert (await client.status()).value == "online", "R1: not launched, not was-here"
    panel = await office.panel("client", "deskphone", phone=None)
    await panel.idle(ago(hours=2))
    await sees(petrov, contact, show="xa")
    await client.send_presence()
    await sees(petrov, contact, show="", idle_since=None)
    await client.send_presence("xa", "обед", idle=ago(minutes=90))
    seen = await sees(petrov, contact, show="xa")
    assert "обед" not in seen.status, "a session's own text is not the custom text"
    assert seen.last_seconds is not None
    assert 5395 <= seen.last_seconds <= 5410
    await office.client("client", "profanity")  # a login is an instant of activity
    await sees(petrov, contact, show="", idle_since=None)


async def test_a_burst_is_coalesced_and_the_last_wins(office: Office, petrov: PanelClient) -> None:
    client, contact = await office.client("burst"), office.contact("burst")
    await sees(petrov, contact, show="")
    told: list[tuple[str, float]] = []
    loop = asyncio.get_running_loop()

    def note(event: Event) -> None:
        if isinstance(event, Seen) and event.jid.partition("/")[0] == contact:
            told.append((event.status, loop.time()))

    petrov.on_event = note
    for number in range(20):
        await client.set_status("busy", f"№{number}")
    await sees(petrov, contact, status="Занят — №19")
    await petrov.status()  # nothing is still on its way
    petrov.on_event = None
    assert [told[0][0], told[-1][0]] == ["Занят — №0", "Занят — №19"], "the first at once, the last wins"
    gaps = [later - earlier for (_, earlier), (_, later) in pairwise(told)]
    assert all(gap > 0.8 for gap in gaps), f"at most one a second: {told}"


async def test_two_panels_one_phone(office: Office, petrov: PanelClient) -> None:
    contact = office.contact("two")
    one = await office.panel("two", phone="offline")
    await sees(petrov, contact, type="unavailable")
    other = await office.panel("two", phone="online", resource="second")
    await sees(petrov, contact, show="")
    await other.close()
    await sees(petrov, contact, type="unavailable")
    await one.report_phone("online")
    await sees(petrov, contact, show="")


async def test_nobody_sees_himself(office: Office, petrov: PanelClient) -> None:
    assert office.contact("petrov") not in petrov.roster
    assert office.contact("never") in petrov.roster
    assert petrov.roster[office.contact("never")].subscription == "to"
    assert petrov.roster[office.server.component_domain].subscription == "from"
