"""The contact's side of subscriptions (RFC 6121 section 3) and probes (section 4.3): derived from who may see whom.

With an empty directory nobody is refused anything: one morning of wrong answers would destroy every roster.
"""

from collections.abc import Callable
from datetime import timedelta

from component.core.address import split
from component.core.directory import Employee
from component.services.company import Company
from component.services.ports import Clock, Stream
from component.services.publisher import Publisher

ASK_AGAIN_AFTER = timedelta(weeks=1)
"""How long the domain waits before it asks an account for its presence again."""


class Subscriptions:
    """Answers subscription stanzas and probes that come to contacts and to the component's domain."""

    def __init__(
        self,
        company: Company,
        publisher: Publisher,
        stream: Stream,
        clock: Clock,
        repair: Callable[[str], None],
    ) -> None:
        """`repair` is asked to put right the roster of an employee whose domain item went."""
        self._company = company
        self._publisher = publisher
        self._stream = stream
        self._clock = clock
        self._repair = repair

    def subscribe(self, account: str, localpart: str) -> None:
        """Approve at once who may see the contact, refuse everyone else alike (section 3.1.3)."""
        viewer, contact = self._pair(account, localpart)
        if viewer and not localpart:
            self._stream.send_subscription("subscribed", "", account)
            self._stream.send_gateway_presence(account)
            self._ask_for_presence(viewer)
        elif viewer and contact and self._company.directory.may_see(viewer.id, contact.id):
            self._note_subscribed(viewer, contact)
            self._stream.send_subscription("subscribed", localpart, account)
            self._publisher.present((contact.id,), (account,))
            self._ask_for_presence(viewer)
        elif self._may_refuse(account):
            self._stream.send_subscription("unsubscribed", localpart, account)

    def unsubscribe(self, account: str, localpart: str) -> None:
        """The employee deleted the contact, or we did, which was recorded before (section 3.3)."""
        viewer, contact = self._pair(account, localpart)
        if not viewer or not contact or not self._company.directory.may_see(viewer.id, contact.id):
            return
        if self._company.contact_jid(contact.id) in self._company.roster(viewer.id).removing:
            return
        provisioned = self._company.roster(viewer.id).provisioned
        self._company.set_exception(viewer.id, contact.id, "deleted" if provisioned else None)
        self._publisher.take_back(localpart, (account,), "offline")

    def subscribed(self, account: str, localpart: str) -> None:
        """The account lets the domain see its presence; a contact never asks for it."""
        viewer, _ = self._pair(account, localpart)
        if viewer and not localpart and not self._company.roster(viewer.id).domain_item:
            self._company.set_roster(viewer.id, domain_item=True)
            self._stream.send_probe(account)

    def unsubscribed(self, account: str, localpart: str) -> None:
        """The account no longer lets the domain see its presence: the item is repaired where it can be."""
        viewer, _ = self._pair(account, localpart)
        if viewer and not localpart and self._company.roster(viewer.id).domain_item:
            self._company.set_roster(viewer.id, domain_item=False)
            self._repair(viewer.id)

    def probe(self, sender: str, account: str, localpart: str) -> None:
        """Answer the full JID that asked (section 4.3.2); a probe shows that the item is there."""
        viewer, contact = self._pair(account, localpart)
        if viewer and not localpart:
            self._stream.send_gateway_presence(sender)
        elif viewer and contact and self._company.directory.may_see(viewer.id, contact.id):
            if not self._company.subscribed(viewer.id, contact.id):
                self._note_subscribed(viewer, contact)
            self._publisher.present((contact.id,), (sender,), answer=True)
        elif self._may_refuse(account):
            self._stream.send_subscription("unsubscribed", localpart, account)

    def _pair(self, account: str, localpart: str) -> tuple[Employee | None, Employee | None]:
        directory = self._company.directory
        return directory.by_account.get(account), directory.by_localpart.get(localpart)

    def _note_subscribed(self, viewer: Employee, contact: Employee) -> None:
        provisioned = self._company.roster(viewer.id).provisioned
        self._company.set_exception(viewer.id, contact.id, None if provisioned else "approved")

    def _may_refuse(self, account: str) -> bool:
        return split(account)[1] in self._company.directory.account_domains

    def _ask_for_presence(self, viewer: Employee) -> None:
        roster, now = self._company.roster(viewer.id), self._clock()
        if roster.domain_item or (roster.asked_at and now - roster.asked_at < ASK_AGAIN_AFTER):
            return
        self._company.set_roster(viewer.id, asked_at=now)
        self._stream.send_subscription("subscribe", "", viewer.account)
