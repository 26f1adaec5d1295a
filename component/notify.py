"""What systemd is told (sd_notify(3)): ready, status, alive, stopping. Without systemd nothing happens."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta

EVERY = 2.0
"""Seconds between two looks at the status, and at most between two signs of life."""


class Notifier:
    """Sends datagrams to the socket that NOTIFY_SOCKET names, a path or (with `@`) an abstract name."""

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        """`pid` is this process's id: a watchdog may be meant for another process (sd_watchdog_enabled(3))."""
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        microseconds = environ.get("WATCHDOG_USEC", "") if environ.get("WATCHDOG_PID", str(pid)) == str(pid) else ""
        self.watchdog = int(microseconds) / 1e6 if microseconds.isdecimal() else 0.0
        """Seconds after which systemd ends a silent service; 0 when it does not watch."""
        self.status: Callable[[], str] = lambda: "starting"
        self.rounds: Callable[[], int] = itertools.count().__next__
        """Counts what must go on; until it is set, the event loop itself."""

    def tell(self, **variables: str) -> None:
        """Send variables such as READY="1". A systemd that cannot be reached changes nothing for those we serve."""
        if not self._address:
            return
        message = "\n".join(f"{name}={' '.join(value.split())}" for name, value in variables.items())
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(), self._address)

    def stopping(self, status: str, within: timedelta) -> None:
        """Tell that the stop has begun, and ask for the time that it may take."""
        self.tell(STOPPING="1", STATUS=status, EXTEND_TIMEOUT_USEC=str(int(within.total_seconds() * 1e6)))

    async def keep_alive(self) -> None:
        """Tell `status` when it changes, and feed the watchdog, until cancelled.

        Only a running event loop gets here, and the watchdog is fed only if `rounds` went on within its time.
        """
        if not self._address:
            return
        clock = asyncio.get_running_loop().time
        every, told, counted, counted_at = min(EVERY, self.watchdog / 3 or EVERY), "", -1, clock()
        while True:
            if (count := self.rounds()) != counted:
                counted, counted_at = count, clock()
            if (status := self.status()) != told:
                told = status
                self.tell(STATUS=status)
            if clock() - counted_at < self.watchdog:
                self.tell(WATCHDOG="1")
            await asyncio.sleep(every)
