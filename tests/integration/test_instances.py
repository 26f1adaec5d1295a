"""A second instance of the same company: it stands by, and takes over when the first one ends or hangs."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import OpenOffice
from tests.integration.office import Office, sees
from tests.servers.component import Component

STANDS_BY = r"WARNING .*another instance serves this company \(process \d+ on "


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    return await open_office(settings={"xmpp": {"beat": "1s"}})


@pytest.fixture
async def second(office: Office, tmp_path: Path) -> AsyncIterator[Component]:
    """Another instance on the same store, with a control socket of its own, as on another machine."""
    other = Component(tmp_path / "second", office.component.settings)
    other.settings["control"] = {"socket": str(other.socket)}
    yield other
    await other.stop()


async def test_a_second_instance_stands_by_and_takes_over(office: Office, second: Component) -> None:
    petrov, ivanov = await office.client("petrov"), await office.panel("ivanov")
    await second.start(until=STANDS_BY)
    said = await second.cli("check")
    assert f"! instances: process {office.component.pid} on " in said
    assert "link:" not in said
    await ivanov.set_status("busy")
    await sees(petrov, office.contact("ivanov"), show="dnd")
    await office.component.kill()
    await second.wait_log("connected to ")
    await ivanov.set_status("dnd")
    await sees(petrov, office.contact("ivanov"), status="Не беспокоить")


async def hang(component: Component) -> None:
    """Stop a component's process, but not in the middle of a transaction: nobody could use its store then."""
    while True:
        os.kill(component.pid, signal.SIGSTOP)
        with closing(sqlite3.connect(component.store, timeout=0, isolation_level=None)) as store:
            try:
                store.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(component.pid, signal.SIGCONT)
                await asyncio.sleep(0)
            else:
                store.execute("ROLLBACK")
                return


async def test_a_hung_instance_is_replaced_and_ends_when_it_wakes(office: Office, second: Component) -> None:
    petrov, ivanov = await office.client("petrov"), await office.panel("ivanov")
    first = office.component
    await hang(first)
    try:
        await second.start(until=STANDS_BY)
        # ejabberd splits the traffic between the two now, Prosody refuses the newcomer: either way it is reported.
        await second.wait_log(r"connected to |another connection of this component is open", within=30)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    await first.wait_log(r"ERROR .*another instance \(process \d+ on .*\) has taken over", within=20)
    assert await first.wait_exit() == 1
    await ivanov.set_status("dnd")
    await sees(petrov, office.contact("ivanov"), status="Не беспокоить", within=10)


async def test_a_stranger_on_the_same_domain_is_reported(office: Office, tmp_path: Path) -> None:
    """Another store: no lease tells them of each other, but what they send to themselves does."""
    stranger = Component(tmp_path / "stranger", {**office.component.settings})
    stranger.settings |= {
        "store": {"url": f"sqlite+aiosqlite:///{stranger.store}"},
        "control": {"socket": str(stranger.socket)},
    }
    begin = len(office.component.lines)
    try:
        await stranger.start(until=r"ERROR .*(second connection|another connection)", within=30)
        if not any("another connection" in line for line in stranger.lines):
            await office.component.wait_log(r"ERROR .*second connection", begin=begin, within=30)
            assert "✗ instances: " in await office.component.cli("check", expect=1)
    finally:
        await stranger.stop()
