"""What must hold whatever comes in: of the answers to one stanza, and of everything the company knows."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from xml.etree.ElementTree import Element, tostring

from component.core.address import bare, split
from component.core.facts import CHOOSABLE
from component.xmpp.gate import MAX_STANZA, recipient
from component.xmpp.namespaces import IQ, MESSAGE, PRESENCE
from component.xmpp.privileges import MOST_DOMAINS
from tests.unit.fakes import DOMAIN
from tests.unit.stanza_rig import PEOPLE, StanzaRig

SECRETS = ("Тайна-Ж", "7391-55", "совсем секретно")
"""The hidden employee's name, extension and custom text: nothing that comes in has them."""
HIDDEN = "hidden@example.test"
ACCOUNTS = {one.account: one.localpart for one in PEOPLE}


class Failures(logging.Handler):
    """Collects the exceptions that were logged."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.found.append(self.format(record))


@contextmanager
def failures() -> Iterator[list[str]]:
    """Yield a list of the exceptions that are logged; what is only told of the many bad stanzas is not."""
    handler, log = Failures(), logging.getLogger("component")
    log.addHandler(handler)
    log.setLevel(logging.CRITICAL)
    quiet = [logging.getLogger(f"component.{name}") for name in ("xmpp.inbound", "services")]
    for one in quiet:
        one.setLevel(logging.ERROR)
    try:
        yield handler.found
    finally:
        log.removeHandler(handler)
        for one in (log, *quiet):
            one.setLevel(logging.NOTSET)


def check_answers(came: Element, left: list[Element]) -> None:
    """What one stanza may make leave: its answer, what concerns the sender's colleagues, and nothing to outsiders."""
    sender, kind = came.get("from", ""), came.get("type")
    if came.tag == IQ and kind in ("result", "error"):
        assert left == [], "an answer was answered"
    if kind == "error":
        to_sender = [one for one in left if bare(one.get("to", "")) == bare(sender)]
        assert not [one for one in to_sender if one.get("type") == "error"], "an error was answered with an error"
    if came.tag == IQ and kind in ("get", "set"):
        check_the_one_answer(came, [one for one in left if one.tag == IQ])
    for one in left:
        check_discretion(came, one)


def check_the_one_answer(iq: Element, answers: list[Element]) -> None:
    """RFC 6120 section 8.2.3: one result or error for each request, with its id."""
    sender, to = iq.get("from", ""), iq.get("to", "")
    if not (recipient(sender) and recipient(to) and split(to)[1] == DOMAIN):
        assert answers == []
    elif len(iq.get("id", "")) < MAX_STANZA // 10:
        found = [(one.get("from"), one.get("to"), one.get("type") in ("result", "error")) for one in answers]
        assert found == [(to, sender, True)]


def check_discretion(came: Element, left: Element) -> None:
    """Who may get what: strangers only errors and refusals, nobody anything of whom he may not see."""
    account, contact = bare(left.get("to", "")), split(left.get("from", ""))[0]
    if account != HIDDEN:
        text = tostring(left, encoding="unicode")
        assert not any(secret in text for secret in SECRETS), "a secret of the hidden employee left"
    if left.get("type") in ("error", "unsubscribed") or (left.tag == IQ and came.tag == IQ):
        return
    assert account in ACCOUNTS, "a stranger learned something"
    assert left.tag in (PRESENCE, MESSAGE), "an iq that answers nothing"
    if contact:
        assert (contact == "hidden") == (account == HIDDEN), "somebody saw whom he may not see"
        assert contact != ACCOUNTS[account], "somebody got his own contact"


def as_for_nobody(stanza: Element) -> Element:
    """The same stanza, to a contact that does not exist."""
    copy = deepcopy(stanza)
    copy.set("to", copy.get("to", "").replace("hidden@", "nobody@", 1))
    return copy


def same_to(sender: str, one: list[Element], other: list[Element]) -> bool:
    """Whether what a sender got from the hidden contact and from nobody's differs by the name alone."""

    def got(left: list[Element]) -> list[str]:
        his = [stanza for stanza in left if bare(stanza.get("to", "")) == bare(sender)]
        return [tostring(stanza, encoding="unicode").replace("hidden@", "nobody@") for stanza in his]

    return got(one) == got(other)


def check_company(rig: StanzaRig) -> None:
    """Every fact that is kept is consistent and bounded, and has a status and a presence."""
    company, now = rig.company, rig.clock.now
    employees = company.directory.employees
    assert {one.id for one in PEOPLE} == set(employees)
    assert set(company._states) <= set(employees)
    assert set(company._rosters) <= set(employees)
    assert set(company._subscriptions) <= set(employees)
    for viewer, rows in company._subscriptions.items():
        assert set(rows) <= set(employees) - {viewer}
        assert set(rows.values()) <= {"deleted", "approved"}
    assert all({*pair} <= set(employees) for pair in company.directory.blocks)
    sessions = {jid: one for one, state in company._states.items() for jid in state.sessions}
    assert company.sessions == sessions
    for jid, one in sessions.items():
        assert bare(jid) == employees[one].account, "a session of somebody else"
        assert split(jid)[2], "a session without a resource"
    for one in employees:
        state = company.state(one)
        assert rig.store.states.get(one, state) == state, "another state was stored"
        assert state.choice is None or state.choice.status in CHOOSABLE
        assert state.report is None or rig.attendance.is_pbx(state.report.pbx)
        for at in (state.launched_at, state.last_activity, *(each.idle_since for each in state.sessions.values())):
            assert at is None or at <= now, "something happened in the future"
        assert company.status(one, now).phone
        assert company.presence(one, now).payload.status == company.status(one, now).status
    check_sizes(rig)


def check_sizes(rig: StanzaRig) -> None:
    """What is remembered beside the facts is bounded by employees and sessions."""
    company, attendance = rig.company, rig.attendance
    localparts = set(company.directory.by_localpart)
    assert set(rig.outbound._cache) <= localparts
    assert set(rig.publisher._told) <= set(company.directory.employees)
    assert len(rig.clock.deadlines) <= 2 * len(localparts) + 1
    assert all(map(attendance.is_pbx, attendance._pbxs))
    catch_up, publisher = rig.catch_up, rig.publisher
    waited_for = attendance._unconfirmed | set(attendance._replays)
    waited_for |= catch_up._stored | catch_up._seen | publisher._fresh
    assert all(jid in company.sessions or attendance.is_pbx(jid) for jid in waited_for)
    assert {*publisher._doubtful, *publisher._marking, *publisher._shown} <= set(company.directory.employees)
    assert len(rig.relay._senders) <= rig.relay._remembered
    assert rig.outbound._requests._waiting == {}
    assert company.deaf <= set(company.sessions)
    assert len(rig.privileges._granted) <= MOST_DOMAINS
