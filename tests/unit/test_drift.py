"""What a plan changes, in words: every kind of drift has its own."""

import pytest

from component.core.drift import KINDS, Change, changes
from component.core.roster import Plan, RosterItem

DOMAIN = "panel.example.test"
IVANOV = RosterItem(f"ivanov@{DOMAIN}", "Иванов Иван", ("Продажи", "Совет"))
NAMED = f"ivanov@{DOMAIN} ('Иванов Иван' in Продажи, Совет)"


def of(item: RosterItem, *actual: RosterItem) -> Change:
    (change,) = changes(Plan((item,)), {one.jid: one for one in actual}, DOMAIN)
    return change


@pytest.mark.parametrize(
    ("item", "actual", "kind", "text"),
    [
        (IVANOV, None, "missing", f"{NAMED} is missing"),
        (
            IVANOV,
            RosterItem(IVANOV.jid, subscription="none"),
            "subscription",
            f"{NAMED} has subscription 'none' instead of 'to'",
        ),
        (IVANOV, RosterItem(IVANOV.jid, "Ваня"), "renamed", f"ivanov@{DOMAIN} ('Ваня') is now {NAMED}"),
        (RosterItem(DOMAIN, subscription="from"), None, "domain-item", f"{DOMAIN} is missing"),
        (
            RosterItem(DOMAIN, subscription="from"),
            RosterItem(DOMAIN, subscription="none"),
            "domain-item",
            f"{DOMAIN} has subscription 'none' instead of 'from'",
        ),
    ],
)
def test_an_item_to_set(item: RosterItem, actual: RosterItem | None, kind: str, text: str) -> None:
    change = of(item, *([actual] if actual else []))
    assert (change.kind, change.jid, change.text) == (kind, item.jid, text)
    assert change.kind in KINDS


def test_surplus_items_come_first() -> None:
    gone = RosterItem(f"gone@{DOMAIN}", groups=("Склад",))
    assert changes(Plan((IVANOV,), (gone.jid,)), {gone.jid: gone}, DOMAIN) == (
        Change("surplus", gone.jid, f"gone@{DOMAIN} (in Склад) is surplus"),
        Change("missing", IVANOV.jid, f"{NAMED} is missing"),
    )


def test_a_plan_without_changes_has_none() -> None:
    assert changes(Plan(deleted_by_hand=frozenset({"ivanov"})), {}, DOMAIN) == ()
