"""The contact's side of subscriptions (RFC 6121 section 3) and probes (section 4.3): the component is its server.

What a stanza does is the table's (`core.subscription`); the state is derived from the facts: a contact is seen (`From`)
by whoever may see him and has him in his roster, the domain is seen by every employee and, once an account has let it,
sees that account's presence (`Both`). With an empty directory nobody is refused anything, nor is anybody of another
server: one morning of wrong answers would destroy every roster.
"""

from collections.abc import Callable
from datetime import timedelta

from component.core.address import split
from component.core.directory import Employee
from component.core.subscription import DefinedState, SubscriptionType, answered
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
        probed: Callable[[str, str], None] = lambda _session, _employee: None,
    ) -> None:
        """`repair` is asked to put right the roster of an employee whose domain item went, `probed` is told which
        session of which employee has asked for a contact.
        """
        self._company = company
        self._publisher = publisher
        self._stream = stream
        self._clock = clock
        self._repair = repair
        self._probed = probed

    def received(self, kind: SubscriptionType, account: str, localpart: str) -> None:
        """Take a subscription stanza in, from a bare account; `localpart` is a contact's, "" the domain itself.

        Whoever may see is approved at once; everyone else of the employees' servers is refused alike (section 3.1.3).
        """
        viewer, contact = self._pair(account, localpart)
        if viewer and not localpart:
            self._to_domain(kind, viewer)
        elif viewer and contact and self._company.directory.may_see(viewer.id, contact.id):
            self._to_contact(kind, viewer, contact)
        elif self._may_refuse(account):
            reply = answered(kind, DefinedState.NONE, approves=False).reply
            if reply:
                self._stream.send_subscription(reply, localpart, account)

    def probe(self, sender: str, account: str, localpart: str) -> None:
        """Answer the address that asked (section 4.3.2); a probe shows that the item is there."""
        viewer, contact = self._pair(account, localpart)
        if viewer and not localpart:
            self._stream.send_gateway_presence(sender)
        elif viewer and contact and self._company.directory.may_see(viewer.id, contact.id):
            if not self._company.subscribed(viewer.id, contact.id):
                self._note_subscribed(viewer, contact)
            self._publisher.present((contact.id,), (sender,), answer=True)
            self._probed(sender, viewer.id)
        elif self._may_refuse(account):
            self._stream.send_subscription("unsubscribed", localpart, account)

    def _to_contact(self, kind: SubscriptionType, viewer: Employee, contact: Employee) -> None:
        if self._company.contact_jid(contact.id) in self._company.roster(viewer.id).removing:
            return  # what follows our own removal, which was recorded before it was made
        before = self._contact_state(viewer, contact)
        answer = answered(kind, before, approves=True)
        if answer.reply:
            self._note_subscribed(viewer, contact)
            self._stream.send_subscription(answer.reply, contact.localpart, viewer.account)
            self._publisher.present((contact.id,), (viewer.account,))
            self._ask_for_presence(viewer)
        elif answer.state is not before:  # deleted by hand (section 3.3.3)
            provisioned = self._company.roster(viewer.id).provisioned
            self._company.set_exception(viewer.id, contact.id, "deleted" if provisioned else None)
            self._publisher.take_back(contact.localpart, (viewer.account,), "offline")

    def _to_domain(self, kind: SubscriptionType, viewer: Employee) -> None:
        before = self._domain_state(viewer)
        answer = answered(kind, before, approves=True)
        if answer.reply:
            self._stream.send_subscription(answer.reply, "", viewer.account)
            self._stream.send_gateway_presence(viewer.account)
            self._ask_for_presence(viewer)
        elif answer.state is before:
            return
        elif kind == "subscribed":
            self._company.set_roster(viewer.id, domain_item=True)
            self._stream.send_probe(viewer.account)
        elif kind == "unsubscribe":
            self._stream.send_gateway_unavailable(viewer.account)
        elif before is DefinedState.BOTH:
            self._company.set_roster(viewer.id, domain_item=False)
            self._repair(viewer.id)

    def _contact_state(self, viewer: Employee, contact: Employee) -> DefinedState:
        """An item that is still to be set counts: it may be there under an old name."""
        exception = self._company.exception(viewer.id, contact.id)
        kept = self._company.roster(viewer.id).provisioned and exception != "deleted"
        return DefinedState.FROM if kept or exception == "approved" else DefinedState.NONE

    def _domain_state(self, viewer: Employee) -> DefinedState:
        """A refusal leaves no other trace than the date of the question, lest the domain ask again at once."""
        roster = self._company.roster(viewer.id)
        if roster.domain_item:
            return DefinedState.BOTH
        return DefinedState.FROM_PENDING_OUT if roster.asked_at else DefinedState.FROM

    def _pair(self, account: str, localpart: str) -> tuple[Employee | None, Employee | None]:
        directory = self._company.directory
        return directory.by_account.get(account), directory.by_localpart.get(localpart)

    def _note_subscribed(self, viewer: Employee, contact: Employee) -> None:
        roster = self._company.roster(viewer.id)
        provisioned = roster.provisioned and contact.id not in roster.pending
        self._company.set_exception(viewer.id, contact.id, None if provisioned else "approved")

    def _may_refuse(self, account: str) -> bool:
        return split(account)[1] in self._company.directory.account_domains

    def _ask_for_presence(self, viewer: Employee) -> None:
        roster, now = self._company.roster(viewer.id), self._clock()
        if roster.domain_item or (roster.asked_at and now - roster.asked_at < ASK_AGAIN_AFTER):
            return
        self._company.set_roster(viewer.id, asked_at=now)
        self._stream.send_subscription("subscribe", "", viewer.account)
