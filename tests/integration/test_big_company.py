"""Ten thousand employees come in with one command, with a progress bar."""

import asyncio
import os
import pty
import sys

import pytest

from scripts.benchmarks.people import directory
from tests.conftest import OpenOffice


@pytest.mark.timeout(300)
async def test_ten_thousand_employees(open_office: OpenOffice) -> None:
    settings = {"company": {"visibility": "groups"}, "rosters": {"method": "handshake"}}
    office = await open_office({}, settings=settings, start=False)
    component = office.component
    await component.start()
    path = component.folder / "employees.csv"
    path.write_text(directory(10_000, 200, office.server.domain), encoding="utf-8")
    terminal, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "component", "employees", "import", str(path), "-c", str(component.config)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    shown = await asyncio.to_thread(read_all, terminal)
    assert await process.wait() == 0, shown
    assert "reading" in shown, shown
    assert "2/4" in shown, shown
    assert "imported: 10000 added, 0 changed, 0 moved, 0 removed, 0 unchanged" in shown, shown
    rows = await component.control.employees()
    assert len(rows) == 10_000
    assert rows[0].groups == ("Отдел 0",)
    report = await component.control.import_employees(
        path.read_text(encoding="utf-8"), dry_run=False, allow_removals=None, progress=lambda _: None
    )
    assert (report.added, report.unchanged) == (0, 10_000)
    await component.restart()
    assert (await component.control.status("e09999")).status == "online"


def read_all(terminal: int) -> str:
    """Read a terminal until its program ends (Linux says EIO then)."""
    data = b""
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            chunk = b""
        if not chunk:
            os.close(terminal)
            return data.decode(errors="replace")
        data += chunk
