"""What another directory means to those who see each other, or no longer do: a step of imports and of blocks."""

import asyncio
from collections.abc import Iterable, Set

from component.core.directory import Directory
from component.services.company import Company
from component.services.ports import Stream
from component.services.publisher import Publisher


class DirectoryChanges:
    """Prepares rosters and watchers for a directory; `lock` is held by whoever changes the directory."""

    def __init__(self, company: Company, publisher: Publisher, stream: Stream) -> None:
        self.lock = asyncio.Lock()
        self._company = company
        self._publisher = publisher
        self._stream = stream

    def note_pending(
        self, viewers: Iterable[str], before: Directory, after: Directory, renewed: Set[str] = frozenset()
    ) -> set[str]:
        """Note the items that are to be set, lest they count as deleted by hand; return whose rosters change.

        `renewed` are contacts whose items are to be set again, because their names or groups changed; until then their
        presences go on as before.
        """
        affected: set[str] = set()
        for viewer in viewers:
            seen, sees = before.visible_to(viewer), after.visible_to(viewer)
            due, renew, roster = sees - seen, renewed & sees & seen, self._company.roster(viewer)
            if roster.provisioned:
                self._company.set_roster(viewer, pending=roster.pending | due, renewed=roster.renewed | renew)
            if due or renew or seen - sees:
                affected.add(viewer)
        return affected

    def take_back(self, viewers: Iterable[str], before: Directory, after: Directory) -> None:
        """Show contacts as gone to those who may no longer see them, and end their subscriptions made by hand.

        An account that is no employee's any more, or another one's, is shown nobody of whom its employee saw.

        A contact deleted by hand stays deleted, should he be visible again, unless he leaves the directory.
        """
        for viewer in viewers:
            now = after.employees.get(viewer)
            keeps_account = now is not None and now.account == before.employees[viewer].account
            seen = before.visible_to(viewer)
            for contact in seen - after.visible_to(viewer) if keeps_account else seen:
                self._end(viewer, contact, before)
                if contact not in after.employees:
                    self._company.set_exception(viewer, contact, None)

    def link_up(self) -> None:
        """End the subscriptions that could not be ended while the link was down: nobody else would."""
        for viewer, contact in self._company.still_approved():
            self._end(viewer, contact, self._company.directory)

    def _end(self, viewer: str, contact: str, directory: Directory) -> None:
        localpart = directory.employees[contact].localpart
        if self._company.subscribed(viewer, contact):
            self._publisher.take_back(localpart, tuple(self._company.addresses(viewer)), "removed")
        if self._company.exception(viewer, contact) == "approved" and self._stream.up:
            self._stream.send_subscription("unsubscribed", localpart, directory.employees[viewer].account)
            self._company.set_exception(viewer, contact, None)
