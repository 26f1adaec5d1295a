"""The commands "block" and "unblock" (XEP-0050): an employee's own list, in any client."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from component.core.directory import Employee
from component.core.texts import Language, say
from component.services.blocking import Blocking
from component.services.company import Company
from component.xmpp import forms

BLOCK, UNBLOCK = "block", "unblock"
MAX_OPTIONS = 200
"""Colleagues that a form lists; of more, the address is asked for: the form must fit into a stanza and on a screen."""


class BlockCommands:
    """Runs the two commands. Who blocks the employee is nowhere to be seen."""

    def __init__(self, company: Company, blocking: Blocking) -> None:
        self._company = company
        self._blocking = blocking

    async def run(
        self, command: Element, values: dict[str, str] | None, employee: Employee, language: Language
    ) -> Element:
        """Return the answer to a `<command/>`; raises Refusal."""
        node, directory = command.get("node", ""), self._company.directory
        if values is None:
            ids = directory.blocked_by(employee.id) if node == UNBLOCK else sorted(directory.visible_to(employee.id))
            return self._ask(command, node, ids, language)
        other = self._blocking.colleague(employee.id, values.get("colleague", "").strip())
        name = directory.employees[other].name
        if node == BLOCK:
            await self._blocking.block(employee.id, other)
        else:
            await self._blocking.unblock(employee.id, other, by_himself=True)
        return forms.complete(command, forms.Note(say(f"{node}ed", language, name=name)))

    def _ask(self, command: Element, node: str, ids: Sequence[str], language: Language) -> Element:
        if not ids:
            nobody = "nobody-to-block" if node == BLOCK else "nobody-blocked"
            return forms.complete(command, forms.Note(say(nobody, language)))
        title, instructions = say(node, language), say(f"{node}-instructions", language)
        if len(ids) > MAX_OPTIONS:
            label = say("field-colleague-address", language, domain=self._company.settings.domain)
            return forms.ask(command, forms.Form(title, instructions, (forms.Field("colleague", label),)))
        employees = self._company.directory.employees
        options = sorted(((one, employees[one].name) for one in ids), key=lambda option: option[1])
        field = forms.Field("colleague", say("field-colleague", language), options=tuple(options))
        return forms.ask(command, forms.Form(title, instructions, (field,)))
