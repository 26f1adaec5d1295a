"""`panel-presence why`."""

import json
from dataclasses import replace
from pathlib import Path

from component.services.why import ItemFact, Shown, ToldFact
from tests.unit.cli.conftest import Invoke
from tests.unit.fake_operations import WHY, FakeOperations


async def test_why_shows_the_whole_chain(invoke: Invoke, socket: Path, config: Path) -> None:
    result = await invoke("why", "ivanov", "--for", "petrov", "-c", config)
    assert result.exit_code == 0
    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        "petrov still sees ivanov as available: a newer presence is held back",
        "",
        "facts of Иван Иванов (ivanov)",
        "  launched    2026-11-24 21:05:00",
        "  activity    last at 2026-11-24 21:05:00",
        "  phone mode  softphone",
        "  panel       ivanov@example.test/panel: softphone, phone online, active",
        "  client      ivanov@example.test/pc: idle since 2026-11-24 21:05:00",
        "  PBX         phone offline, by pbx.example.test at 2026-11-24 20:00:00, expired",
        "  choice      busy «[red]На совещании», at 2026-11-24 21:05:00, until 2026-11-24 21:05:00: it is over",
        "",
        "rule R3",
        "  because  every session has been idle for 15 minutes or longer, since 2026-11-24 21:05:00",
        "  R3       launched and inactive",
        "  R6       the custom text",
        "  covered  busy, which was chosen, is covered for now",
        "",
        "presence of ivanov@panel.example.test",
        "  status      was-here, until 2026-11-24 21:05:00; phone online",
        "  type        available",
        "  show        away",
        "  text (ru)   Был(а) на месте",
        "  text (en)   Was here",
        "  idle since  2026-11-24 21:05:00",
        "",
        "told",
        "  state      a newer presence is held back",
        "  last told  2026-11-24 21:05:00",
        "  they hold  unavailable; Нет",
        "  may see    5 employees, of whom 4 are subscribed",
        "  online     3 of them with 6 sessions",
        "",
        "for Пётр Петров (petrov)",
        "  may see       yes: they share Продажи",
        "  subscribed    yes: the component keeps the contact in his roster",
        "  sessions      petrov@example.test/pc, petrov@example.test/phone",
        "  told          at 2026-11-24 21:05:00; a session that came online later, at its login",
        "  roster item   'Иван', in Продажи, Офис, subscription to",
        "  our own item  subscription from: the server tells the component his sessions by it",
    ]


async def test_why_of_one_of_whom_little_is_known(invoke: Invoke, operations: FakeOperations, socket: Path) -> None:
    viewer, decision = WHY.viewer, WHY.decision
    assert viewer
    absent = ItemFact(False, "", (), "none", "the contact is not in his roster")
    account = (viewer.account,)
    operations.why_answer = replace(
        WHY,
        facts=replace(
            WHY.facts, launched_at=None, was_activity=False, last_activity=None, sessions=(), report=None, choice=None
        ),
        decision=replace(decision, since=None, until=None, hidden=None),
        presence=Shown("available", "", {}, None),
        told=ToldFact("everyone has been told", True, None, None),
        viewer=replace(
            viewer,
            may_see=False,
            subscribed=False,
            known_sessions=False,
            sessions=account,
            item=absent,
            domain_item="none",
        ),
    )
    lines = (await invoke("why", "ivanov", "--for", "petrov", "--socket", socket)).stdout
    for text in (
        "launched    never",
        "activity    none so far",
        "sessions    none is connected",
        "PBX         no PBX has reported the phone",
        "choice      no status was chosen",
        "because  every session has been idle for 15 minutes or longer\n",
        "show    none",
        "may see       no: they share",
        "subscribed    no: the component",
        "not known: the server does not tell them; presence goes to petrov@example.test",
        "roster item   the contact is not in his roster",
        "our own item  subscription none: it has drifted",
    ):
        assert text in "\n".join(line.rstrip() for line in lines.splitlines()) + "\n", text
    assert "covered" not in lines
    assert "last told" not in lines


async def test_why_as_json(invoke: Invoke, socket: Path) -> None:
    shown = json.loads((await invoke("why", "ivanov", "--json", "--socket", socket)).stdout)
    assert (shown["viewer"], shown["decision"]["rule"], shown["decision"]["since"]) == (
        None,
        "R3",
        "2026-11-24T11:05:00Z",
    )
    assert shown["facts"]["sessions"][0]["jid"] == "ivanov@example.test/panel"
