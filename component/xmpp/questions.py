"""Iq requests: one table for the component's domain, one for contacts, and one gate before both.

Whoever may not see a contact gets the answer for a contact that does not exist.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from component.core.address import RESOURCE, bare, split
from component.core.directory import Employee
from component.core.errors import Refusal
from component.core.facts import Status
from component.core.status import choice_in_force
from component.core.texts import Language, language_of, say
from component.services.attendance import Attendance
from component.services.choices import Choices
from component.services.company import Company
from component.services.ports import Clock
from component.xmpp import disco
from component.xmpp.commands import NODES, Commands
from component.xmpp.namespaces import (
    COMMANDS,
    DISCO_INFO,
    DISCO_ITEMS,
    LAST,
    PANEL,
    PING,
    TIME,
    VCARD,
    VERSION,
    XML_LANG,
    tag,
)
from component.xmpp.panel_protocol import (
    ContactRow,
    read_page,
    read_phone,
    read_status_get,
    read_status_set,
    write_status,
    write_statuses,
)

MAX_ITEMS = 1000
"""Contacts that disco#items lists; more would not fit into a stanza."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request: its payload, the full JID that asks, his employee if he is one, and the answer's language."""

    payload: Element
    sender: str
    employee: Employee | None
    language: Language
    contact: Employee | None = None


Answer = Element | None
"""The payload of the result, None for an empty one."""
Handler = Callable[[Question], Answer | Awaitable[Answer]]


class Questions:
    """Answers iq requests."""

    def __init__(
        self, company: Company, choices: Choices, attendance: Attendance, commands: Commands, clock: Clock
    ) -> None:
        self._company = company
        self._choices = choices
        self._attendance = attendance
        self._clock = clock
        self._started = clock()
        self._commands = commands
        self.gateway = disco.gateway_info(say("gateway", company.settings.style.language))
        self._to_domain: dict[tuple[str, str], Handler] = {
            ("get", tag(DISCO_INFO, "query")): self._domain_info,
            ("get", tag(DISCO_ITEMS, "query")): self._domain_items,
            ("get", tag(PING, "ping")): lambda _: None,
            ("get", tag(VERSION, "query")): lambda _: disco.version(),
            ("get", tag(LAST, "query")): lambda _: disco.uptime(self._started, self._clock()),
            ("get", tag(VCARD, "vCard")): lambda _: disco.named_vcard(self.gateway.name),
            ("set", tag(COMMANDS, "command")): self._command,
            ("get", tag(PANEL, "status")): self._get_status,
            ("set", tag(PANEL, "status")): self._set_status,
            ("get", tag(PANEL, "statuses")): self._statuses,
            ("set", tag(PANEL, "phone")): self._phone,
        }
        self._to_contact: dict[tuple[str, str], Handler] = {
            ("get", tag(DISCO_INFO, "query")): self._contact_info,
            ("get", tag(DISCO_ITEMS, "query")): lambda question: disco.items([], question.payload.get("node")),
            ("get", tag(PING, "ping")): lambda _: None,
            ("get", tag(VERSION, "query")): lambda _: disco.version(),
            ("get", tag(LAST, "query")): self._last,
            ("get", tag(VCARD, "vCard")): self._vcard,
            ("get", tag(TIME, "time")): self._time,
        }

    def language(self, stanza: Element) -> Language:
        """Return the language in which a stanza is answered: its own, else the employee's, else the company's."""
        employee = self._company.directory.by_account.get(bare(stanza.get("from", "")))
        fallback = self._company.language(employee) if employee else self._company.settings.style.language
        return language_of(stanza.get(XML_LANG), fallback)

    def answer(self, iq: Element) -> Answer | Awaitable[Answer]:
        """Return the result's payload, or what to await for it; raises Refusal."""
        sender, to = iq.get("from", ""), iq.get("to", "")
        localpart, _, resource = split(to)
        if len(iq) != 1:  # RFC 6120 section 8.2.3
            raise Refusal("bad-request", "one-payload")
        payload = iq[0]
        employee = self._company.directory.by_account.get(bare(sender))
        key = (iq.get("type", ""), payload.tag)
        question = Question(payload, sender, employee, self.language(iq))
        if not localpart:
            handler = self._to_domain.get(key)
        else:
            contact = self._company.directory.by_localpart.get(localpart)
            if not (employee and contact and resource in ("", RESOURCE)) or not self._company.directory.may_see(
                employee.id, contact.id
            ):
                raise Refusal("service-unavailable", "not-here")
            handler = self._to_contact.get(key)
            question = Question(payload, sender, employee, question.language, contact)
        if handler is None:
            raise Refusal("service-unavailable", "not-here")
        return handler(question)

    def _domain_info(self, question: Question) -> Element:
        node = question.payload.get("node")
        if node in NODES:
            return disco.command_info(say(node, question.language)).element(node)
        if node not in (None, "", f"{disco.CAPS_NODE}#{self.gateway.ver}"):
            raise Refusal("item-not-found", "not-here")
        return self.gateway.element(node)

    def _domain_items(self, question: Question) -> Element:
        node, domain = question.payload.get("node"), self._company.settings.domain
        if question.employee is None:
            return disco.items([], node)
        if node == COMMANDS:
            return disco.items([(domain, one, say(one, question.language)) for one in NODES], node)
        if node:
            raise Refusal("item-not-found", "not-here")
        employees = self._company.directory.employees
        visible = sorted(self._company.directory.visible_to(question.employee.id))[:MAX_ITEMS]
        return disco.items([(self._company.contact_jid(one), None, employees[one].name) for one in visible])

    async def _command(self, question: Question) -> Element:
        employee = self._employee(question)
        return await self._commands.run(question.payload, employee, question.sender, question.language)

    def _get_status(self, question: Question) -> Element:
        employee = self._employee(question)
        read_status_get(question.payload)
        return self._status(employee)

    async def _set_status(self, question: Question) -> Element:
        employee, request = self._employee(question), read_status_set(question.payload)
        await self._choices.choose(employee.id, request.value, request.text, request.until, question.sender)
        return self._status(employee)

    def _status(self, employee: Employee) -> Element:
        now = self._clock()
        choice = choice_in_force(self._company.state(employee.id), now)
        return write_status(self._company.status(employee.id, now), choice.status if choice else Status.ONLINE)

    def _statuses(self, question: Question) -> Element:
        employee, page = self._employee(question), read_page(question.payload)
        now, company = self._clock(), self._company
        ids = sorted(company.directory.visible_to(employee.id))
        return write_statuses(ids, page, lambda one: self._row(one, now))

    def _row(self, employee: str, now: datetime) -> ContactRow:
        name = self._company.directory.employees[employee].name
        return ContactRow(employee, self._company.contact_jid(employee), name, self._company.status(employee, now))

    def _phone(self, question: Question) -> None:
        if not self._attendance.is_pbx(question.sender):
            raise Refusal("forbidden", "not-pbx")
        employee, phone = read_phone(question.payload)
        if employee not in self._company.directory.employees:
            raise Refusal("item-not-found", "unknown-employee", value=employee)
        self._attendance.phone(question.sender, employee, phone)

    def _employee(self, question: Question) -> Employee:
        if question.employee is None:
            raise Refusal("forbidden", "not-employee")
        return question.employee

    def _contact_info(self, question: Question) -> Element:
        node = question.payload.get("node")
        if node not in (None, "", f"{disco.CAPS_NODE}#{disco.CONTACT.ver}"):
            raise Refusal("item-not-found", "not-here")
        return disco.CONTACT.element(node)

    def _last(self, question: Question) -> Element:
        now = self._clock()
        return disco.last_activity(self._company.presence(_contact(question).id, now), now)

    def _vcard(self, question: Question) -> Element:
        return disco.vcard(_contact(question))

    def _time(self, question: Question) -> Element:
        return disco.local_time(self._clock().astimezone(self._company.zone(_contact(question))))


def _contact(question: Question) -> Employee:
    if question.contact is None:
        raise Refusal("service-unavailable", "not-here")
    return question.contact
