"""Statuses chosen by any road: the panel's protocol, a command, the command line."""

from datetime import datetime

from component.core.errors import Refusal
from component.core.facts import CHOOSABLE, Status, StatusChosen
from component.core.status import PanelStatus, check_choice
from component.core.text import custom_text
from component.services.company import Company
from component.services.ports import Clock, Store, StoreError
from component.services.publisher import Publisher


class Choices:
    """Checks a choice, shows it at once and answers when it is stored."""

    def __init__(self, company: Company, publisher: Publisher, store: Store, clock: Clock) -> None:
        self._company = company
        self._publisher = publisher
        self._store = store
        self._clock = clock

    async def choose(
        self, employee: str, value: str, text: str | None, until: datetime | None, session: str | None
    ) -> PanelStatus:
        """Set an employee's status and return the panel status in force.

        `value` is a status that can be chosen, or a preset's text, which brings its status; `session` is the full JID
        that asks. Raises Refusal (R7, bad text, bad time), and `resource-constraint` when the status is shown but the
        store does not take it now; it is stored as soon as the store can.
        """
        status, preset_text = self._meaning(value)
        event = StatusChosen(status, preset_text or custom_text(text), until, session)
        mode = self._company.directory.employees[employee].mode
        longest = self._company.settings.longest_until
        check_choice(self._company.state(employee), event, self._clock(), mode, longest)
        self._publisher.record(employee, event)
        try:
            await self._store.committed()
        except StoreError:
            raise Refusal("resource-constraint", "not-stored") from None
        return self._company.status(employee, self._clock())

    def _meaning(self, value: str) -> tuple[Status, str | None]:
        for preset, status in self._company.settings.presets:
            if value == preset:
                return Status(status), preset
        if value not in CHOOSABLE:
            raise Refusal("bad-request", "unknown-status", value=value)
        return Status(value), None
