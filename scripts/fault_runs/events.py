"""What people do all day, at random: each event is one thing that one of them, or the administrator, does."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from component.control.codec import ControlError
from component.panel_client.stanzas import stamp
from component.services.operations import OperationError
from scripts.fault_runs.client import Client, Panel
from scripts.fault_runs.site import Site

GROUPS = ("Продажи", "Склад", "Поддержка")
TEXTS = ("", "На обеде", "<b>&amp;</b> на складе", "перезвоню")
RESOURCES = ("panel", "pc", "phone")


class Day:
    """A company in which things happen; `log` says what."""

    def __init__(self, site: Site, dice: random.Random) -> None:
        self.site, self.dice = site, dice
        self.log: list[str] = []
        self.imported = True
        self._running: set[asyncio.Task[None]] = set()
        self._clients = {(person, one): site.client(person, one) for person in site.people for one in RESOURCES}
        self._pbx = site.client(site.pbx, "pbx")
        self._kinds: list[tuple[int, Callable[[], str]]] = [
            (16, self._come),
            (6, self._go),
            (12, self._panel),
            (14, self._choose),
            (4, self._administrator),
            (10, self._ordinary),
            (8, self._phone),
            (4, self._probe),
            (3, self._move),
            (2, self._delete),
            (1, self._subscribe),
        ]

    async def begin(self) -> None:
        """Everybody comes with one client, the PBX too."""
        for person in self.site.people:
            await self._clients[person, self.dice.choice(RESOURCES[:2])].login()
        self._pbx.general = f"<presence/><presence to='{self._pbx.component}'/>"
        await self._pbx.login()

    async def happen(self, count: int) -> None:
        """Let so many things happen, a few milliseconds apart."""
        weights = [weight for weight, _ in self._kinds]
        for _ in range(count):
            (_, kind) = self.dice.choices(self._kinds, weights)[0]
            what = kind()
            self.log.append(f"{self.site.loop.time():.2f} {kind.__name__.strip('_')} {what}")
            await asyncio.sleep(self.dice.uniform(0, 0.02))

    async def end(self, within: float = 30.0) -> None:
        """Wait for what was begun, and for the last import, which a fault may have refused."""
        async with asyncio.timeout(within):
            while self._running:
                await asyncio.wait(self._running)
            while not self.imported:
                await self._import()
                await asyncio.sleep(0.1)

    def _any(self) -> Client:
        return self._clients[self.dice.choice(list(self._clients))]

    def _online(self, resource: str | None = None) -> Client | None:
        found = [one for one in self._clients.values() if one.online and resource in (None, one.resource)]
        return self.dice.choice(found) if found else None

    def _come(self) -> str:
        client = self._any()
        if client.wanted:
            return "nobody"
        client.panel = Panel(self.dice.choice(("softphone", "deskphone"))) if client.resource == "panel" else None
        client.come_back()
        return client.jid

    def _go(self) -> str:
        client = self._online()
        if client is None:
            return "nobody"
        unclean = self.dice.random() < 0.5
        client.abort() if unclean else self._start(client.logout())
        return f"{client.jid} {'breaks' if unclean else 'logs out'}"

    def _panel(self) -> str:
        client = self._online("panel")
        if client is None or client.panel is None:
            return "nobody"
        since = datetime.now(UTC) - timedelta(minutes=self.dice.choice((1, 20, 61)))
        changes: list[dict[str, object]] = [
            {"idle_since": since},
            {"idle_since": None},
            {"phone": "offline"},
            {"phone": "online"},
            {"mode": "softphone"},
            {"mode": "deskphone"},
        ]
        client.show(replace(client.panel, **self.dice.choice(changes)))  # type: ignore[arg-type]  # replace checks names
        return f"{client.jid} {client.panel}"

    def _choose(self) -> str:
        client = self._online()
        if client is None:
            return "nobody"
        value, text = self.dice.choice(("online", "busy", "dnd", "offline")), self.dice.choice(TEXTS)
        until = ""
        if self.dice.random() < 0.2:
            until = f" until='{stamp(datetime.now(UTC) + timedelta(seconds=self.dice.choice((2, 3000))))}'"
        inner = f"<text>{escape(text)}</text>" if text else ""
        status = f"<status xmlns='urn:panel-presence:1' value='{value}'{until}>{inner}</status>"
        client.send(f"<iq type='set' id='choose' to='{client.component}'>{status}</iq>")
        return f"{client.jid} {value}{until} {text}"

    def _administrator(self) -> str:
        person, value = self.dice.choice(list(self.site.people)), self.dice.choice(("online", "busy", "dnd"))
        self._start(self._set(person, value, self.dice.choice(TEXTS)))
        return f"{person} {value}"

    async def _set(self, person: str, value: str, text: str) -> None:
        with suppress(ControlError, OperationError):
            await self.site.component.control.set_status(person, value, text=text or None, until=None)

    def _ordinary(self) -> str:
        client = self._online()
        if client is None:
            return "nobody"
        show = self.dice.choice(("", "away", "xa", "dnd", "chat"))
        idle = f"<idle xmlns='urn:xmpp:idle:1' since='{stamp(datetime.now(UTC) - timedelta(minutes=30))}'/>"
        client.general = (
            "<presence>"
            + (f"<show>{show}</show>" if show else "")
            + f"<priority>{self.dice.choice((-1, 0, 5))}</priority>"
            + (idle if self.dice.random() < 0.3 else "")
            + "</presence>"
        )
        client.send(client.general)
        return f"{client.jid} {client.general}"

    def _phone(self) -> str:
        if self.dice.random() < 0.1:
            if self._pbx.wanted:
                self._pbx.abort()
                return "the PBX goes"
            self._pbx.come_back()
            return "the PBX comes"
        person, state = self.dice.choice(list(self.site.people)), self.dice.choice(("online", "online", "offline"))
        phone = f"<phone xmlns='urn:panel-presence:1' employee='{person}' state='{state}'/>"
        self._pbx.send(f"<iq type='set' id='phone' to='{self._pbx.component}'>{phone}</iq>")
        return f"{person} {state}"

    def _probe(self) -> str:
        client, person = self._online(), self.dice.choice(list(self.site.people))
        if client is None:
            return "nobody"
        client.probe(self.site.contact(person))
        return f"{client.jid} {person}"

    def _move(self) -> str:
        person = self.site.people[self.dice.choice(list(self.site.people))]
        person.groups = frozenset(self.dice.sample(GROUPS, self.dice.choice((1, 1, 2))))
        self.imported = False
        self._start(self._import())
        return f"{person.id} to {sorted(person.groups)}"

    async def _import(self) -> None:
        groups = {one.id: one.groups for one in self.site.people.values()}
        with suppress(ControlError, OperationError):
            await self.site.import_directory()
            self.imported = groups == {one.id: one.groups for one in self.site.people.values()}

    def _delete(self) -> str:
        client = self._online()
        if client is None:
            return "nobody"
        contact = self.site.contact(self.dice.choice(list(self.site.people)))
        client.send(
            "<iq type='set' id='delete'><query xmlns='jabber:iq:roster'>"
            f"<item jid='{contact}' subscription='remove'/></query></iq>"
        )
        return f"{client.jid} {contact}"

    def _subscribe(self) -> str:
        client = self._online()
        if client is None:
            return "nobody"
        contact = self.site.contact(self.dice.choice(list(self.site.people)))
        client.send(f"<presence type='subscribe' to='{contact}'/>")
        return f"{client.jid} {contact}"

    def _start(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
