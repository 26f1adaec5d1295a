"""The directory of employees, and who may see whom (visibility); immutable, computed from groups and blocks."""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Self

from component.core.facts import Mode
from component.core.texts import Language

Visibility = Literal["everyone", "groups"]


@dataclass(frozen=True, slots=True)
class Employee:
    """A person of the directory; `localpart` is the normalised id as its contact's JID carries it (XEP-0106)."""

    id: str
    localpart: str
    account: str
    name: str
    extension: str = ""
    groups: tuple[str, ...] = ()
    mode: Mode | None = None
    language: Language | None = None
    timezone: str | None = None


class Directory:
    """All employees by id, account and localpart; who may see whom is answered from the groups and the blocks.

    `blocks` are (who blocks, whom), as ids; those of ids that are not in the directory are left out.
    """

    def __init__(
        self, employees: Iterable[Employee], visibility: Visibility, blocks: Iterable[tuple[str, str]] = ()
    ) -> None:
        self.employees: Mapping[str, Employee] = MappingProxyType({one.id: one for one in employees})
        self.visibility = visibility
        self.by_account = {one.account: one for one in self.employees.values()}
        self.account_domains = frozenset(account.partition("@")[2] for account in self.by_account)
        self.by_localpart = {one.localpart: one for one in self.employees.values()}
        groups: dict[str, set[str]] = {}
        for one in self.employees.values():
            for group in one.groups:
                groups.setdefault(group, set()).add(one.id)
        self._groups = groups
        self._everyone = frozenset(self.employees)
        self._set_blocks(blocks)

    def _set_blocks(self, blocks: Iterable[tuple[str, str]]) -> None:
        self.blocks = frozenset(pair for pair in blocks if self._everyone.issuperset(pair))
        apart: dict[str, set[str]] = {}
        for who, whom in self.blocks:
            apart.setdefault(who, set()).add(whom)
            apart.setdefault(whom, set()).add(who)
        self._apart = apart

    def with_blocks(self, blocks: Iterable[tuple[str, str]]) -> Self:
        """Return the same directory with other blocks; it costs nothing for each employee."""
        other = copy(self)
        other._set_blocks(blocks)
        return other

    def __len__(self) -> int:
        return len(self.employees)

    def may_see(self, viewer: str, contact: str) -> bool:
        """Say whether one employee may see another one; nobody sees himself, visibility is mutual.

        A block makes both invisible to each other, whoever of them made it.
        """
        if viewer == contact or viewer not in self.employees or contact not in self.employees:
            return False
        if contact in self._apart.get(viewer, ()):
            return False
        if self.visibility == "everyone":
            return True
        return not set(self.employees[viewer].groups).isdisjoint(self.employees[contact].groups)

    def visible_to(self, viewer: str) -> frozenset[str]:
        """Return the ids that an employee may see, which are also those that may see him."""
        if viewer not in self.employees:
            return frozenset()
        hidden = {viewer, *self._apart.get(viewer, ())}
        if self.visibility == "everyone":
            return self._everyone - hidden
        seen = frozenset[str]().union(*(self._groups[group] for group in self.employees[viewer].groups))
        return seen - hidden

    def blocked_by(self, employee: str) -> list[str]:
        """Return the ids that an employee blocks, in order."""
        return sorted(whom for whom in self._apart.get(employee, ()) if (employee, whom) in self.blocks)

    def several_zones(self, company_zone: str) -> bool:
        """Say whether the employees' time zones differ, so that a time needs its zone beside it."""
        return any(one.timezone not in (None, company_zone) for one in self.employees.values())
