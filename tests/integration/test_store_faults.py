"""The store fails while the component runs: colleagues see the truth all the same, and what can be kept is kept."""

import resource
import signal
import sqlite3

from tests.integration.office import Office, sees


async def test_a_deleted_store_is_written_anew(office: Office) -> None:
    component = office.component
    petrov, ivanov = await office.client("petrov"), await office.panel("ivanov")
    await ivanov.set_status("busy", "вчера")
    await sees(petrov, office.contact("ivanov"), status="Занят — вчера")
    begin = len(component.lines)
    for file in component.folder.glob("panel-presence.db*"):
        file.unlink()
    await component.wait_log(r"ERROR .* was deleted or replaced", begin=begin, within=20)
    await component.wait_log(r"is complete again", begin=begin)
    await ivanov.set_status("dnd", "сегодня")
    await sees(petrov, office.contact("ivanov"), status="Не беспокоить — сегодня")
    await component.kill()
    await component.start()
    row = await component.control.status(office.id("ivanov"))
    assert (row.chosen, row.text) == ("dnd", "сегодня")
    assert len(await component.control.employees()) == 3
    roster = await office.server.roster(office.id("petrov"))
    assert sorted(item.subscription for item in roster) == ["from", "to", "to"]


async def test_a_locked_store_holds_no_presence_back(office: Office) -> None:
    component = office.component
    petrov, ivanov = await office.client("petrov"), await office.panel("ivanov")
    await sees(petrov, office.contact("ivanov"))
    begin = len(component.lines)
    lock = sqlite3.connect(component.store, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        await ivanov.report_phone("offline")
        await sees(petrov, office.contact("ivanov"), type="unavailable", within=3)
        await component.wait_log(r"WARNING .* is locked by another process", begin=begin)
        await ivanov.report_phone("online")
        await sees(petrov, office.contact("ivanov"), within=3)
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    await component.wait_log(r"the store can be written again", begin=begin)


async def test_a_full_disk_holds_no_presence_back(office: Office) -> None:
    component = office.component
    petrov, ivanov = await office.client("petrov"), await office.panel("ivanov")
    await sees(petrov, office.contact("ivanov"))
    begin = len(component.lines)
    limits = resource.prlimit(component.pid, resource.RLIMIT_FSIZE)
    # No file of the process can grow any more, as on a full disk.
    resource.prlimit(component.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    await ivanov.report_phone("offline")
    await sees(petrov, office.contact("ivanov"), type="unavailable")
    await component.wait_log(r"WARNING .*cannot write to the store", begin=begin)
    resource.prlimit(component.pid, resource.RLIMIT_FSIZE, limits)
    await component.wait_log(r"the store can be written again", begin=begin)
    await ivanov.set_status("busy", "есть место")
    await component.stop(signal.SIGHUP)
    await component.start()
    assert (await component.control.status(office.id("ivanov"))).text == "есть место"


async def test_a_store_deleted_just_before_a_stop_is_written_anew(office: Office) -> None:
    component = office.component
    for file in component.folder.glob("panel-presence.db*"):
        file.unlink()
    await component.restart(signal.SIGHUP)
    assert len(await component.control.employees()) == 3
