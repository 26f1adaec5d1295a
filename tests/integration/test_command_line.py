"""The command line against the running component: imports that are refused, and statuses."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.office import PEOPLE, Office, Person, sees
from tests.servers.server import Server

EVERYBODY = {**PEOPLE, **{f"w{number}-": Person(f"Сотрудник {number}") for number in range(6)}}
HEADER = "id,account,name,extension,groups,mode,language,timezone\r\n"


@pytest.fixture(scope="module")
async def office(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """Nine employees with their rosters."""
    office = Office(server, tmp_path_factory.mktemp("cli"), EVERYBODY, {})
    await office.open()
    yield office
    await office.close()


async def facts(office: Office) -> tuple[Any, ...]:
    """The directory, and what the server holds of it in some rosters."""
    directory = await office.component.control.employees()
    return directory, [await office.server.roster(office.id(name)) for name in ("ivanov", "petrov", "w5-")]


async def imports(office: Office, text: str, *options: str, expect: int = 0) -> str:
    """`employees import` of a file with this text; returns what was printed."""
    file = office.component.folder / "employees.csv"
    file.write_text(text, encoding="utf-8", newline="")
    return await office.component.cli("employees", "import", str(file), *options, expect=expect)


async def as_json(office: Office, *command: str) -> Any:
    return json.loads(await office.component.cli(*command, "--json"))


async def test_files_that_are_refused(office: Office) -> None:
    before, good = await facts(office), office.csv()
    ivanov, domain = office.id("ivanov"), office.server.domain
    malformed = HEADER + (
        f"{ivanov},{ivanov}@{domain},Иванов Иван,,,softphone,,\r\n"
        f"x1,x1@{domain},Телефон,,,mobile,,\r\n"
        f"x2,x2@{domain}\r\n"
        f"x3,not a jid,Без адреса,,,,,\r\n"
        f"{ivanov.upper()},x4@{domain},Двойник,,,,,\r\n"
        f"x5,x5@{domain},,,,,,\r\n"
        f"x6,x6@{domain},Язык,,,,klingon,\r\n"
        f"x7,x7@{domain},Пояс,,,,,Mars/Olympus\r\n"
    )
    said = await imports(office, malformed, expect=1)
    assert "the file has bad lines; nothing was applied" in said
    for line, text in ((3, "mobile"), (4, "2 fields"), (5, "not a jid"), (6, ivanov), (7, "name"), (8, "klingon")):
        assert [one for one in said.splitlines() if f"line {line}: " in one and text in one], (line, said)
    assert "line 9: " in said
    assert "line 2: " not in said
    assert await facts(office) == before

    for content, expected in (
        (HEADER, "the file has a header but no employees"),
        (good[: good.rindex("@")], "fields, but the header names 8"),
        (good[:-3] + '"', "not CSV"),
        ("", "the file is empty; its first line must name the columns"),
    ):
        assert expected in await imports(office, content, expect=1)
        assert await facts(office) == before


async def test_removals_need_a_permission_and_a_dry_run_changes_nothing(office: Office) -> None:
    before, lines = await facts(office), office.csv().splitlines(keepends=True)
    few = "".join(lines[:4])
    said = await imports(office, few, expect=1)
    assert "the file would remove 6 of 9 employees; the limit is 5; nothing was applied" in said
    assert "add --allow-removals 6" in said
    assert "limit is 4" in await imports(office, few, "--allow-removals", "4", expect=1)
    said = await imports(office, few, "--allow-removals", "6", "--dry-run")
    assert "dry run, nothing applied: 0 added, 0 changed, 0 moved, 6 removed, 3 unchanged" in said
    stranger = HEADER + "x,x@example.test,Чужой,,,,,\r\n"
    assert "would remove 9 of 9" in await imports(office, stranger, expect=1)
    assert await facts(office) == before

    begin = len(office.component.lines)
    said = await imports(office, few, "--allow-removals", "6")
    assert "imported: 0 added, 0 changed, 0 moved, 6 removed, 3 unchanged" in said
    await office.rosters_ready(begin)
    directory, rosters = await facts(office)
    assert len(directory) == 3
    assert [len(roster) for roster in rosters] == [3, 3, 0]
    begin = len(office.component.lines)
    assert "imported: 6 added, 0 changed, 0 moved, 0 removed, 3 unchanged" in await imports(office, office.csv())
    await office.rosters_ready(begin)
    assert await facts(office) == before


async def test_the_directory_is_listed(office: Office) -> None:
    rows = await as_json(office, "employees", "list")
    assert [row["id"] for row in rows] == sorted(office.id(name) for name in EVERYBODY)
    assert {
        "id": office.id("ivanov"),
        "account": office.account("ivanov"),
        "name": "Иванов Иван",
        "extension": "",
        "groups": [],
        "mode": "softphone",
        "language": None,
        "timezone": None,
    } in rows
    listed = await office.component.cli("employees", "list")
    assert f"{office.id('petrov')}\tПетров Пётр\t{office.account('petrov')}" in listed
    assert "9 employees" in listed


async def test_statuses(office: Office) -> None:
    petrov, contact, me = await office.client("petrov"), office.contact("ivanov"), office.id("ivanov")
    await office.panel("ivanov")
    await sees(petrov, contact, show="")
    row = await as_json(office, "status", "set", me, "busy", "--text", "На совещании", "--until", "+30m")
    seen = await sees(petrov, contact, show="dnd", status="Занят — На совещании")
    assert seen.panel is not None
    assert (row["status"], row["chosen"], row["phone"], row["text"]) == ("busy", "busy", "online", "На совещании")
    assert (row["contact"], row["shown"], row["show"]) == (contact, "Занят — На совещании", "dnd")
    assert row["until"][:19] == seen.panel["until"][:19]

    shown = await office.component.cli("status", "show", me)
    for text in (f"Иванов Иван ({me})", contact, "busy", "На совещании", "Занят — На совещании"):
        assert text in shown
    assert await as_json(office, "status", "show", me) == row
    rows = await as_json(office, "status", "list")
    assert [one["id"] for one in rows] == sorted(office.id(name) for name in EVERYBODY)
    assert row in rows
    assert "На совещании" in await office.component.cli("status", "list")


async def test_statuses_that_are_refused(office: Office) -> None:
    me = office.id("ivanov")
    before = await office.component.control.status(me)
    for command, code, text in (
        (("show", "nobody"), 1, "no employee 'nobody'"),
        (("set", "nobody", "busy"), 1, "see: panel-presence employees list"),
        (("set", me, "lunch"), 1, "unknown status 'lunch'; possible: online, busy, dnd, offline"),
        (("set", me, "dnd", "--text", "x" * 301), 1, "301 characters, 300 are allowed"),
        (("set", me, "dnd", "--until", "+500d"), 1, "more than 400 days ahead"),
        (("set", me, "dnd", "--until", "soonish"), 2, "soonish"),
    ):
        assert text in await office.component.cli("status", *command, expect=code)
    assert await office.component.control.status(me) == before


async def test_without_a_running_component(office: Office) -> None:
    await office.component.stop()
    said = await office.component.cli("status", "list", expect=1)
    assert "the component does not run" in said
    assert "panel-presence run" in said
    await office.component.start()
    assert len(await office.component.control.employees()) == len(EVERYBODY)
