"""The live table: what the watching colleague's roster sees, the day's steps, and how to take part."""

from collections import deque
from datetime import datetime

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from component.panel_client import Event, PanelClient, Seen
from scripts.demo.company import PASSWORD, PEOPLE, WATCHER, Demo

LOOKS = {
    "": ("●", "green", "available"),
    "away": ("●", "yellow", "away"),
    "xa": ("●", "orange3", "extended away"),
    "dnd": ("●", "red", "do not disturb"),
    "unavailable": ("○", "grey50", "unavailable"),
}


class Board:
    """Renders itself anew whenever it is asked."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._watcher: PanelClient | None = None
        self._changed: dict[str, str] = {}
        self.told: list[Seen] = []
        self.steps: deque[str] = deque(maxlen=9)

    def watch(self, watcher: PanelClient) -> None:
        """Show what this client sees."""
        self._watcher = watcher

    def note(self, event: Event) -> None:
        """Remember when a contact's presence came."""
        if isinstance(event, Seen):
            self.told.append(event)
            self._changed[event.jid.partition("/")[0]] = f"{datetime.now():%H:%M:%S}"

    def __rich__(self) -> Group:
        """The table, the steps and the logins."""
        return Group(self._table(), Panel("\n".join(self.steps) or "…", title="the day"), self.logins())

    def _table(self) -> Table:
        table = Table(title=f"What {PEOPLE[WATCHER].name} sees in her roster", expand=True)
        for name in ("", "contact", "show", "status", "idle", "told at"):
            table.add_column(name, no_wrap=name != "status")
        for one, person in PEOPLE.items():
            if one == WATCHER or self._watcher is None:
                continue
            seen = self._watcher.seen(self._demo.contact(one))
            dot, colour, show = LOOKS[seen.show if seen.available else "unavailable"]
            idle = f"{(seen.last_seconds or 0) // 60} min" if seen.idle_since else ""
            told = self._changed.get(self._demo.contact(one), "")
            table.add_row(Text(dot, colour), person.name, Text(show, colour), seen.status, idle, told)
        return table

    def logins(self) -> Panel:
        """How a person takes part."""
        server = self._demo.server
        accounts = "  ".join(self._demo.account(one) for one in PEOPLE)
        text = (
            f"Log in with any XMPP client and take part:\n{accounts}\npassword [bold]{PASSWORD}[/bold]"
            f"   server [bold]127.0.0.1[/bold]   port [bold]{server.ports.c2s}[/bold]"
            "   (TLS: a self-signed certificate)"
            f"\nset a status: the commands of {server.component_domain} (XEP-0050).   Ctrl-C ends all."
        )
        return Panel(text, title="you")


def plain(console: Console, line: str) -> None:
    """Print a line as it is, without markup or wrapping."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)
