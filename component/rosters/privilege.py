"""The rosters by XEP-0356: plain roster iqs to the accounts, which the server obeys because it granted the right to.

Measured on Prosody 0.12.3: it answers once per item, and every set rewrites the whole roster while nothing else is
served; so one item goes per iq, and the caller paces them.
"""

from typing import Literal
from xml.etree.ElementTree import Element, SubElement

from component.core.address import split
from component.core.roster import RosterItem, SubscriptionState
from component.core.text import xml_text
from component.services.ports import Grant, Grants, NoAnswer, NoSuchAccount, Requests, RosterError

GRANT_WITHIN = 5.0
"""Seconds that the server's privileges are waited for: they come right after the handshake."""
HOW_TO_GRANT = (
    'on Prosody load the module privilege on the VirtualHost and on the Component, and grant roster = "both" in '
    "privileged_entities"
)

_COMPONENT = "{jabber:component:accept}"
_ROSTER = "{jabber:iq:roster}"
_STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
_SUBSCRIPTIONS: dict[str | None, SubscriptionState] = {"to": "to", "from": "from", "both": "both"}


class Unanswered(RosterError):
    """The server did not answer, so nothing is known of what it can do."""


class Refused(RosterError):
    """The server answered with a stanza error."""

    def __init__(self, condition: str, text: str) -> None:
        super().__init__(text)
        self.condition = condition


class Privilege:
    """A `RosterWay` over XEP-0356's roster permission.

    domain: the component's own. within: seconds that a grant is waited for.
    """

    name = "privilege"

    def __init__(self, requests: Requests, grants: Grants, domain: str, *, within: float = GRANT_WITHIN) -> None:
        self._requests = requests
        self._grants = grants
        self._domain = domain
        self._within = within

    async def read(self, account: str) -> dict[str, RosterItem]:
        """Return the account's items on the component's domain, the domain's own one too, in the order of JIDs.

        An account that does not exist may have an empty roster: only `add` tells it (Prosody). Raises RosterError
        with a text that says what to do; NoSuchAccount when the account's domain grants nothing.
        """
        query = (await self._ask("get", account)).find(_ROSTER + "query")
        found = {} if query is None else {item.get("jid", ""): item for item in query.iterfind(_ROSTER + "item")}
        return {jid: _item(jid, found[jid]) for jid in sorted(found) if split(jid)[1] == self._domain}

    async def add(self, account: str, item: RosterItem) -> None:
        """Add an item or change it; the server pushes it to the account's clients (RFC 6121 section 2.1.6).

        What XML cannot carry is replaced in the name and the groups. Raises NoSuchAccount, and RosterError with a
        text that says what to do.
        """
        element = Element(_ROSTER + "item", {"jid": item.jid, "subscription": item.subscription})
        if item.name:
            element.set("name", xml_text(item.name))
        for group in dict.fromkeys(item.groups):
            if group:
                SubElement(element, _ROSTER + "group").text = xml_text(group)
        try:
            await self._ask("set", account, element)
        except Refused as refused:
            if refused.condition != "service-unavailable":
                raise
            raise NoSuchAccount(f"the server has no account {account}; register it, or correct the directory") from None

    async def remove(self, account: str, jid: str) -> None:
        """Remove an item; an item or an account that is absent is no error.

        Raises RosterError with a text that says what to do.
        """
        try:
            await self._ask("set", account, Element(_ROSTER + "item", {"jid": jid, "subscription": "remove"}))
        except Refused as refused:
            if refused.condition not in ("item-not-found", "service-unavailable"):
                raise

    async def grant_of(self, domain: str) -> Grant:
        """Return what a domain of accounts grants, once it lets rosters be read and written.

        Raises RosterError with a text that says what is missing, after waiting a moment for what just comes.
        """
        grant = await self._grants.of(domain, self._within)
        if grant is None and not self._requests.up:
            raise Unanswered(f"not connected to the server: {self._requests.problem}")
        if grant is None:
            raise RosterError(f"the server of {domain} grants {self._domain} no privileges (XEP-0356); {HOW_TO_GRANT}")
        if grant.types.get("roster") != "both":
            granted = grant.types.get("roster", "none")
            raise RosterError(f'the server of {domain} grants roster = "{granted}", "both" is needed; {HOW_TO_GRANT}')
        return grant

    async def _ask(self, kind: Literal["get", "set"], account: str, *items: Element) -> Element:
        iq = Element(_COMPONENT + "iq", {"type": kind, "to": account})
        SubElement(iq, _ROSTER + "query").extend(items)
        try:
            answer = await self._requests.request(iq)
        except NoAnswer as problem:
            raise Unanswered(f"the roster of {account}: {problem}") from None
        if answer.get("type") == "result":
            return answer
        refused = _refused(kind, account, answer)
        domain = split(account)[1]
        if await self._grants.of(domain, 0) is None:  # the others' domain may grant it: they go on
            raise NoSuchAccount(f"{refused}: the server of {domain} grants no privileges; {HOW_TO_GRANT}")
        raise refused


def _refused(kind: str, account: str, answer: Element) -> Refused:
    error = answer.find(_COMPONENT + "error")
    children = [] if error is None else [child for child in error if child.tag.startswith(_STANZAS)]
    names = [child.tag.removeprefix(_STANZAS) for child in children if child.tag != _STANZAS + "text"]
    condition = names[0] if names else "undefined-condition"
    said = next((child.text for child in children if child.tag == _STANZAS + "text" and child.text), "")
    does = "read" if kind == "get" else "write"
    what_to_do = f"; {HOW_TO_GRANT}" if condition in ("forbidden", "not-allowed") else "; its log may say why"
    text = f"the server does not {does} the roster of {account}: {condition}{f' ({said})' if said else ''}"
    return Refused(condition, text + what_to_do)


def _item(jid: str, element: Element) -> RosterItem:
    groups = (group.text or "" for group in element.iterfind(_ROSTER + "group"))
    subscription = _SUBSCRIPTIONS.get(element.get("subscription"), "none")
    return RosterItem(jid, element.get("name", ""), tuple(sorted(filter(None, groups))), subscription)
