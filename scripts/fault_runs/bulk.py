"""Accounts with rosters made at once: the component finds all as it should be, and has nothing to fill."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from tests.servers.ejabberd import Ejabberd
from tests.servers.prosody_shell import quoted
from tests.servers.server import Server

PIE = "urn:xmpp:pie:0"
ROSTER = "jabber:iq:roster"


@dataclass(frozen=True, slots=True)
class Item:
    """A roster item (RFC 6121 section 2.1.2)."""

    jid: str
    name: str
    group: str
    subscription: str


Rosters = Mapping[str, Iterable[Item]]
"""Localpart of an account -> its roster."""


async def make_accounts(server: Server, password: str, rosters: Rosters) -> None:
    """Make new accounts with these rosters on a running server; they must not be logged in."""
    if isinstance(server, Ejabberd):
        await _by_import(server, password, rosters)
    else:
        await server.register(dict.fromkeys(rosters, password))
        _by_files(server, rosters)


async def _by_import(server: Ejabberd, password: str, rosters: Rosters) -> None:
    """XEP-0227: one file for all."""
    data = Element("server-data", {"xmlns": PIE})
    host = SubElement(data, "host", {"jid": server.domain})
    for name, items in rosters.items():
        user = SubElement(host, "user", {"name": name, "password": password})
        query = SubElement(user, "query", {"xmlns": ROSTER})
        for one in items:
            item = SubElement(query, "item", {"jid": one.jid, "name": one.name, "subscription": one.subscription})
            SubElement(item, "group").text = one.group
    path = server.folder / "accounts.xml"
    path.write_bytes(b"<?xml version='1.0' encoding='UTF-8'?>" + tostring(data, encoding="utf-8"))
    await server.api("import_piefxis", file=str(path))


def _by_files(server: Server, rosters: Rosters) -> None:
    """Prosody's internal storage, a Lua table a file: it is read when the account logs in."""
    folder = server.folder / "data" / server.domain.replace(".", "%2e") / "roster"
    folder.mkdir(parents=True, exist_ok=True)
    for name, items in rosters.items():
        lines = [
            f"[{quoted(one.jid)}] = {{ subscription = {quoted(one.subscription)}; name = {quoted(one.name)};"
            f" groups = {{ [{quoted(one.group)}] = true; }}; }};"
            for one in items
        ]
        lines.append("[false] = { version = 1; pending = {}; };")
        (folder / f"{name}.dat").write_text("return {\n" + "\n".join(lines) + "\n};\n", encoding="utf-8")
