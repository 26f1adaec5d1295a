"""Rosters: what an employee's roster should hold, against what it holds.

Every employee gets the contacts that he may see, with subscription `to`, and the component's domain with subscription
`from`, by which the server tells us each of his sessions' presence and its end.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from component.core.directory import Directory, Employee

SubscriptionState = Literal["none", "to", "from", "both"]
"""A roster item's subscription (RFC 6121 section 2.1.2.5)."""


@dataclass(frozen=True, slots=True)
class RosterItem:
    """A roster item (RFC 6121 section 2.1.2)."""

    jid: str
    name: str = ""
    groups: tuple[str, ...] = ()
    subscription: SubscriptionState = "to"


@dataclass(frozen=True, slots=True)
class Roster:
    """What is known of one employee's roster, as differences from "an item for every visible contact".

    `provisioned` says that we keep it; `pending` are contacts whose items are still to be set, `removing` those whose
    removal by us was recorded before it was made; `domain_item` says that the server tells us the account's presence,
    `asked_at` when the domain last asked the account for that; `renewed` are contacts whose items are there and may
    still have the name and the groups from before a change of the directory.
    """

    provisioned: bool = False
    pending: frozenset[str] = frozenset()
    removing: frozenset[str] = frozenset()
    domain_item: bool = False
    asked_at: datetime | None = None
    renewed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do to a roster: items to set (the domain's first), JIDs to remove, contacts found deleted by hand."""

    set: tuple[RosterItem, ...] = ()
    remove: tuple[str, ...] = ()
    deleted_by_hand: frozenset[str] = frozenset()


def domain_item(domain: str, name: str, group: str) -> RosterItem:
    """Return the item by which the server tells us an account's presences."""
    return RosterItem(domain, name, (group,), "from")


def plan(
    directory: Directory,
    viewer: Employee,
    roster: Roster,
    deleted: Collection[str],
    actual: Mapping[str, RosterItem],
    domain: str,
    domain_name: str,
    default_group: str,
) -> Plan:
    """Return what turns the actual items on the component's domain into the desired ones.

    `deleted` are the contacts that the employee deleted by hand before: they stay deleted. A kept item that is now
    missing was deleted by hand too, unless there is no item of ours at all (a restored account). An item that is there
    keeps the name and the groups that the employee gave it, until the directory changes the contact (`renewed`).
    """
    contacts = {f"{directory.employees[one].localpart}@{domain}": one for one in directory.visible_to(viewer.id)}
    kept = roster.provisioned and bool(actual)
    by_hand = frozenset(
        contact
        for jid, contact in contacts.items()
        if kept and jid not in actual and contact not in roster.pending and contact not in deleted
    )
    wanted = [domain_item(domain, domain_name, default_group)]
    wanted += [
        _item(directory, viewer, directory.employees[contact], jid, default_group)
        for jid, contact in sorted(contacts.items())
        if contact not in by_hand and contact not in deleted
    ]
    due = [item for item in wanted if _is_due(item, actual.get(item.jid), contacts.get(item.jid), roster)]
    surplus = [
        jid for jid, item in actual.items() if jid != domain and jid not in contacts and item.subscription != "none"
    ]
    to_set = (_adapted(item, actual.get(item.jid), _is_renewed(contacts.get(item.jid), roster)) for item in due)
    return Plan(tuple(to_set), tuple(surplus), by_hand)


def _item(directory: Directory, viewer: Employee, contact: Employee, jid: str, default_group: str) -> RosterItem:
    shown = contact.groups
    if directory.visibility == "groups":
        shown = tuple(group for group in contact.groups if group in viewer.groups)
    return RosterItem(jid, contact.name, shown or (default_group,))


def _is_due(item: RosterItem, actual: RosterItem | None, contact: str | None, roster: Roster) -> bool:
    if actual is None or actual.subscription not in (item.subscription, "both"):
        return True
    return _is_renewed(contact, roster) and (actual.name, set(actual.groups)) != (item.name, set(item.groups))


def _is_renewed(contact: str | None, roster: Roster) -> bool:
    return contact in roster.pending or contact in roster.renewed


def _adapted(item: RosterItem, actual: RosterItem | None, renew: bool) -> RosterItem:
    """Keep the other direction of a subscription that is there, and name and groups unless they are to be renewed."""
    if actual is None:
        return item
    if not renew and (actual.name or actual.groups):
        item = replace(item, name=actual.name, groups=actual.groups)
    return item if actual.subscription in ("none", item.subscription) else replace(item, subscription="both")
