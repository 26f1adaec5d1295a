"""The panel's client: what a panel says and asks, and what it sees of its employee's colleagues."""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element, SubElement

from . import stanzas as x
from .connection import Connection, PanelClientError, PanelError
from .events import Event, EventLog

Mode = Literal["softphone", "deskphone"]
Phone = Literal["online", "offline"]
_log = logging.getLogger(__name__)


class PanelClient:
    """One XMPP session of an employee; after `launch()` it is a panel, without it an ordinary client.

    It sends general presence first and directed presence after it, answers `<announce/>`, reconnects by
    itself and then announces itself again. It neither answers nor sends subscription requests on its own.

    jid: bare JID of the account. component: the component's domain. host, port: where the server listens,
    else found by DNS. resource: "" lets the server make one; two programs with one resource replace each
    other. plaintext: no TLS, for loopback only. ca_file: certificates to trust instead of the system's.
    lang: language of error texts. reconnect: keep the session up. keepalive: seconds between pings that find
    a hung link. retry: seconds until a panel that could not reach the component announces itself again.
    on_event: called with every presence, message and roster push.

    To read: `presences` (the latest presence by full JID), `roster` (by bare JID), `inbox` (messages in
    order), `events` (what nobody waited for yet).
    """

    def __init__(
        self,
        jid: str,
        password: str,
        *,
        component: str,
        host: str | None = None,
        port: int = 5222,
        resource: str = "panel",
        plaintext: bool = False,
        ca_file: Path | None = None,
        lang: str = "en",
        reconnect: bool = True,
        keepalive: float = 60.0,
        retry: float = 30.0,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self.jid, self.component = jid, component
        self.presences: dict[str, x.Seen] = {}
        self.roster: dict[str, x.RosterItem] = {}
        self.inbox: deque[x.ReceivedMessage] = deque(maxlen=10_000)
        self.events = EventLog()
        self.on_event = on_event
        self._retry = retry
        self._retrying: asyncio.TimerHandle | None = None
        self._general = x.presence(priority="0")
        self._panel: tuple[Mode, Phone | None, datetime | None] | None = None
        self._connection = Connection(
            f"{jid}/{resource}" if resource else jid,
            password,
            address=None if host is None else (host, port),
            plaintext=plaintext,
            ca_file=ca_file,
            lang=lang,
            reconnect=reconnect,
            keepalive=keepalive,
            handlers={"presence": self._on_presence, "message": self._on_message, "roster": self._on_roster},
            begin=self._begin_session,
        )

    @property
    def full_jid(self) -> str:
        """The full JID that the server gave to this session."""
        return self._connection.jid

    async def connect(self, within: float = 10.0) -> None:
        """Log in, fetch the roster, switch carbons on, send general presence (priority 0).

        Raises PanelClientError: no server there, wrong password, no TLS, no session within `within` seconds.
        """
        self._general, self._panel = x.presence(priority="0"), None
        await self._connection.connect(within)

    async def wait_online(self, within: float = 30.0) -> None:
        """Wait until the session is up (again); raises TimeoutError after `within` seconds."""
        await self._connection.wait_online(within)

    async def close(self) -> None:
        """End the session in order (`</stream:stream>`); the server sends the unavailable presences itself."""
        await self._connection.close()

    def kill(self) -> None:
        """Abort the connection without goodbye, as a crash does, and stay away until `connect()`."""
        self._connection.kill()

    def break_link(self) -> None:
        """Abort the connection without goodbye; the client reconnects, if it may."""
        self._connection.break_link()

    async def launch(self, mode: Mode, phone: Phone | None = "online") -> None:
        """Tell the component that the panel runs, with its phone mode and its phone's state."""
        self._tell(mode, phone, None)

    async def idle(self, since: datetime) -> None:
        """Tell the component that the employee has been inactive since a moment (XEP-0319)."""
        mode, phone, _ = self._launched()
        self._tell(mode, phone, since)

    async def active(self) -> None:
        """Tell the component that the employee is active (again)."""
        mode, phone, _ = self._launched()
        self._tell(mode, phone, None)

    async def report_phone(self, phone: Phone | None) -> None:
        """Tell the component the state of the panel's own phone, None = unknown."""
        mode, _, idle_since = self._launched()
        self._tell(mode, phone, idle_since)

    async def set_status(self, value: str, text: str | None = None, until: datetime | None = None) -> x.PanelStatus:
        """Choose a panel status with its custom text; it replaces the whole former choice.

        until: when it ends by itself. Returns the status now in force. Raises PanelError ("not-allowed":
        offline in deskphone mode; "bad-request"; "not-acceptable": the text), ValueError if `until` has no
        time zone.
        """
        status = Element(f"{{{x.PANEL}}}status", value=value)
        if until is not None:
            status.set("until", x.stamp(until))
        if text is not None:
            SubElement(status, f"{{{x.PANEL}}}text").text = text
        return x.read_status(await self.request("set", status, self.component))

    async def status(self) -> x.PanelStatus:
        """Ask for one's own panel status; raises PanelError."""
        status = Element(f"{{{x.PANEL}}}status")
        return x.read_status(await self.request("get", status, self.component))

    async def statuses(self, page: int = 100) -> list[x.ContactStatus]:
        """Ask for all colleagues that one may see, `page` at a time (XEP-0059); raises PanelError."""
        found: list[x.ContactStatus] = []
        after: str | None = None
        while True:
            query = Element(f"{{{x.PANEL}}}statuses")
            rsm = SubElement(query, f"{{{x.RSM}}}set")
            SubElement(rsm, f"{{{x.RSM}}}max").text = str(page)
            if after is not None:
                SubElement(rsm, f"{{{x.RSM}}}after").text = after
            contacts, after = x.read_statuses(await self.request("get", query, self.component))
            found += contacts
            if not contacts or after is None:
                return found

    async def report_phone_of(self, employee: str, state: Phone) -> None:
        """Report an employee's phone, for PBX programs; raises PanelError ("forbidden": this is no PBX)."""
        phone = Element(f"{{{x.PANEL}}}phone", employee=employee, state=state)
        await self.request("set", phone, self.component)

    async def send_chat(
        self, to: str, body: str | None, *extra: Element, id: str | None = None, type: str = "chat"
    ) -> str:
        """Send a message with further payload elements; returns its id, a random one where none is given."""
        id = id or uuid.uuid4().hex
        message = Element(f"{{{x.CLIENT}}}message", to=to, type=type, id=id)
        if body is not None:
            SubElement(message, f"{{{x.CLIENT}}}body").text = body
        message.extend(extra)
        self.send(message)
        return id

    async def send_presence(
        self, show: str = "", status: str = "", *, idle: datetime | None = None, priority: int = 0
    ) -> None:
        """Send general presence as an ordinary client does; it is repeated after a reconnect."""
        extra = [] if idle is None else [x.idle(idle)]
        self._general = x.presence(*extra, show=show, status=status, priority=str(priority))
        self.send(self._general)

    async def subscribe(self, contact: str) -> None:
        """Ask to see a contact's presence (RFC 6121 section 3.1)."""
        self.send(x.presence(to=contact, type="subscribe"))

    async def unsubscribe(self, contact: str) -> None:
        """Give up seeing a contact's presence (RFC 6121 section 3.3)."""
        self.send(x.presence(to=contact, type="unsubscribe"))

    async def remove_roster_item(self, contact: str) -> None:
        """Delete a contact from the roster (RFC 6121 section 2.5); raises PanelError."""
        query = Element(f"{{{x.ROSTER}}}query")
        SubElement(query, f"{{{x.ROSTER}}}item", jid=contact, subscription="remove")
        await self.request("set", query)

    async def request(
        self, type: Literal["get", "set"], payload: Element, to: str | None = None, within: float = 10.0
    ) -> Element:
        """Send any iq, `to` None = one's own account, and return the answer's element.

        Raises PanelError if the answer is an error, PanelClientError if none comes within `within` seconds.
        """
        return await self._connection.request(type, payload, to, within)

    def send(self, stanza: Element) -> None:
        """Write any stanza (tag in `jabber:client`) at once; raises PanelClientError without a connection."""
        self._connection.send(stanza)

    def seen(self, contact: str) -> x.Seen:
        """What this client believes of a contact (bare or full JID); unavailable if it was told nothing."""
        known = [s for jid, s in self.presences.items() if contact in (jid, jid.partition("/")[0])]
        known.insert(0, x.Seen(contact, type="unavailable"))
        return next((s for s in reversed(known) if s.available), known[-1])

    async def next_presence(self, fits: Callable[[x.Seen], bool], within: float = 5.0) -> x.Seen:
        """Wait for the first presence that fits and was not waited for yet, see `EventLog.next`."""
        return await self.events.next(x.Seen, fits, within)

    async def next_message(self, fits: Callable[[x.ReceivedMessage], bool], within: float = 5.0) -> x.ReceivedMessage:
        """Wait for the first message that fits and was not waited for yet, see `EventLog.next`."""
        return await self.events.next(x.ReceivedMessage, fits, within)

    async def next_roster_push(self, fits: Callable[[x.RosterItem], bool], within: float = 5.0) -> x.RosterItem:
        """Wait for the first roster push that fits and was not waited for yet, see `EventLog.next`."""
        return await self.events.next(x.RosterItem, fits, within)

    async def _begin_session(self) -> None:
        self.presences.clear()
        roster = await self.request("get", Element(f"{{{x.ROSTER}}}query"))
        self.roster = {item.jid: item for item in x.read_roster(roster)}
        try:
            await self.request("set", Element(f"{{{x.CARBONS}}}enable"))
        except PanelError as error:
            _log.info("%s: the server has no carbons: %s", self.jid, error)
        self.send(self._general)
        self._announce()

    def _launched(self) -> tuple[Mode, Phone | None, datetime | None]:
        if self._panel is None:
            raise PanelClientError("not-connected", "launch() comes first")
        return self._panel

    def _tell(self, mode: Mode, phone: Phone | None, idle_since: datetime | None) -> None:
        """Remember the panel's state for later announcements, then send it, at the latest on reconnect."""
        self._panel = (mode, phone, idle_since)
        if not self._connection.will_return:
            self._announce()

    def _announce(self) -> None:
        if self._retrying is not None:
            self._retrying.cancel()
        if self._panel is None:
            return
        mode, phone, idle_since = self._panel
        panel = Element(f"{{{x.PANEL}}}panel", mode=mode)
        if phone is not None:
            panel.set("phone", phone)
        self.send(x.presence(panel, *([] if idle_since is None else [x.idle(idle_since)]), to=self.component))

    def _on_presence(self, stanza: Element) -> None:
        seen = x.read_presence(stanza)
        if seen.type in ("available", "unavailable"):
            self.presences.pop(seen.jid, None)
            self.presences[seen.jid] = seen
        self._record(seen)
        if seen.jid != self.component:
            return
        if stanza.find(f"{{{x.PANEL}}}announce") is not None:
            self._announce()
        elif seen.error is not None and seen.error.type != "modify":
            # The component is down and does not know of this panel: nobody will ask for an announcement.
            self._retrying = asyncio.get_running_loop().call_later(self._retry, self._announce_again)

    def _announce_again(self) -> None:
        if self._connection.online:
            self._announce()

    def _on_message(self, stanza: Element) -> None:
        message = x.read_message(stanza, self.jid)
        self.inbox.append(message)
        self._record(message)

    def _on_roster(self, iq: Element) -> None:
        for item in x.read_roster(iq):
            self.roster[item.jid] = item
            if item.subscription == "remove":
                del self.roster[item.jid]
            self._record(item)

    def _record(self, event: Event) -> None:
        self.events.record(event)
        if self.on_event is not None:
            # Not called from here: slixmpp would answer its exceptions to the stanza's sender.
            asyncio.get_running_loop().call_soon(self.on_event, event)
