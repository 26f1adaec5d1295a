"""What comes in: every stanza is decided from its element and handed to the service that it concerns.

Nothing that comes in may raise out of `stanza`: slixmpp would close the stream.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from xml.etree.ElementTree import Element

from component.core.address import bare, split
from component.core.errors import ERROR_TYPES, Refusal
from component.core.texts import say
from component.services.attendance import Attendance
from component.services.company import Company
from component.services.relay import Relay
from component.services.subscriptions import Subscriptions
from component.xmpp.namespaces import COMPONENT, IQ, MESSAGE, PANEL, PRESENCE, tag
from component.xmpp.outbound import Outbound, error_element
from component.xmpp.panel_protocol import delay_stamp, idle_since, read_panel
from component.xmpp.privileges import Privileges
from component.xmpp.questions import Answer, Questions

log = logging.getLogger(__name__)


class Inbound:
    """Dispatches stanzas."""

    def __init__(
        self,
        company: Company,
        attendance: Attendance,
        subscriptions: Subscriptions,
        relay: Relay,
        questions: Questions,
        outbound: Outbound,
        privileges: Privileges,
        came_back: Callable[[str, int], None],
    ) -> None:
        """`came_back` is told of each message that an instance of this domain sent to itself: its id and number."""
        self._came_back = came_back
        self._company = company
        self._attendance = attendance
        self._relay = relay
        self._questions = questions
        self._outbound = outbound
        self._privileges = privileges
        self._answering: set[asyncio.Task[None]] = set()
        self._subscriptions = subscriptions

    def stanza(self, element: Element) -> None:
        """Take one stanza in."""
        try:
            if element.tag == PRESENCE:
                self._presence(element)
            elif element.tag == MESSAGE:
                self._message(element)
            elif element.tag == IQ:
                self._iq(element)
        except Exception:  # an exception that escapes closes the stream for everybody
            log.exception("a stanza from %s could not be handled", element.get("from"))
            if element.tag == IQ and element.get("type") in ("get", "set"):
                self._refuse(element, Refusal("internal-server-error", "internal"))
            elif element.tag == MESSAGE:
                self._relay.refuse(element, "internal-server-error", "internal")

    def _presence(self, presence: Element) -> None:
        sender, kind = presence.get("from", ""), presence.get("type")
        localpart, _, _ = split(presence.get("to", ""))
        match kind:
            case "subscribe" | "subscribed" | "unsubscribe" | "unsubscribed":
                self._subscriptions.received(kind, bare(sender), localpart)
            case "probe":
                self._subscriptions.probe(sender, bare(sender), localpart)
            case "error":
                self._attendance.refuses(sender)
            case "unavailable" if not localpart:
                self._attendance.gone(sender)
            case None:
                # One directed to a contact is received by an employee's contact, who is no client: it says no more
                # than that its sender is there, and gives him nothing (RFC 6121 section 4.6.4).
                self._attendance.hears(sender)
                if not localpart:
                    self._available(presence, sender)

    def _available(self, presence: Element, sender: str) -> None:
        employee = self._company.directory.by_account.get(bare(sender))
        if self._attendance.is_pbx(sender):
            self._attendance.pbx_here(sender)
        if employee is None or not split(sender)[2]:  # an account itself is no session
            return
        panel = presence.find(tag(PANEL, "panel"))
        if panel is None:
            away = presence.findtext(tag(COMPONENT, "show")) in ("away", "xa")
            self._attendance.client(
                sender, employee.id, _idle_or_none(presence), away=away, stamp=delay_stamp(presence)
            )
            return
        try:
            mode, phone = read_panel(panel)
            since = idle_since(presence)
        except Refusal as refusal:
            language = self._questions.language(presence)
            text = say(refusal.key, language, **refusal.values)
            kind = ERROR_TYPES[refusal.condition]
            to = presence.get("to", "")
            self._outbound.send_presence_error(sender, to, refusal.condition, kind, text, language)
            return
        self._attendance.panel(sender, employee.id, mode, phone, since)

    def _message(self, message: Element) -> None:
        if split(message.get("to", ""))[0]:
            self._relay.message(message)
        elif message.get("from") == self._company.settings.domain:
            # Only a connection of this domain can have sent it: servers check `from`.
            mark = message.find(tag(PANEL, "instance"))
            if mark is not None and (number := mark.get("number", "")).isdecimal() and len(number) < 20:
                self._came_back(mark.get("id", ""), int(number))
        elif not self._privileges.take(message):
            self._relay.refuse(message, "service-unavailable", "not-here")

    def _iq(self, iq: Element) -> None:
        kind = iq.get("type")
        if kind in ("result", "error"):
            self._outbound.answered(iq)
            return
        try:
            answer = self._questions.answer(iq)
        except Refusal as refusal:
            self._refuse(iq, refusal)
            return
        if inspect.isawaitable(answer):
            task = asyncio.ensure_future(self._answer_later(iq, answer))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        else:
            self._reply(iq, answer)

    async def _answer_later(self, iq: Element, answer: Awaitable[Answer]) -> None:
        try:
            self._reply(iq, await answer)
        except Refusal as refusal:
            self._refuse(iq, refusal)
        except Exception:  # the asker must get an answer, and the task has no one else to tell
            log.exception("a request from %s could not be answered", iq.get("from"))
            self._refuse(iq, Refusal("internal-server-error", "internal"))

    def _reply(self, iq: Element, payload: Element | None) -> None:
        result = self._response(iq, "result")
        if payload is not None:
            result.append(payload)
        if not self._outbound.send(result):  # too large, as when a huge node is echoed
            self._refuse(iq, Refusal("not-acceptable", "answer-impossible"))

    def _refuse(self, iq: Element, refusal: Refusal) -> None:
        language = self._questions.language(iq)
        error = self._response(iq, "error")
        text = say(refusal.key, language, **refusal.values)
        error.append(error_element(refusal.condition, ERROR_TYPES[refusal.condition], text, language))
        self._outbound.send(error)

    def _response(self, iq: Element, kind: str) -> Element:
        attributes = {"type": kind, "id": iq.get("id", ""), "from": iq.get("to", ""), "to": iq.get("from", "")}
        return Element(IQ, attributes)


def _idle_or_none(presence: Element) -> datetime | None:
    try:
        return idle_since(presence)
    except Refusal:
        return None
