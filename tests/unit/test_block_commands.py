"""The commands "block" and "unblock": an employee's own list, and nothing of anybody else's."""

from dataclasses import replace
from xml.etree.ElementTree import Element

import pytest

from component.xmpp.block_commands import MAX_OPTIONS
from component.xmpp.namespaces import COMMANDS, DATA, PANEL, tag
from tests.unit.fakes import DOMAIN, employee
from tests.unit.stanza_rig import StanzaRig, error_of


@pytest.fixture
def rig() -> StanzaRig:
    return StanzaRig()


def command(node: str, colleague: str | None = None, **attributes: str) -> str:
    given = "".join(f" {name}='{value}'" for name, value in attributes.items())
    field = f"<field var='colleague'><value>{colleague}</value></field>"
    inner = "" if colleague is None else f"<x xmlns='{DATA}' type='submit'>{field}</x>"
    return f"<command xmlns='{COMMANDS}' node='{node}'{given}>{inner}</command>"


def note(answer: Element) -> str:
    assert answer.get("status") == "completed"
    return answer.findtext(tag(COMMANDS, "note")) or ""


def options(answer: Element) -> dict[str, str]:
    assert answer.get("status") == "executing"
    return {one.findtext(tag(DATA, "value")) or "": one.get("label", "") for one in answer.iter(tag(DATA, "option"))}


async def test_a_colleague_is_picked_from_those_whom_one_sees(rig: StanzaRig) -> None:
    asked = await rig.answered(command("block"), kind="set")
    assert options(asked) == {"ivanov": "Иванов Иван", "o'neil": "Oneil"}
    done = await rig.answered(command("block", "ivanov", sessionid=asked.get("sessionid", "")), kind="set")
    assert note(done) == "Заблокировано: Иванов Иван"
    assert rig.store.blocks == {("petrov", "ivanov")}
    assert options(await rig.answered(command("block"), kind="set")) == {"o'neil": "Oneil"}
    statuses = await rig.answered(f"<statuses xmlns='{PANEL}'/>")
    assert [one.get("id") for one in statuses.iterfind(tag(PANEL, "employee"))] == ["o'neil"]


async def test_the_block_is_ended_by_the_one_who_made_it(rig: StanzaRig) -> None:
    assert note(await rig.answered(command("unblock"), kind="set")) == "Вы никого не блокируете"
    await rig.answered(command("block", f"ivanov@{DOMAIN}"), kind="set")
    assert options(await rig.answered(command("unblock"), kind="set")) == {"ivanov": "Иванов Иван"}
    just = await rig.asks(command("unblock", "ivanov"), kind="set")
    assert error_of(just)[:2] == ("wait", "resource-constraint")
    rig.clock.pass_by(seconds=2)
    assert note(await rig.answered(command("unblock", "ivanov"), kind="set")) == "Разблокировано: Иванов Иван"
    assert rig.store.blocks == set()


async def test_the_blocked_one_is_not_told_and_finds_a_stranger() -> None:
    rig = StanzaRig(blocks=frozenset({("ivanov", "petrov")}))
    assert note(await rig.answered(command("unblock"), kind="set")) == "Вы никого не блокируете"
    assert options(await rig.answered(command("block"), kind="set")) == {"o'neil": "Oneil"}
    for node in ("block", "unblock"):
        answers = set()
        for one in ("ivanov", "hidden", "nobody"):
            for address in (one, f"{one}@{DOMAIN}"):
                kind, condition, text = error_of(await rig.asks(command(node, address), kind="set"))
                answers.add((kind, condition, text.replace(address, "X")))
        assert answers == {("cancel", "item-not-found", "Нет сотрудника «X»")}


async def test_bad_blocks(rig: StanzaRig) -> None:
    for node, colleague, expected in (
        ("block", "petrov", ("modify", "bad-request", "Заблокировать самого себя нельзя")),
        ("block", "", ("cancel", "item-not-found", "Нет сотрудника «»")),
        ("unblock", "ivanov", ("cancel", "item-not-found", "«ivanov» не заблокирован")),
    ):
        assert error_of(await rig.asks(command(node, colleague), kind="set")) == expected
    stranger = await rig.asks(command("block", "ivanov"), kind="set", sender="stranger@example.test/x")
    assert error_of(stranger)[:2] == ("auth", "forbidden")
    assert rig.store.blocks == set()


async def test_cancelled_it_changes_nothing(rig: StanzaRig) -> None:
    assert (await rig.answered(command("block", "ivanov", action="cancel"), kind="set")).get("status") == "canceled"
    assert rig.store.blocks == set()


async def test_who_sees_nobody_can_block_nobody(rig: StanzaRig) -> None:
    answer = await rig.answered(command("block"), kind="set", sender="hidden@example.test/x")
    assert note(answer) == "Вы никого не видите, блокировать некого"


async def test_in_a_big_company_the_address_is_asked_for(rig: StanzaRig) -> None:
    many = [employee(f"e{number}", ("a",)) for number in range(MAX_OPTIONS)]
    petrov = replace(rig.company.directory.employees["petrov"], language="en")
    rig.company.set_directory((*rig.company.directory.employees.values(), *many, petrov))
    asked = await rig.answered(command("block"), kind="set")
    (field,) = asked.iter(tag(DATA, "field"))
    assert (field.get("type"), field.get("label")) == ("text-single", f"The colleague's address, like ivanov@{DOMAIN}")
    assert note(await rig.answered(command("block", f"e7@{DOMAIN}"), kind="set")) == "Blocked: E7"
