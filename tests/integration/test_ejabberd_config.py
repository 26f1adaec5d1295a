"""The fragment for a company's ejabberd, included in the configuration that Debian ships."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.integration.component_stream import handshake
from tests.servers.ejabberd import CONFIG_FOLDER, Ports, free_ports, with_macros
from tests.servers.erlang_node import ErlangNode
from tests.servers.process import HOST, ServerError

STOCK = Path("/etc/ejabberd/ejabberd.yml")
BOT, PASSWORD, SECRET = "panelbot@localhost", "bot password", "s3cret"

# Debian's file serves `localhost` and gives nobody the right to make the bot's account over HTTP.
TEST_RULES = """
api_permissions:
  "test accounts":
    from: mod_http_api
    who:
      ip: 127.0.0.1/8
    what:
      - register
"""

NEWER: dict[str, object] = {"groups": ["Склад"]}
"""How ejabberd writes groups from 23.10 on."""


@dataclass(frozen=True)
class Company:
    """A running server with Debian's configuration and the fragment."""

    ports: Ports

    async def call(self, command: str, arguments: Mapping[str, object], password: str = "") -> tuple[int, object]:
        """An API call, as the bot when its password is given: HTTP status and decoded body."""
        headers = {"Authorization": aiohttp.encode_basic_auth(BOT, password)} if password else {}
        async with aiohttp.ClientSession(headers=headers) as http:
            url = f"http://{HOST}:{self.ports.api}/api/{command}"
            async with http.post(url, json=arguments) as answer:
                return answer.status, await answer.json(content_type=None)


def write_configuration(folder: Path, ports: Ports, fragment: dict[str, object]) -> None:
    """Debian's file on free ports and without what a test machine has not, the fragment and the test's own rule."""
    if not STOCK.exists():
        raise ServerError(f"{STOCK} is missing. It comes with the package: apt-get install ejabberd")
    stock = STOCK.read_text(encoding="utf-8")
    # All its ports but that for clients, which gets a free one, would collide with a server that runs here.
    listen = f"listen:\n  - port: {ports.c2s}\n    ip: {HOST}\n    module: ejabberd_c2s\n    access: c2s\n\n\n"
    stock, count = re.subn(r"(?ms)^listen:\n.*?\n\n\n", listen, stock)
    assert count == 1, "Debian's listen block looks different now"
    stock = re.sub(r"(?ms)^certfiles:\n.*?\n\n", "", stock)
    (folder / "test.yml").write_text(TEST_RULES)
    (folder / "panel-presence.yml").write_text(
        with_macros((CONFIG_FOLDER / "panel-presence.yml").read_text(encoding="utf-8"), fragment)
    )
    include = "include_config_file:\n  - panel-presence.yml\n  - test.yml\n"
    (folder / "ejabberd.yml").write_text(f"{stock}\n{include}")


@asynccontextmanager
async def company(folder: Path) -> AsyncIterator[Company]:
    """Debian's ejabberd with the fragment, and the bot's account."""
    ports = free_ports()
    macros: dict[str, object] = {
        "PANEL_PRESENCE_SECRET": SECRET,
        "PANEL_PRESENCE_BOT": BOT,
        "PANEL_PRESENCE_PORT": ports.component,
        "PANEL_PRESENCE_API_PORT": ports.api,
    }
    write_configuration(folder, ports, macros)
    node = ErlangNode(folder, ports.dist)
    await node.start([ports.c2s, ports.component, ports.api])
    try:
        server = Company(ports)
        account = {"user": "panelbot", "host": "localhost", "password": PASSWORD}
        assert (await server.call("register", account))[0] == 200
        yield server
    finally:
        await node.process.stop()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Company]:
    async with company(tmp_path) as running:
        yield running


async def test_debians_configuration_takes_the_fragment(server: Company) -> None:
    assert "<handshake" in await handshake(server.ports.component, "panel.example.test", SECRET)
    assert "not-authorized" in await handshake(server.ports.component, "panel.example.test", "another secret")
    assert "<handshake" not in await handshake(server.ports.component, "other.example.test", SECRET)

    item: dict[str, object] = {
        "localuser": "panelbot",
        "localhost": "localhost",
        "user": "ivanov",
        "host": "panel.example.test",
    }
    item |= {"nick": "Иванов", "subs": "to"}
    me = {"user": "panelbot", "host": "localhost"}
    answers = [await server.call("add_rosteritem", item | group, PASSWORD) for group in ({"group": "Склад"}, NEWER)]
    assert sorted(status for status, _ in answers) == [200, 400]  # each version takes one of the two
    stored: dict[str, object] = {"jid": "ivanov@panel.example.test", "nick": "Иванов", "subscription": "to"}
    rows = [stored | {"ask": "undefined", "group": "Склад"}], [stored | {"pending": "undefined", **NEWER}]
    assert await server.call("get_roster", me, PASSWORD) in [(200, list(row)) for row in rows]
    assert await server.call("registered_users", {"host": "localhost"}, PASSWORD) == (200, ["panelbot"])
    place = {key: item[key] for key in ("localuser", "localhost", "user", "host")}
    assert await server.call("delete_rosteritem", place, PASSWORD) == (200, 0)

    for command, arguments in (
        ("registered_vhosts", {}),
        ("connected_users_info", {}),
        ("unregister", me),
        ("kick_user", me),
    ):
        assert (await server.call(command, arguments, PASSWORD))[0] == 403
    assert (await server.call("get_roster", me))[0] == 403
    assert (await server.call("get_roster", me, "wrong"))[0] == 401
