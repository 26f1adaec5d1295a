"""Blocks: the component's own list of who does not want to see whom. Both become invisible to each other.

An account's XEP-0191 list cannot do it: it holds for the account's own stanzas, and the server knows nothing of who
stands behind a contact.
"""

from datetime import datetime, timedelta

from component.core.address import normalize, split
from component.core.directory import Employee
from component.core.errors import Refusal
from component.services.company import Company
from component.services.directory_changes import DirectoryChanges
from component.services.ports import Clock, Store, StoreError
from component.services.provisioning import Provisioning

KEPT_FOR = timedelta(seconds=2)
"""How long an employee's own block holds at least: a flood of blocks and unblocks stays below a presence a second."""


class Blocking:
    """Begins and ends blocks: they hold at once and are answered when they are stored."""

    def __init__(
        self,
        company: Company,
        changes: DirectoryChanges,
        provisioning: Provisioning,
        store: Store,
        clock: Clock,
    ) -> None:
        self._company = company
        self._changes = changes
        self._provisioning = provisioning
        self._store = store
        self._clock = clock
        self._begun: dict[tuple[str, str], datetime] = {}

    def colleague(self, employee: str, address: str) -> str:
        """Return the id that an employee means by an id or a contact's JID: somebody he may see, or blocks himself.

        Raises Refusal: one error for everybody else, whether he exists or not, so that nobody learns who blocks him.
        """
        directory = self._company.directory
        found = directory.employees.get(address) or self._at(address)
        if found and found.id == employee:
            raise Refusal("bad-request", "block-self")
        if found and ((employee, found.id) in directory.blocks or directory.may_see(employee, found.id)):
            return found.id
        raise Refusal("item-not-found", "unknown-employee", value=address)

    def _at(self, address: str) -> Employee | None:
        try:
            localpart, domain, _ = split(normalize(address))
        except ValueError:
            return None
        return self._company.directory.by_localpart.get(localpart) if domain == self._company.settings.domain else None

    async def block(self, employee: str, other: str) -> None:
        """Make an employee block another one, both ids of the directory; a block that stands stays.

        Raises Refusal for oneself, and `resource-constraint` when the block holds but the store does not take it now.
        """
        if employee == other:
            raise Refusal("bad-request", "block-self")
        async with self._changes.lock:
            if (employee, other) not in self._company.directory.blocks:
                self._apply(employee, other, ends=False)
                now = self._clock()
                self._begun = {pair: at for pair, at in self._begun.items() if now - at < KEPT_FOR}
                self._begun[employee, other] = now
        await self._stored()

    async def unblock(self, employee: str, other: str, *, by_himself: bool = False) -> None:
        """End a block; what somebody else has blocked stays blocked.

        Raises Refusal: `item-not-found` when there is no such block, `resource-constraint` when the store does not
        take it now, or when `by_himself` the employee ends a block that he has only just begun.
        """
        async with self._changes.lock:
            if (employee, other) not in self._company.directory.blocks:
                raise Refusal("item-not-found", "not-blocked", value=other)
            begun = self._begun.get((employee, other))
            if by_himself and begun and begun <= self._clock() < begun + KEPT_FOR:
                raise Refusal("resource-constraint", "just-blocked")
            self._apply(employee, other, ends=True)
        await self._stored()

    def _apply(self, employee: str, other: str, *, ends: bool) -> None:
        pair, before = (employee, other), self._company.directory
        if not before.employees.keys() >= set(pair):  # an import has removed one of them meanwhile
            raise Refusal("item-not-found", "unknown-employee", value=other)
        blocks = before.blocks - {pair} if ends else before.blocks | {pair}
        after = before.with_blocks(blocks)
        affected = self._changes.note_pending(pair, before, after)
        self._changes.take_back(pair, before, after)
        self._company.set_block(employee, other, ends=ends)
        self._provisioning.request(sorted(affected))

    async def _stored(self) -> None:
        try:
            await self._store.committed()
        except StoreError:
            raise Refusal("resource-constraint", "block-not-stored") from None
