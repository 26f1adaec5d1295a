"""The directory of employees, and who may see whom (visibility); immutable, computed from groups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

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
    """All employees by id, account and localpart; who may see whom is answered from the groups."""

    def __init__(self, employees: Iterable[Employee], visibility: Visibility) -> None:
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

    def __len__(self) -> int:
        return len(self.employees)

    def may_see(self, viewer: str, contact: str) -> bool:
        """Say whether one employee may see another one; nobody sees himself, visibility is mutual."""
        if viewer == contact or viewer not in self.employees or contact not in self.employees:
            return False
        if self.visibility == "everyone":
            return True
        return not set(self.employees[viewer].groups).isdisjoint(self.employees[contact].groups)

    def visible_to(self, viewer: str) -> frozenset[str]:
        """Return the ids that an employee may see, which are also those that may see him."""
        if viewer not in self.employees:
            return frozenset()
        if self.visibility == "everyone":
            return self._everyone - {viewer}
        seen = frozenset[str]().union(*(self._groups[group] for group in self.employees[viewer].groups))
        return seen - {viewer}

    def several_zones(self, company_zone: str) -> bool:
        """Say whether the employees' time zones differ, so that a time needs its zone beside it."""
        return any(one.timezone not in (None, company_zone) for one in self.employees.values())
