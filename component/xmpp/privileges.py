"""What the server lets the component do beyond its own domain (XEP-0356), as advertised on this connection."""

import asyncio
from contextlib import suppress
from xml.etree.ElementTree import Element

from component.core.address import split
from component.services.ports import Grant
from component.xmpp.namespaces import PRIVILEGE_1, PRIVILEGE_2, tag

MOST_DOMAINS = 100
"""Domains whose privileges are kept: any server may send such a message, and must not fill the memory."""


class Privileges:
    """Keeps the privileges by the domain of accounts that grants them, until the link goes down."""

    def __init__(self) -> None:
        self._granted: dict[str, Grant] = {}
        self._news = asyncio.Event()

    def take(self, message: Element) -> bool:
        """Take the server's message with privileges (XEP-0356 section 4.2); False for any other message.

        Only a bare domain grants any, and only for its own accounts. A later message replaces an earlier one.
        """
        domain = message.get("from", "")
        if not domain or split(domain) != ("", domain, "") or message.get("type") == "error":
            return False
        for namespace in (PRIVILEGE_2, PRIVILEGE_1):
            privilege = message.find(tag(namespace, "privilege"))
            if privilege is None:
                continue
            if domain in self._granted or len(self._granted) < MOST_DOMAINS:
                perms = privilege.findall(tag(namespace, "perm"))
                granted = {perm.get("access", ""): perm.get("type", "") for perm in perms}
                self._granted[domain] = Grant(namespace, granted)
                self._news.set()
            return True
        return False

    def forget(self) -> None:
        """Forget all: the link went down, and the server grants anew after the next handshake."""
        self._granted.clear()

    async def of(self, domain: str, within: float) -> Grant | None:
        """Return what a domain of accounts grants, waiting so many seconds for it; None when nothing came."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while domain not in self._granted:
                    self._news.clear()
                    await self._news.wait()
        return self._granted.get(domain)
