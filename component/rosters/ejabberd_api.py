"""The rosters by ejabberd's HTTP API: add_rosteritem, delete_rosteritem and get_roster of mod_admin_extra.

Measured on ejabberd 23.01. From 24.02 on the API has versions and groups are lists; both forms are spoken.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Self

from component.core.address import normalize_account, split
from component.core.roster import RosterItem, SubscriptionState
from component.core.text import xml_text
from component.rosters.ejabberd_http import SECTION, ApiRefusal, EjabberdHttp
from component.services.ports import NoSuchAccount, RosterError

ACCOUNTS_EVERY = 30.0
"""Seconds between two reads of a domain's accounts when one is asked for that was not among them."""
ACCOUNTS_KEPT = 600.0
"""Seconds after which a domain's accounts are read again in any case: accounts are removed, too."""

# In the joined form `;` separates groups. The Greek question mark looks the same and is canonically equivalent.
_SEPARATOR, _LOOKS_THE_SAME = ";", "\N{GREEK QUESTION MARK}"

_SUBSCRIPTIONS: dict[object, SubscriptionState] = {"to": "to", "from": "from", "both": "both"}


class EjabberdApi:
    """A `RosterWay` over ejabberd's HTTP API; use it as `async with`, or `open()` and `close()` it.

    url, user, password: as in the configuration's [rosters.ejabberd_api]. domain: the component's own. timeout:
    seconds for one call. clock: seconds of a monotonic clock. Raises RosterError for a URL that carries a
    password, ValueError for a user that is no bare JID.
    """

    name = "ejabberd-api"

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        domain: str,
        *,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = EjabberdHttp(url, user, password, timeout)
        self._bot = normalize_account(user)
        self._domain = domain
        self._clock = clock
        self._accounts: dict[str, tuple[float, frozenset[str]]] = {}
        self._takes_lists = True
        self.open, self.close = self._http.open, self._http.close

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def read(self, account: str) -> dict[str, RosterItem]:
        """Return the account's items on the component's domain, the domain's own one too, in the order of JIDs.

        The groups of an item come in the order of the server. Raises NoSuchAccount, and RosterError with a text
        that says what to do.
        """
        await self._must_exist(account)
        user, host, _ = split(account)
        return _items(await self._http.call("get_roster", user=user, host=host), self._domain)

    async def add(self, account: str, item: RosterItem) -> None:
        """Add an item or change it; the server pushes it to the account's clients (RFC 6121 section 2.1.6).

        What XML cannot carry is replaced in the name and the groups. Raises NoSuchAccount, and RosterError with a
        text that says what to do.
        """
        await self._must_exist(account)
        groups = [xml_text(group) for group in dict.fromkeys(item.groups) if group]
        arguments = _who(account, item.jid) | {"nick": xml_text(item.name), "subs": item.subscription}
        _expect_zero("add_rosteritem", await self._add(arguments, groups))

    async def remove(self, account: str, jid: str) -> None:
        """Remove an item; an item or an account that is absent is no error.

        Raises RosterError with a text that says what to do.
        """
        await self._known(split(account)[1])
        _expect_zero("delete_rosteritem", await self._http.call("delete_rosteritem", **_who(account, jid)))

    async def accounts(self, domain: str) -> frozenset[str]:
        """Return the bare JIDs of all accounts of one of the server's domains, read now.

        Raises NoSuchAccount for a domain that the server does not have, RosterError when it cannot list the accounts.
        """
        try:
            names = await self._http.call("registered_users", host=domain)
        except ApiRefusal as refusal:
            if refusal.status != HTTPStatus.BAD_REQUEST:
                raise
            raise NoSuchAccount(
                f"this ejabberd has no accounts on {domain} ({refusal.answer}); correct the accounts in the "
                f"directory, or point {SECTION} url at the server of {domain}"
            ) from None
        found = frozenset(f"{name}@{domain}" for name in names) if isinstance(names, list) else frozenset()
        if split(self._bot)[1] == domain and self._bot not in found:
            raise RosterError(
                f"ejabberd does not list its accounts on {domain}: {self._bot}, who asked, is not among the "
                f"{len(found)} listed; with auth_method external or jwt it cannot. "
                'Set rosters.method = "handshake"'
            )
        self._accounts[domain] = (self._clock(), found)
        return found

    async def check(self) -> None:
        """Prove what the server does: set an item in the bot's own roster, read it back, remove it.

        Raises RosterError when any of it fails, or when the item comes back changed.
        """
        jid = f"panel-presence-check-{secrets.token_hex(4)}@{self._domain}"
        item = RosterItem(jid, name="Проверка", groups=("Проверка", "Panel Presence"), subscription="to")
        await self.add(self._bot, item)
        try:
            stored = (await self.read(self._bot)).get(jid)
        finally:
            await self.remove(self._bot, jid)
        # The groups of an item are a set; a server with SQL returns them in an order of its own.
        if stored is None or replace(stored, groups=item.groups) != item or {*stored.groups} != {*item.groups}:
            raise RosterError(f"ejabberd took a roster item and stored another one: {item} became {stored}")
        if jid in await self.read(self._bot):
            raise RosterError(
                f"ejabberd answered that it removed {jid} from the roster of {self._bot}, but it is there"
            )

    async def _add(self, arguments: dict[str, object], groups: list[str]) -> object:
        if self._takes_lists:
            try:
                return await self._http.call("add_rosteritem/v1", **arguments, groups=groups)
            except ApiRefusal as refusal:
                if not refusal.unversioned:
                    raise
                self._takes_lists = False
        joined = _SEPARATOR.join(group.replace(_SEPARATOR, _LOOKS_THE_SAME) for group in groups)
        try:
            return await self._http.call("add_rosteritem", **arguments, group=joined)
        except ApiRefusal:
            # Perhaps the server was upgraded meanwhile: the next call tries the newer form again.
            self._takes_lists = True
            raise

    async def _must_exist(self, account: str) -> None:
        """Ask before every call: the API answers 200 for unknown accounts, and stores their items (23.01)."""
        domain = split(account)[1]
        known = await self._known(domain)
        if account not in known and self._age(domain) >= ACCOUNTS_EVERY:
            known = await self.accounts(domain)
        if account not in known:
            raise NoSuchAccount(f"ejabberd has no account {account}; register it, or correct the directory")

    async def _known(self, domain: str) -> frozenset[str]:
        if domain not in self._accounts or self._age(domain) >= ACCOUNTS_KEPT:
            return await self.accounts(domain)
        return self._accounts[domain][1]

    def _age(self, domain: str) -> float:
        return self._clock() - self._accounts[domain][0]


def _who(account: str, jid: str) -> dict[str, object]:
    local_user, local_host, _ = split(account)
    user, host, _ = split(jid)
    return {"localuser": local_user, "localhost": local_host, "user": user, "host": host}


def _expect_zero(command: str, answer: object) -> None:
    if answer != 0:
        raise RosterError(f"ejabberd answered {command} with {str(answer)[:200]!r}, not 0; its log says more")


def _items(rows: object, domain: str) -> dict[str, RosterItem]:
    """Read get_roster's rows: one for each group of an item, or from 23.10 on one with all its groups."""
    found: dict[str, RosterItem] = {}
    if not isinstance(rows, list):
        raise _no_roster(rows)
    for row in rows:
        item = _item(row)
        if split(item.jid)[1] == domain:
            earlier = found[item.jid].groups if item.jid in found else ()
            found[item.jid] = replace(item, groups=tuple(dict.fromkeys(earlier + item.groups)))
    return dict(sorted(found.items()))


def _item(row: object) -> RosterItem:
    match row:
        case {"jid": str(jid), "nick": str(name), "subscription": subscription, "groups": list(groups)}:
            pass
        case {"jid": str(jid), "nick": str(name), "subscription": subscription, "group": str(group)}:
            groups = [group]
        case _:
            raise _no_roster(row)
    names = tuple(str(group).replace(_LOOKS_THE_SAME, _SEPARATOR) for group in groups if group)
    return RosterItem(jid, name, names, _SUBSCRIPTIONS.get(subscription, "none"))


def _no_roster(answer: object) -> RosterError:
    return RosterError(f"ejabberd answered get_roster with what is no roster: {str(answer)[:200]}")
