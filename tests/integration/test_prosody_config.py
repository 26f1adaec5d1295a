"""The fragment for a company's Prosody, included in the configuration that Debian ships."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.component_stream import component_stream, handshake
from tests.servers.process import HOST, ServerError, free_numbers, run_tool
from tests.servers.prosody import CONFIG_FOLDER, with_locals
from tests.servers.prosody_node import ProsodyNode

STOCK = Path("/etc/prosody/prosody.cfg.lua")
DOMAIN, SECRET = "panel.example.test", "s3cret"
# What an administrator has already: the company's host, with a module of its own, and another component.
COMPANY = """
VirtualHost "example.test"
    modules_enabled = { "lastactivity" }

Component "other.example.test"
    component_secret = "other secret"
"""
S2S = (
    "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' version='1.0' from='elsewhere.test' "
    "xmlns:stream='http://etherx.jabber.org/streams' to='{}'>"
)


@dataclass(frozen=True)
class Company:
    """A running server with Debian's configuration and the fragment."""

    config: Path
    component: int
    s2s: int


def write_configuration(folder: Path, order: tuple[str, str]) -> Company:
    """Debian's file with step 2, on free ports and in a folder; `order` is that in which conf.d is read."""
    if not STOCK.exists():
        raise ServerError(f"{STOCK} is missing. It comes with the package: apt-get install prosody")
    c2s, component, s2s = free_numbers(3)
    stock = STOCK.read_text(encoding="utf-8")
    include = "\n".join(f'Include "conf.d/{name}.cfg.lua"' for name in order)
    for pattern, replacement in (
        (r"^modules_enabled = \{", 'modules_enabled = {\n\t"privilege";'),
        (r"^pidfile = .*$", f'pidfile = "{folder}/prosody.pid"\ndata_path = "{folder}/data"\nrun_as_root = true'),
        (r"^log = \{(?s:.*?)^\}", f'log = {{ info = "{folder}/prosody.log" }}'),
        (r'^VirtualHost "localhost"$', f"c2s_ports = {{ {c2s} }}\ns2s_ports = {{ {s2s} }}\n\\g<0>"),
        (r'^VirtualHost "localhost"$', f"component_ports = {{ {component} }}\nhttp_ports = {{}}\n\\g<0>"),
        (r'^Include "conf\.d/\*\.cfg\.lua"$', include),
    ):
        stock, count = re.subn(f"(?m){pattern}", replacement, stock)
        assert count == 1, f"Debian's file looks different now: {pattern}"
    for name in ("conf.d", "data", "certs"):
        (folder / name).mkdir()
    fragment = (CONFIG_FOLDER / "panel-presence.cfg.lua").read_text(encoding="utf-8")
    (folder / "conf.d/panel-presence.cfg.lua").write_text(with_locals(fragment, {"secret": SECRET}))
    (folder / "conf.d/example.cfg.lua").write_text(COMPANY)
    config = folder / "prosody.cfg.lua"
    config.write_text(stock)
    return Company(config, component, s2s)


@pytest.fixture(params=[("example", "panel-presence"), ("panel-presence", "example")], ids=["last", "first"])
async def company(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Company]:
    """Debian's Prosody, which reads the fragment last or first."""
    company = write_configuration(tmp_path, request.param)
    node = ProsodyNode(tmp_path)
    await node.start([company.component, company.s2s])
    yield company
    await node.process.stop()


async def test_debians_configuration_takes_the_fragment(company: Company) -> None:
    root = ["--root"] if os.geteuid() == 0 else []
    said = await run_tool("prosodyctl", *root, "--config", company.config, "check", "config")
    assert "All checks passed" in said
    modules = await run_tool("prosodyctl", *root, "--config", company.config, "shell", "module", "list", "example.test")
    assert re.search(r"\bprivilege\b", modules), "step 2"
    assert re.search(r"\blastactivity\b", modules), "the administrator's own is still there"

    assert "not-authorized" in await handshake(company.component, DOMAIN, "another secret")
    assert "<handshake" in await handshake(company.component, "other.example.test", "other secret")
    async with component_stream(company.component, DOMAIN, SECRET) as (answer, rest):
        assert "<handshake" in answer
        granted = (await asyncio.wait_for(rest.readuntil(b"</message>"), 5)).decode()
        for access, kind in (("roster", "both"), ("presence", "managed_entity")):
            assert f"<perm type='{kind}' access='{access}'/>" in granted or (
                f"<perm access='{access}' type='{kind}'/>" in granted
            )
        assert "<handshake" in await handshake(company.component, DOMAIN, SECRET), "the newest has the stream"
        assert b"conflict" in await asyncio.wait_for(rest.read(), 5)


async def test_the_component_is_not_for_the_world(company: Company) -> None:
    assert listening(company.component) in ({HOST}, {HOST, "::1"})
    assert "policy-violation" in await s2s(company, DOMAIN)
    assert "stream:features" in await s2s(company, "example.test")


def listening(port: int) -> set[str]:
    """The addresses on which something listens on a port (proc(5), net/tcp: 32-bit words in the machine's order)."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    found = {row[1].partition(":")[0] for row in rows if row[3] == "0A" and int(row[1].partition(":")[2], 16) == port}
    return {str(ipaddress.ip_address(in_network_order(bytes.fromhex(one)))) for one in found}


def in_network_order(words: bytes) -> bytes:
    return b"".join(words[at : at + 4][:: -1 if sys.byteorder == "little" else 1] for at in range(0, len(words), 4))


async def s2s(company: Company, domain: str) -> str:
    """What another server is told that wants to speak to a domain of this one."""
    reader, writer = await asyncio.open_connection(HOST, company.s2s)
    try:
        writer.write(S2S.format(domain).encode())
        answer = b""
        async with asyncio.timeout(5):
            while not re.search(rb"stream:features|stream:error", answer) and (data := await reader.read(4096)):
                answer += data
            if b"error" in answer:
                answer += await reader.read()
        return answer.decode()
    finally:
        writer.close()
        await writer.wait_closed()
