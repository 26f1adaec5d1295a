"""Chat between employees through their contacts, whatever their phones do (R8)."""

import secrets
from collections import OrderedDict
from xml.etree.ElementTree import Element

from component.core import chat
from component.core.address import RESOURCE, bare, split
from component.core.errors import Refusal
from component.core.texts import language_of, say
from component.services.attendance import Attendance
from component.services.company import Company
from component.services.ports import Stream

REMEMBERED = 20_000
"""Messages whose senders' full JIDs are kept for a bounce; the durable outbox will hold them instead."""


class Relay:
    """Forwards messages between contacts and accounts, and maps bounces back to the senders."""

    def __init__(
        self, company: Company, attendance: Attendance, stream: Stream, *, remembered: int = REMEMBERED
    ) -> None:
        self._remembered = remembered
        self._company = company
        self._attendance = attendance
        self._stream = stream
        self._senders: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    def message(self, message: Element) -> None:
        """Take a message to a contact in: forward it, refuse it, or return a bounce; errors are never answered."""
        sender = message.get("from", "")
        account, localpart = bare(sender), split(message.get("to", ""))[0]
        if message.get("type") == "error":
            self._bounced(message, account, localpart)
            return
        if employee := self._company.directory.by_account.get(account):
            self._attendance.acted(sender, employee.id)
        try:
            way = chat.route(self._company.directory, account, localpart, message.get("type"))
        except Refusal as refusal:
            self._stream.send_message(self._refused(message, refusal))
            return
        if message.get("id") is None:
            message.set("id", secrets.token_hex(8))
        self._senders[way.recipient.account, way.sender.localpart, message.get("id", "")] = sender
        while len(self._senders) > self._remembered:
            self._senders.popitem(last=False)
        if not self._stream.send_message(chat.forwarded(message, way, self._company.settings.domain)):
            self.refuse(message, "not-acceptable", "message-impossible")

    def refuse(self, message: Element, condition: str, key: str) -> None:
        """Answer a message with an error, unless it is one."""
        if message.get("type") != "error":
            self._stream.send_message(self._refused(message, Refusal(condition, key)))

    def _refused(self, message: Element, refusal: Refusal) -> Element:
        employee = self._company.directory.by_account.get(bare(message.get("from", "")))
        fallback = self._company.language(employee) if employee else self._company.settings.style.language
        language = language_of(message.get(chat.XML_LANG), fallback)
        return chat.refused(message, refusal.condition, say(refusal.key, language, **refusal.values), language)

    def _bounced(self, message: Element, account: str, localpart: str) -> None:
        sender = self._senders.pop((account, localpart, message.get("id", "")), None)
        recipient = self._company.directory.by_account.get(account)
        if sender and recipient:
            contact = f"{recipient.localpart}@{self._company.settings.domain}/{RESOURCE}"
            self._stream.send_message(chat.error_returned(message, sender, contact))
