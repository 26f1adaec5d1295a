"""mcabber, a client that no one here wrote, logged in on a terminal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.clients.tmux import Terminal, terminal

# `tls = 0` does not stop it from using STARTTLS, so the server's certificate is taken as it is.
_CONFIGURATION = """\
set jid = {account}
set password = {password}
set server = 127.0.0.1
set port = {port}
set tls = 0
set ssl_ignore_checks = 1
set resource = mcabber
set log_display_presence = 1
set show_status_in_buffer = 1
set roster_width = 40
set roster_display_filter =
set logging = 0
set splash = 0
roster display ofdna_?
"""


def _write(folder: Path, configuration: str) -> Path:
    folder.mkdir(parents=True)
    path = folder / "mcabberrc"
    path.touch(mode=0o600)  # it refuses a file that others can read
    path.write_text(configuration, encoding="utf-8")
    return path


@asynccontextmanager
async def mcabber(folder: Path, account: str, password: str, port: int) -> AsyncIterator[Terminal]:
    """Log in and give the terminal; everything that mcabber writes stays in the folder."""
    configuration = _write(folder, _CONFIGURATION.format(account=account, password=password, port=port))
    environment = {"HOME": str(folder), "TZ": "Europe/Moscow"}
    async with terminal("mcabber", "-f", str(configuration), environment=environment) as shown:
        await shown.wait("Your status has been set")
        yield shown
