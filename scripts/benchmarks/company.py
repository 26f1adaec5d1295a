"""`company`: a directory of many employees: import, memory, start."""

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks.people import directory
from tests.servers.component import Component
from tests.servers.ejabberd import Ejabberd


@dataclass(frozen=True)
class Round:
    """One round: seconds of the import's command and of the start until the handshake, resident bytes."""

    import_seconds: float
    again_seconds: float
    start_seconds: float
    empty_bytes: int
    imported_bytes: int
    restarted_bytes: int


def resident(pid: int) -> int:
    """Resident memory of a process in bytes (proc(5))."""
    fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * 4096


async def measure(employees: int, group: int) -> Round:
    """Run one round: import into an empty store, import again, restart."""
    folder = Path(tempfile.mkdtemp())
    server = Ejabberd(folder / "ejabberd")
    await server.start()
    settings: dict[str, dict[str, object]] = {
        "xmpp": {"domain": server.component_domain, "secret": server.secret, "port": server.ports.component},
        "company": {"visibility": "groups"},
        "rosters": {"method": "handshake"},
    }
    component = Component(folder / "component", settings)
    try:
        await component.start()
        empty = resident(component.pid)
        path = folder / "employees.csv"
        path.write_text(directory(employees, group, server.domain), encoding="utf-8")
        began = time.monotonic()
        await component.cli("employees", "import", str(path))
        imported = time.monotonic()
        await component.cli("employees", "import", str(path))
        again = time.monotonic()
        memory = resident(component.pid)
        await component.stop()
        started = time.monotonic()
        await component.start()
        return Round(
            imported - began,
            again - imported,
            time.monotonic() - started,
            empty,
            memory,
            resident(component.pid),
        )
    finally:
        await component.stop()
        await server.stop()
        shutil.rmtree(folder)
