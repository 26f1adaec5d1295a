"""Whether XEP-0356's roster permission works: newer ejabberds grant it and then ignore the subscription.

One real item is set and read back. A roster without any item of ours is left without one: it may be a restored
account's, where the missing contacts are to come back and do not count as deleted by hand.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from component.core.address import split
from component.core.roster import RosterItem
from component.rosters.privilege import Privilege, Unanswered
from component.services.ports import Grant, NoSuchAccount, RosterError

ACCOUNTS_AT_ONCE = 100
"""Accounts tried in one go, until one exists; the next go tries the next ones."""


class NothingToProve(RosterError):
    """There is no employee yet, so no roster to try the privilege with."""


class PrivilegeProof:
    """Proves the way once for what is granted, and again when something else is granted.

    accounts: the employees' bare JIDs as they are now. item: what every roster of theirs should hold, the domain's
    own item, with subscription `from`.
    """

    def __init__(self, way: Privilege, accounts: Callable[[], Sequence[str]], item: RosterItem) -> None:
        self.way = way
        self._accounts = accounts
        self._item = item
        self._next = 0
        self._proven: tuple[str, Grant] | None = None
        self._reason = ""
        self._failed: tuple[Grant, str] | None = None

    async def check(self) -> str:
        """Return how it was proven; raises RosterError with a text that says why it is not, and what to do.

        With an empty directory it raises NothingToProve.

        What failed is not tried again before the server grants anew, as it does after every handshake.
        """
        accounts = self._accounts()
        if not accounts:
            raise NothingToProve("the directory is empty, import the employees")
        domain, grant = await self._granting(list(dict.fromkeys(split(account)[1] for account in accounts)))
        if self._proven == (domain, grant):
            return self._reason
        if self._failed and self._failed[0] is grant:
            raise RosterError(self._failed[1])
        try:
            account = await self._try([account for account in accounts if split(account)[1] == domain])
        except (Unanswered, NoSuchAccount):
            raise
        except RosterError as problem:
            self._failed = grant, str(problem)
            raise
        self._proven = domain, grant
        self._reason = f"an item was set in the roster of {account} and read back"
        return self._reason

    async def _granting(self, domains: list[str]) -> tuple[str, Grant]:
        problems = []
        for domain in domains:
            try:
                return domain, await self.way.grant_of(domain)
            except RosterError as problem:
                problems.append(problem)
        raise problems[0]

    async def _try(self, accounts: Sequence[str]) -> str:
        start = self._next % len(accounts)
        for account in [*accounts[start:], *accounts[:start]][:ACCOUNTS_AT_ONCE]:
            try:
                await self._prove(account)
                return account
            except NoSuchAccount:
                self._next += 1
        raise NoSuchAccount(
            f"no roster to prove the privilege with: the accounts of the directory, such as {accounts[start]}, are not "
            "on the server; register them, or correct the directory"
        )

    async def _prove(self, account: str) -> None:
        before = await self.way.read(account)
        old = before.get(self._item.jid)
        wanted = _another(old, self._item)
        kept = wanted if before and (old is None or old.subscription == "none") else old
        try:
            await self.way.add(account, wanted)
            stored = (await self.way.read(account)).get(wanted.jid)
            if stored is None or stored.subscription != wanted.subscription:
                raise RosterError(
                    f'the server grants roster privileges, but made subscription "{wanted.subscription}" '
                    f'"{stored.subscription if stored else "absent"}" (newer ejabberds ignore it: use their HTTP API)'
                )
        except NoSuchAccount:
            raise
        except RosterError:
            with suppress(RosterError):
                await self._put_back(account, old)
            raise
        if kept != wanted:
            await self._put_back(account, kept)

    async def _put_back(self, account: str, old: RosterItem | None) -> None:
        if old is None:
            await self.way.remove(account, self._item.jid)
        else:
            await self.way.add(account, old)


def _another(old: RosterItem | None, item: RosterItem) -> RosterItem:
    """Return an item with another subscription than is stored: one that is there already proves nothing."""
    match old.subscription if old else "none":
        case "none":
            return item
        case "from" | "to":
            return replace(old or item, subscription="both")
        case _:
            return replace(old or item, subscription="from")
