"""The working day, step by step: what somebody does, and what the watching colleague must see."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from dataclasses import field as default
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element, SubElement

from component.panel_client import PanelClient, PanelError, Seen
from scripts.demo.company import PBX, PEOPLE, WATCHER, Demo

OFFLINE = "Телефон отключён, чат работает"
COMMANDS = "http://jabber.org/protocol/commands"
DATA = "jabber:x:data"


class StepFailed(Exception):
    """What was seen is not what should have been."""


@dataclass
class Day:
    """The day's people: the watching colleague's client, all that it was told, and the panels by employee."""

    demo: Demo
    watcher: PanelClient
    told: list[Seen]
    panels: dict[str, PanelClient] = default(default_factory=dict)

    async def sees(self, one: str, **expected: object) -> Seen:
        """Wait until the watcher sees an employee so."""
        return await self.demo.sees(self.watcher, one, **expected)


Step = tuple[str, Callable[[Day], Awaitable[None]]]


def ago(**span: float) -> datetime:
    """An instant in the past."""
    return datetime.now(UTC) - timedelta(**span)


def must(fact: bool, otherwise: str) -> None:
    """Raise StepFailed unless a fact holds."""
    if not fact:
        raise StepFailed(otherwise)


async def nobody_launched(day: Day) -> None:
    for one in PEOPLE:
        if one != WATCHER:
            await day.sees(one, show="")


async def the_panels_are_launched(day: Day) -> None:
    for one in ("ivanov", "kuznetsova", "sidorov", "smirnova"):
        day.panels[one] = await day.demo.panel(one)
        seen = await day.sees(one, show="", status="")
        must((seen.panel or {}).get("phone") == "online", f"the phone is not online: {seen.panel}")


async def ivanov_is_busy(day: Day) -> None:
    await day.panels["ivanov"].set_status("busy", "На совещании", datetime.now(UTC) + timedelta(hours=1))
    seen = await day.sees("ivanov", show="dnd", status="Занят — На совещании")
    must(("en", "Busy — На совещании") in seen.statuses, f"no English status: {seen.statuses}")


async def kuznetsova_is_dnd(day: Day) -> None:
    await day.panels["kuznetsova"].set_status("dnd")
    await day.sees("kuznetsova", show="dnd", status="Не беспокоить")


async def sidorov_goes_for_lunch(day: Day) -> None:
    await day.panels["sidorov"].idle(ago(minutes=20))
    seen = await day.sees("sidorov", show="away")
    must(seen.status.startswith("Был(а) на месте "), f"the text is {seen.status!r}")
    must(seen.idle_since is not None and (seen.last_seconds or 0) >= 1200, f"no idle time: {seen}")


async def sidorov_is_long_away(day: Day) -> None:
    await day.panels["sidorov"].idle(ago(minutes=70))
    await day.sees("sidorov", show="xa")


async def sidorov_is_back(day: Day) -> None:
    await day.panels["sidorov"].active()
    await day.sees("sidorov", show="", idle_since=None)


async def offline_is_refused_at_the_desk(day: Day) -> None:
    try:
        await day.panels["sidorov"].set_status("offline")
    except PanelError as error:
        must(error.condition == "not-allowed", f"refused with {error.condition}")
    else:
        raise StepFailed("offline was not refused in deskphone mode")


async def smirnova_takes_no_calls(day: Day) -> None:
    await day.panels["smirnova"].set_status("offline", "перезвоню")
    await day.sees("smirnova", type="unavailable", status=f"{OFFLINE} — перезвоню")


async def chat_works_all_the_same(day: Day) -> None:
    smirnova = day.panels["smirnova"]
    asked = await day.watcher.send_chat(day.demo.contact("smirnova"), "Ольга, договор готов?")
    got = await smirnova.next_message(lambda message: message.id == asked)
    answered = await smirnova.send_chat(got.sender, "Да, отправила")
    back = await day.watcher.next_message(lambda message: message.id == answered)
    must(back.sender == f"{day.demo.contact('smirnova')}/panel", f"the answer came from {back.sender}")


async def smirnova_takes_calls_again(day: Day) -> None:
    await day.panels["smirnova"].set_status("online")
    await day.sees("smirnova", show="", status="")


async def the_pbx_reports_a_dead_phone(day: Day) -> None:
    pbx = day.panels[PBX] = await day.demo.client(PBX)
    presence = Element("{jabber:client}presence", {"to": day.demo.server.component_domain})
    pbx.send(presence)
    await pbx.report_phone_of("orlov", "offline")
    await day.sees("orlov", type="unavailable", status=OFFLINE)


async def the_pbx_reports_the_phone_again(day: Day) -> None:
    await day.panels[PBX].report_phone_of("orlov", "online")
    await day.sees("orlov", show="")


async def ivanovs_panel_is_killed(day: Day) -> None:
    day.panels["ivanov"].kill()
    await day.sees("ivanov", type="unavailable", status=f"{OFFLINE} — На совещании")


async def a_message_waits_for_ivanov(day: Day) -> None:
    sent = await day.watcher.send_chat(day.demo.contact("ivanov"), "Иван, перезвони")
    panel = day.panels["ivanov"] = await day.demo.panel("ivanov")
    await panel.next_message(lambda message: message.id == sent)
    await day.sees("ivanov", show="dnd", status="Занят — На совещании")


async def kuznetsova_uses_a_command(day: Day) -> None:
    command = Element(f"{{{COMMANDS}}}command", {"node": "set-status", "action": "execute"})
    form = SubElement(command, f"{{{DATA}}}x", {"type": "submit"})
    field = SubElement(form, f"{{{DATA}}}field", {"var": "status"})
    SubElement(field, f"{{{DATA}}}value").text = "На обеде"
    await day.panels["kuznetsova"].request("set", command, day.demo.server.component_domain)
    await day.sees("kuznetsova", show="dnd", status="Занят — На обеде")


async def the_component_restarts(day: Day) -> None:
    before = {one: _believed(day, one) for one in PEOPLE if one != WATCHER}
    flaps: list[str] = []
    count = len(day.told)
    await day.demo.component.restart()
    await day.panels["sidorov"].set_status("busy", "снова работает")
    await day.sees("sidorov", show="dnd", status="Занят — снова работает")
    for seen in day.told[count:]:
        one = seen.jid.partition("@")[0]
        if one in before and one != "sidorov" and before[one] != (seen.type, seen.show, seen.status):
            flaps.append(f"{one}: {before[one]} -> {(seen.type, seen.show, seen.status)}")
    must(not flaps, "flapped: " + "; ".join(flaps))


def _believed(day: Day, one: str) -> tuple[str, str, str]:
    seen = day.watcher.seen(day.demo.contact(one))
    return seen.type, seen.show, seen.status


async def groups_are_kept_apart(day: Day) -> None:
    visible = {row.id for row in await day.panels["ivanov"].statuses()}
    must(visible == {"petrova", "sidorov"}, f"Ivanov of sales sees {sorted(visible)}")


async def evening(day: Day) -> None:
    for one in ("ivanov", "kuznetsova", "smirnova"):
        await day.panels[one].close()
        await day.sees(one, type="unavailable")
    await day.panels["sidorov"].close()
    seen = await day.sees("sidorov", show="away")
    must(seen.status.startswith("Был(а) на месте "), f"the text is {seen.status!r}")


STEPS: tuple[Step, ...] = (
    ("08:55  nobody has launched a panel: everybody is online", nobody_launched),
    ("09:00  four panels are launched, their phones are online", the_panels_are_launched),
    ("09:30  Ivanov is busy until a time: «На совещании»", ivanov_is_busy),
    ("09:40  Kuznetsova does not want to be disturbed", kuznetsova_is_dnd),
    ("12:00  Sidorov has been away for 20 minutes: was here", sidorov_goes_for_lunch),
    ("12:50  Sidorov has been away for over an hour: extended away", sidorov_is_long_away),
    ("13:00  Sidorov moves the mouse: back at once", sidorov_is_back),
    ("13:05  Sidorov has a desk phone: he cannot choose offline", offline_is_refused_at_the_desk),
    ("13:10  Smirnova takes no calls: offline by choice", smirnova_takes_no_calls),
    ("13:11  chat with Smirnova works in both directions", chat_works_all_the_same),
    ("13:30  Smirnova takes calls again", smirnova_takes_calls_again),
    ("14:00  the PBX reports Orlov's phone as offline", the_pbx_reports_a_dead_phone),
    ("14:05  the PBX reports Orlov's phone as online", the_pbx_reports_the_phone_again),
    ("14:30  Ivanov's panel is killed without a goodbye", ivanovs_panel_is_killed),
    ("14:31  a message waits for Ivanov, he is back and his choice holds", a_message_waits_for_ivanov),
    ("15:00  Kuznetsova uses a command instead of a panel: «На обеде»", kuznetsova_uses_a_command),
    ("15:30  the component restarts: nobody flaps, then a change is seen", the_component_restarts),
    ("16:00  sales do not see support", groups_are_kept_apart),
    ("18:00  the panels are closed", evening),
)
