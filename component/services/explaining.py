"""`why`: from an employee's facts over the rule to his presence, to what watchers were told, and to one viewer."""

from datetime import datetime

from component.core.directory import Employee
from component.core.explanation import RULES, explain
from component.core.facts import State
from component.core.fanout import send_at
from component.core.presence import Available, Presence
from component.core.status import choice_in_force, inactive_since, mode_of, report_in_force
from component.services.company import Company
from component.services.operations import OperationError
from component.services.ports import Clock, RosterError, Stream
from component.services.provisioning import Provisioning
from component.services.publisher import Publisher
from component.services.why import (
    ChoiceFact,
    Decision,
    Facts,
    ItemFact,
    ReportFact,
    SessionFact,
    Shown,
    ToldFact,
    ViewerFact,
    Watchers,
    Why,
)


class Explaining:
    """Explains what is shown of an employee, from what is known at this instant; changes nothing."""

    def __init__(
        self, company: Company, publisher: Publisher, provisioning: Provisioning, stream: Stream, clock: Clock
    ) -> None:
        self._company = company
        self._publisher = publisher
        self._provisioning = provisioning
        self._stream = stream
        self._clock = clock

    async def why(self, employee: str, viewer: str | None) -> Why:
        """See `Operations.why`."""
        known = self._known(employee)
        viewed_by = await self._viewer(known, self._known(viewer)) if viewer is not None else None
        now = self._clock()
        decision, presence = self._decision(known, now), self._company.presence(known.id, now)
        told = self._told(known.id, presence, now)
        return Why(
            id=known.id,
            name=known.name,
            contact=self._company.contact_jid(known.id),
            answer=_answer(known.id, decision, _shown(presence), told, viewed_by),
            facts=self._facts(known, now),
            decision=decision,
            presence=_shown(presence),
            told=told,
            watchers=self._watchers(known.id),
            viewer=viewed_by,
        )

    def _known(self, employee: str) -> Employee:
        known = self._company.directory.employees.get(employee)
        if known is None:
            raise OperationError("item-not-found", f"no employee '{employee}'", "see: panel-presence employees list")
        return known

    def _facts(self, employee: Employee, now: datetime) -> Facts:
        state = self._company.state(employee.id)
        was_activity = bool(state.sessions or state.last_activity or state.launched_at)
        return Facts(
            launched_at=state.launched_at,
            was_activity=was_activity,
            last_activity=inactive_since(state, now, self._company.settings.rules) if was_activity else None,
            mode=mode_of(state, employee.mode),
            sessions=tuple(_sessions(state)),
            report=_report(state, now),
            choice=_choice(state, now),
        )

    def _decision(self, employee: Employee, now: datetime) -> Decision:
        state, status = self._company.state(employee.id), self._company.status(employee.id, now)
        why = explain(state, now, self._company.settings.rules, employee.mode)
        return Decision(
            status=status.status,
            phone=status.phone,
            text=status.text,
            since=status.since,
            until=status.until,
            rule=why.rule,
            because=why.because,
            rules={rule: RULES[rule] for rule in (why.rule, *why.also)},
            hidden=why.hidden,
        )

    def _told(self, employee: str, presence: Presence, now: datetime) -> ToldFact:
        told = self._publisher.told(employee)
        at, what = (told.at, _shown(told.presence)) if told else (None, None)
        if not self._stream.up:
            state = f"the link is down ({self._stream.problem}): nobody is told anything until it is back"
            return ToldFact(state, False, at, what)
        due = send_at(told, presence, now)
        if due is None:
            return ToldFact("everyone who watches has been told", True, at, what)
        if told is None:
            return ToldFact("what watchers hold is just being compared, after a handshake", False, at, what)
        if due > now:
            state = "a newer presence is held back for a moment: a contact is told at most once a second"
            return ToldFact(state, False, at, what)
        return ToldFact("a newer presence is about to be sent: its note in the store comes first", False, at, what)

    def _watchers(self, contact: str) -> Watchers:
        company = self._company
        visible = company.directory.visible_to(contact)
        subscribed = [viewer for viewer in visible if company.subscribed(viewer, contact)]
        sessions = [len(company.state(viewer).sessions) for viewer in subscribed]
        return Watchers(len(visible), len(subscribed), sum(map(bool, sessions)), sum(sessions))

    async def _viewer(self, contact: Employee, viewer: Employee) -> ViewerFact:
        company = self._company
        item, domain_item = await self._item(contact, viewer)
        may_see, visibility = self._may_see(contact, viewer)
        subscribed, subscription = self._subscription(contact.id, viewer.id)
        return ViewerFact(
            id=viewer.id,
            name=viewer.name,
            account=viewer.account,
            may_see=may_see,
            visibility=visibility,
            subscribed=may_see and subscribed,
            subscription=subscription,
            known_sessions=company.roster(viewer.id).domain_item,
            sessions=tuple(company.addresses(viewer.id)),
            item=item,
            domain_item=domain_item,
        )

    def _may_see(self, contact: Employee, viewer: Employee) -> tuple[bool, str]:
        directory = self._company.directory
        may_see = directory.may_see(viewer.id, contact.id)
        if viewer.id == contact.id:
            return may_see, "nobody has a contact of his own"
        for who, whom in ((viewer.id, contact.id), (contact.id, viewer.id)):
            if (who, whom) in directory.blocks:
                return may_see, f"{who} blocks {whom}, and so neither sees the other (panel-presence unblock)"
        if directory.visibility == "everyone":
            return may_see, "everyone sees everyone (company.visibility)"
        shared = [group for group in viewer.groups if group in contact.groups]
        return may_see, f"they share {', '.join(shared)}" if shared else "they share no group (company.visibility)"

    def _subscription(self, contact: str, viewer: str) -> tuple[bool, str]:
        company, problem = self._company, self._provisioning.problems.get(viewer)
        subscribed, roster = company.subscribed(viewer, contact), company.roster(viewer)
        match company.exception(viewer, contact):
            case "deleted":
                words = f"he deleted the contact by hand (rosters sync --restore {viewer} brings it back)"
            case "approved":
                words = "he added the contact by hand and was approved"
            case _ if problem:
                words = problem
            case _ if contact in roster.pending:
                words = "pending: the item is still to be set in his roster"
            case _ if roster.provisioned:
                words = "the component keeps the contact in his roster"
            case _:
                words = "he has not added the contact, and his roster is not filled by the component so far"
        return subscribed, words

    async def _item(self, contact: Employee, viewer: Employee) -> tuple[ItemFact, str | None]:
        try:
            way = await self._provisioning.way()
            if way is None:
                return ItemFact(None, "", (), "", f"rosters cannot be read here ({self._provisioning.reason})"), None
            roster = await way.read(viewer.account)
        except RosterError as problem:
            return ItemFact(None, "", (), "", str(problem)), None
        found, domain_item = (
            roster.get(jid) for jid in (self._company.contact_jid(contact.id), self._company.settings.domain)
        )
        domain = domain_item.subscription if domain_item else "none"
        if found is None:
            return ItemFact(False, "", (), "none", "the contact is not in his roster"), domain
        note = "" if found.subscription in ("to", "both") else "the subscription in his roster does not let him see it"
        return ItemFact(True, found.name, found.groups, found.subscription, note), domain


def _sessions(state: State) -> list[SessionFact]:
    return [
        SessionFact(
            jid=jid,
            panel=session.panel is not None,
            mode=session.panel.mode if session.panel else None,
            phone=(session.panel.phone or "unknown") if session.panel else None,
            idle_since=session.idle_since,
        )
        for jid, session in state.sessions.items()
    ]


def _report(state: State, now: datetime) -> ReportFact | None:
    report = state.report
    if report is None:
        return None
    in_force = report_in_force(state, now) is not None
    return ReportFact(report.pbx, report.phone, report.at, report.expires, in_force)


def _choice(state: State, now: datetime) -> ChoiceFact | None:
    choice = state.choice
    if choice is None:
        return None
    return ChoiceFact(choice.status, choice.text, choice.at, choice.until, choice_in_force(state, now) is choice)


def _shown(presence: Presence) -> Shown:
    texts: dict[str, str] = dict(presence.texts)
    if isinstance(presence, Available):
        return Shown("available", presence.show or "", texts, presence.idle_since)
    return Shown("unavailable", "", texts, None)


def _in_words(shown: Shown) -> str:
    text = next(iter(shown.texts.values()), "")
    return f"{shown.show or shown.type}, «{text}»" if text else shown.show or shown.type


def _answer(employee: str, decision: Decision, now: Shown, told: ToldFact, viewer: ViewerFact | None) -> str:
    who = viewer.id if viewer else "whoever watches"
    if viewer and not viewer.may_see:
        return f"{who} sees nothing of {employee}: {viewer.visibility}"
    if viewer and not viewer.subscribed:
        return f"{who} sees nothing of {employee}: {viewer.subscription}"
    if viewer and viewer.item.found is not None and viewer.item.note:
        return f"{who} sees nothing of {employee}: {viewer.item.note} (panel-presence rosters sync repairs drift)"
    because = f"because {decision.because} ({decision.rule})"
    if viewer and not viewer.sessions:
        return f"{who} is not online; at his login he is shown {employee} as {_in_words(now)}, {because}"
    if told.up_to_date:
        return f"{who} sees {employee} as {_in_words(now)}, {because}"
    if told.presence is None:
        return f"what {who} sees of {employee} is not known: {told.state}"
    return f"{who} still sees {employee} as {_in_words(told.presence)}: {told.state}"
