"""The commands with which any client does what a panel does (XEP-0050): my status, whom I block."""

from xml.etree.ElementTree import Element

from component.core.directory import Employee
from component.core.errors import Refusal
from component.core.facts import CHOOSABLE, Status
from component.core.status import PanelStatus, choice_in_force
from component.core.texts import Language, say
from component.services.blocking import Blocking
from component.services.choices import Choices
from component.services.company import Company
from component.services.ports import Clock
from component.xmpp import forms
from component.xmpp.block_commands import BLOCK, UNBLOCK, BlockCommands

SET_STATUS, SHOW_STATUS = "set-status", "show-status"
NODES = (SET_STATUS, SHOW_STATUS, BLOCK, UNBLOCK)


class Commands:
    """Runs the commands for employees."""

    def __init__(self, company: Company, choices: Choices, blocking: Blocking, clock: Clock) -> None:
        self._company = company
        self._choices = choices
        self._clock = clock
        self._blocks = BlockCommands(company, blocking)

    async def run(self, command: Element, employee: Employee, session: str, language: Language) -> Element:
        """Return the answer to a `<command/>`; raises Refusal."""
        node = command.get("node")
        if node not in NODES:
            raise Refusal("item-not-found", "no-such-command", value=node or "")
        values = forms.submitted(command)
        if command.get("action") == "cancel":
            return forms.cancelled(command)
        if node in (BLOCK, UNBLOCK):
            return await self._blocks.run(command, values, employee, language)
        if node == SHOW_STATUS:
            status = self._company.status(employee.id, self._clock())
            return forms.complete(command, self._note(employee, status, language))
        if values is None:
            return forms.ask(command, self._form(employee, language))
        status = await self._choices.choose(employee.id, values.get("status", ""), values.get("text"), None, session)
        return forms.complete(command, self._note(employee, status, language))

    def _form(self, employee: Employee, language: Language) -> forms.Form:
        choice = choice_in_force(self._company.state(employee.id), self._clock())
        options = [(status.value, self._word(status, language)) for status in CHOOSABLE]
        options += [(preset, preset) for preset, _ in self._company.settings.presets]
        chosen = choice.status if choice else Status.ONLINE
        return forms.Form(
            say("set-status", language),
            say("form-instructions", language),
            (
                forms.Field("status", say("field-status", language), chosen, tuple(options)),
                forms.Field("text", say("field-text", language), (choice.text if choice else None) or ""),
            ),
        )

    def _note(self, employee: Employee, status: PanelStatus, language: Language) -> forms.Note:
        zone = self._company.zone(employee)
        word = self._word(status.status, language)
        facts = [
            forms.Field("status", say("field-status", language), word),
            forms.Field("text", say("field-text", language), status.text or ""),
            forms.Field("phone", say("field-phone", language), say(f"phone-{status.phone}", language)),
        ]
        for var, at in (("since", status.since), ("until", status.until)):
            if at:
                facts.append(forms.Field(var, say(f"field-{var}", language), f"{at.astimezone(zone):%d.%m.%Y %H:%M}"))
        shown = f"{word} — {status.text}" if status.text else word
        return forms.Note(say("status-now", language, status=shown), say("show-status", language), facts)

    def _word(self, status: Status, language: Language) -> str:
        match status:
            case Status.OFFLINE:
                return say("offline-word", language)
            case Status.WAS_HERE:
                return say("was-here-word", language)
            case _:
                return say(status, language)
