"""A server that grants privileges as XEP-0356 says, and keeps rosters as Prosody or as ejabberd does."""

import asyncio
from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement

from component.core.roster import RosterItem
from component.services.ports import Grant, NoAnswer
from tests.unit.fakes import DOMAIN

V1, V2 = "urn:xmpp:privilege:1", "urn:xmpp:privilege:2"
ROSTER, STANZAS = "{jabber:iq:roster}", "{urn:ietf:params:xml:ns:xmpp-stanzas}"
COMPONENT = "{jabber:component:accept}"
Row = tuple[str, tuple[str, ...], str]
"""Name, groups and subscription of an item."""


class FakePrivileges:
    """The `Requests` and the `Grants` of a connection to the domain example.test.

    `accounts` exist. `ignores_subscription` makes it an ejabberd from 23.10 on, `set_fails` one before. `refuses` is a
    stanza error's condition for all requests, `silent` answers none; `before_set` is called before each set. `asked`
    has type, account and JIDs of what came.
    """

    def __init__(self, *accounts: str) -> None:
        self.accounts = set(accounts)
        self.rosters: dict[str, dict[str, Row]] = {}
        self.grants: dict[str, Grant] = {}
        self.up, self.problem = True, "cut"
        self.ignores_subscription = False
        self.set_fails = False
        self.refuses: str | None = None
        self.silent = False
        self.before_set: Callable[[], None] = lambda: None
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []
        self.pushed: list[tuple[str, str]] = []

    def grant(self, roster: str = "both", *, namespace: str = V2, domain: str = "example.test") -> None:
        """Grant anew, as after a handshake."""
        self.grants[domain] = Grant(namespace, {"roster": roster, "message": "outgoing"})

    async def of(self, domain: str, within: float) -> Grant | None:
        await asyncio.sleep(0)
        return self.grants.get(domain)

    async def request(self, iq: Element) -> Element:
        await asyncio.sleep(0)
        account = iq.get("to", "")
        (query,) = iq
        assert iq.tag == COMPONENT + "iq"
        assert query.tag == ROSTER + "query"
        self.asked.append((iq.get("type", ""), account, tuple(item.get("jid", "") for item in query)))
        if not self.up or self.silent:
            raise NoAnswer("nobody answers")
        if self.refuses:
            return self._error(account, self.refuses)
        if iq.get("type") == "get":
            return self._get(account)
        self.before_set()
        (item,) = query
        return self._set(account, item)

    def _get(self, account: str) -> Element:
        answer = self._answer(account, "result")
        query = SubElement(answer, ROSTER + "query")
        for jid, (name, groups, subscription) in self.rosters.get(account, {}).items():
            row = SubElement(query, ROSTER + "item", {"jid": jid, "subscription": subscription})
            if name:
                row.set("name", name)
            for group in groups:
                SubElement(row, ROSTER + "group").text = group
        return answer

    def _set(self, account: str, item: Element) -> Element:
        if self.set_fails:
            return self._error(account, "internal-server-error", "Module failed to handle the query")
        if account not in self.accounts:
            return self._error(account, "service-unavailable")
        roster, jid = self.rosters.setdefault(account, {}), item.get("jid", "")
        subscription = item.get("subscription", "")
        if subscription == "remove":
            if roster.pop(jid, None) is None:
                return self._error(account, "item-not-found")
        else:
            if self.ignores_subscription:
                subscription = roster[jid][2] if jid in roster else "none"
            groups = tuple(group.text or "" for group in item)
            roster[jid] = (item.get("name", ""), groups, subscription)
        self.pushed.append((jid, subscription))
        return self._answer(account, "result")

    def _answer(self, account: str, kind: str) -> Element:
        return Element(COMPONENT + "iq", {"type": kind, "from": account, "to": DOMAIN})

    def _error(self, account: str, condition: str, text: str = "") -> Element:
        answer = self._answer(account, "error")
        error = SubElement(answer, COMPONENT + "error", {"type": "cancel"})
        SubElement(error, STANZAS + condition)
        if text:
            SubElement(error, STANZAS + "text").text = text
        return answer


def row(item: RosterItem) -> Row:
    """An item as the server keeps it."""
    return item.name, item.groups, item.subscription
