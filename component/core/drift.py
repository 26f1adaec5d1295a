"""Rosters: what a plan changes, and why each change is due, for people to read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from component.core.roster import Plan, RosterItem

Kind = Literal["domain-item", "missing", "subscription", "renamed", "surplus"]
"""The component's own item is not as it must be; a contact's item is missing, has a wrong subscription, or has not
followed the directory yet; an item of ours is there that nobody is owed."""
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a roster: the item's JID, why it is due, and in words what is wrong."""

    kind: Kind
    jid: str
    text: str


def changes(to_do: Plan, actual: Mapping[str, RosterItem], domain: str) -> tuple[Change, ...]:
    """Return a plan's changes in the order in which they are made: surplus items go first."""
    removed = [Change("surplus", jid, f"{_named(actual[jid])} is surplus") for jid in to_do.remove]
    return (*removed, *(_setting(item, actual.get(item.jid), domain) for item in to_do.set))


def _setting(item: RosterItem, was: RosterItem | None, domain: str) -> Change:
    name = _named(item)
    if was is None:
        return Change("domain-item" if item.jid == domain else "missing", item.jid, f"{name} is missing")
    if was.subscription != item.subscription:
        text = f"{name} has subscription '{was.subscription}' instead of '{item.subscription}'"
        return Change("domain-item" if item.jid == domain else "subscription", item.jid, text)
    return Change("renamed", item.jid, f"{_named(was)} is now {name}")


def _named(item: RosterItem) -> str:
    words = [f"'{item.name}'"] if item.name else []
    words += [f"in {', '.join(item.groups)}"] if item.groups else []
    return f"{item.jid} ({' '.join(words)})" if words else item.jid
