"""profanity, a client that no one here wrote, logged in on a terminal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.clients.tmux import Terminal, terminal

_ACCOUNT = """\
[work]
enabled=true
jid={account}
password={password}
resource=profanity
server=127.0.0.1
port={port}
tls.policy=disable
presence.last=online
presence.login=online
priority.online=0
"""
_PREFERENCES = """\
[ui]
splash=false
roster=true
roster.by=none
roster.offline=true
roster.show.status=true
roster.priority=false
roster.presence=true
roster.size=45
statuses.console=all
statuses.chat=all
tips=false
vercheck=false
titlebar.presence=true
wintitle.show=false

[notifications]
message=false

[logging]
chlog=false
"""


@asynccontextmanager
async def profanity(folder: Path, account: str, password: str, port: int) -> AsyncIterator[Terminal]:
    """Log in and give the terminal; everything that profanity writes stays in the folder."""
    files = {"data/profanity/accounts": _ACCOUNT, "config/profanity/profrc": _PREFERENCES}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(text.format(account=account, password=password, port=port), encoding="utf-8")
    environment = {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        "TZ": "Europe/Moscow",
    }
    async with terminal("profanity", "-a", "work", environment=environment) as shown:
        await shown.wait("logged in successfully")
        yield shown
