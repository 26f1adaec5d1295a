"""Who logs in later is told exactly what those were told who were there; each time names the employee's own zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.conftest import OpenOffice
from tests.integration.office import PEOPLE, Person, sees

ZONES = {"sidorov": ("Europe/Moscow", "UTC+3"), "orlov": ("Asia/Vladivostok", "UTC+10")}


async def test_a_later_login_is_told_the_same(open_office: OpenOffice) -> None:
    office = await open_office({**PEOPLE, "orlov": Person("Орлов Олег", mode="deskphone", timezone=ZONES["orlov"][0])})
    petrov, since = await office.client("petrov"), datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    busy, soft, desk = await office.panel("ivanov"), await office.panel("sidorov"), await office.panel("orlov")
    answer = await busy.set_status("busy", "на <складе> & дворе", datetime.now(UTC) + timedelta(hours=1))
    await soft.idle(since)
    await desk.launch("deskphone", None)
    await desk.idle(since)
    shows = {"ivanov": "dnd", "sidorov": "xa", "orlov": "xa"}
    told = {name: await sees(petrov, office.contact(name), show=show) for name, show in shows.items()}

    assert told["ivanov"].status == "Занят — на <складе> & дворе"
    assert answer.since is not None
    assert answer.until is not None
    assert told["ivanov"].panel == {
        "status": "busy",
        "phone": "online",  # R5: busy says nothing of the phone
        "since": f"{answer.since:%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{answer.until:%Y-%m-%dT%H:%M:%SZ}",
    }
    for name, (zone, offset) in ZONES.items():
        local = since.astimezone(ZoneInfo(zone))
        assert told[name].status == f"Был(а) на месте {local:%d.%m} в {local:%H:%M} ({offset})"
    assert [(told[name].panel or {})["phone"] for name in ZONES] == ["online", "unknown"]

    later = await office.client("petrov", "later")
    for name, show in shows.items():
        seen, before = await sees(later, office.contact(name), show=show), told[name]
        assert (seen.statuses, seen.panel, seen.caps) == (before.statuses, before.panel, before.caps)
        assert (seen.idle_since, seen.priority, seen.delay) == (before.idle_since, 0, None)
        if before.last_seconds is not None:
            assert seen.last_seconds is not None
            assert before.last_seconds <= seen.last_seconds <= 7260
