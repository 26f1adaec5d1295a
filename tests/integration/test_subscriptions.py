"""RFC 6121 Appendix A played from a client's side against the real server: stanza by stanza, roster by roster."""

from collections.abc import Callable, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element

from component.core.subscription import DefinedState
from tests.conftest import OpenOffice
from tests.integration.office import Office, Person
from tests.integration.wire import CLIENT, PING, Wire, written
from tests.servers.ejabberd import Ejabberd

PEOPLE = {
    "ivanov": Person("Иванов Иван", groups="Склад"),
    "petrov": Person("Петров Пётр", groups="Склад"),
    "sidorov": Person("Сидоров Сидор", groups="Склад"),
    "orlov": Person("Орлов Олег", groups="Склад"),
    "hidden": Person("Скрытов Семён", groups="Офис"),
}
BY_HAND = {"company": {"visibility": "groups"}, "rosters": {"method": "handshake"}}
ROSTER = "jabber:iq:roster"
ANNOUNCE, STATUS = "{urn:panel-presence:1}announce", f"{{{CLIENT}}}status"
NONE, NONE_OUT = DefinedState.NONE, DefinedState.NONE_PENDING_OUT
TO, FROM, BOTH = DefinedState.TO, DefinedState.FROM, DefinedState.BOTH


class Roster:
    """One account's subscription to one address of ours, and what comes from there to one session."""

    def __init__(self, office: Office, name: str, wire: Wire, jid: str) -> None:
        self.office, self.name, self.wire, self.jid = office, name, wire, jid
        self._seen = 0

    async def after(self, *kinds: str) -> list[str]:
        """Send stanzas in one write; returns the types of the presences that came back by then, and before."""
        self.wire.write("".join(f"<presence to='{self.jid}' type='{kind}'/>" for kind in kinds))
        return await self.came()

    async def came(self) -> list[str]:
        """What came since it was asked last, when all is done with; the same presence twice running counts once.

        What all watchers are told is noted in the store first, so who asks meanwhile may hear it twice.
        """
        await done(self.wire)
        news, self._seen = self.wire.came[self._seen :], len(self.wire.came)
        theirs = [one for one in news if presence(one) and one.get("from", "").partition("/")[0] == self.jid]
        told = [(self._type(one), written(one)) for one in theirs if one.find(ANNOUNCE) is None]
        return [kind for (kind, _), same in groupby(told) for _ in (same if kind != "available" else "1")]

    async def state(self) -> DefinedState:
        """The state on the server; a request that waits for the employee is in no client's roster (Appendix A.1)."""
        answer = await self.wire.iq(f"<query xmlns='{ROSTER}'/>", to=None, kind="get")
        items = [one for one in answer.iter(f"{{{ROSTER}}}item") if one.get("jid") == self.jid]
        stored = [one for one in await self.office.server.roster(self.office.id(self.name)) if one.jid == self.jid]
        if not items:
            return NONE
        (item,), (kept,) = items, stored
        assert kept.subscription == item.get("subscription")
        words = [str(item.get("subscription")).title()] + (["Pending Out"] if item.get("ask") == "subscribe" else [])
        return DefinedState(" + ".join(words))

    def _type(self, stanza: Element) -> str:
        kind = stanza.get("type", "available")
        bare = stanza.get("from") == self.jid
        assert bare == (kind in ("subscribe", "subscribed", "unsubscribed") or self.jid == self.wire.domain), kind
        if kind == "unavailable":
            assert not stanza.findall(f"{{{CLIENT}}}show") + stanza.findall(f"{{{CLIENT}}}priority")
        return kind


def presence(stanza: Element) -> bool:
    return stanza.tag == f"{{{CLIENT}}}presence"


async def done(wire: Wire) -> None:
    """Wait until the component has done with all that was sent before; strangers are answered by an error."""
    await wire.iq(PING, kind="get")


async def seen(wire: Wire, fits: Callable[[Element], bool]) -> None:
    """Wait for a stanza, unless it is there."""
    if not any(fits(one) for one in wire.came):
        await wire.next(fits)


async def reads(wire: Wire, text: str) -> None:
    """Wait for a presence with a text in its first status."""
    await seen(wire, lambda one: text in (one.findtext(STATUS) or ""))


async def logged_in(office: Office, name: str, to: str, resource: str = "wire") -> Roster:
    """A session of an employee that looks at one address of ours; what its login causes is done with."""
    wire = await Wire.open(office, name, resource)
    await wire.iq(f"<query xmlns='{ROSTER}'/>", to=None, kind="get")
    await done(wire)
    return Roster(office, name, wire, to)


async def sessions(office: Office, name: str) -> int:
    return (await office.component.control.status(office.id(name))).sessions


async def walk(roster: Roster, steps: Sequence[tuple[str, Sequence[str], DefinedState]]) -> None:
    """Play steps: what is sent (words), what comes back from there, the state on the server after it."""
    for number, (sends, comes, after) in enumerate(steps):
        step = f"step {number}: {sends}"
        assert await roster.after(*sends.split()) == list(comes), step
        assert await roster.state() is after, step


async def forbids(roster: Roster) -> None:
    """Send `unsubscribed`, which leaves the account's own subscription as it is: To (A.2.4).

    ejabberd's mod_shared_roster ends that too and tells it to nobody; the next `subscribe` heals it.
    """
    assert await roster.after("unsubscribed") == []
    after = await roster.state()
    assert after is TO or (after is NONE and isinstance(roster.office.server, Ejabberd))
    await walk(roster, [("subscribe", ["available"] if after is TO else ["subscribed", "available"], TO)])


async def test_every_state_with_a_contact(open_office: OpenOffice) -> None:
    """The contact's side is None or From; it never asks and so nothing that the account grants it means anything."""
    office = await open_office(PEOPLE, settings=BY_HAND, ready=False)
    petrov = await logged_in(office, "petrov", office.contact("ivanov"))
    approval = ["subscribed", "available"]
    await walk(
        petrov,
        [
            ("unsubscribe", [], NONE),
            ("subscribed", [], NONE),
            ("unsubscribed", [], NONE),
            ("subscribe", approval, TO),
            ("subscribe", ["available"], TO),  # the answer `subscribed` is not delivered in To (A.3.3)
            ("unsubscribe", ["unavailable"], NONE),
            ("unsubscribe", [], NONE),
            ("subscribe", approval, TO),
            ("unsubscribe subscribe", ["unavailable", *approval], TO),
            ("unsubscribe unsubscribe", ["unavailable"], NONE),
        ],
    )
    await walk(petrov, [("subscribe", approval, TO)])
    await forbids(petrov)
    await walk(petrov, [("unsubscribe", ["unavailable"], NONE)])
    # Each of the two requests is approved; which approvals are delivered is a matter of who is faster.
    came = await petrov.after("subscribe", "unsubscribe", "subscribe")
    assert came[-1] == "available"
    assert {"subscribed", "available", "unavailable"} == set(came)
    assert await petrov.state() is TO


async def test_who_may_not_see_is_refused_in_every_state(open_office: OpenOffice) -> None:
    office = await open_office(PEOPLE, settings=BY_HAND, ready=False)
    await office.register("stranger")
    for name, contact in (("petrov", "hidden"), ("petrov", "nobody"), ("petrov", "petrov"), ("stranger", "ivanov")):
        roster = await logged_in(office, name, office.contact(contact))
        await walk(
            roster,
            [
                *((kind, [], NONE) for kind in ("unsubscribe", "subscribed", "unsubscribed")),
                *[("subscribe", ["unsubscribed"], NONE)] * 3,
                ("unsubscribe", [], NONE),
            ],
        )
        await roster.wire.close()
    stranger = await logged_in(office, "stranger", office.server.component_domain)
    await walk(stranger, [("subscribe", ["unsubscribed"], NONE), ("unsubscribe", [], NONE)])


async def test_an_item_that_may_not_be_is_ended_by_the_answer_to_its_probe(open_office: OpenOffice) -> None:
    office = await open_office(PEOPLE, settings=BY_HAND, ready=False)
    await office.server.set_roster_item(office.id("petrov"), office.contact("hidden"), subscription="to")
    petrov = await logged_in(office, "petrov", office.contact("hidden"))
    assert await petrov.came() == ["unsubscribed"]
    assert await petrov.state() is NONE


async def test_with_an_empty_directory_there_is_silence_and_rosters_stay(open_office: OpenOffice) -> None:
    office = await open_office(PEOPLE, settings=BY_HAND, start=False)
    await office.register("petrov")
    await office.component.start()
    for contact, subscription in (("ivanov", "to"), ("sidorov", "both")):
        jid = office.contact(contact)
        await office.server.set_roster_item(office.id("petrov"), jid, subscription=subscription)
        petrov = await logged_in(office, "petrov", jid)
        assert await petrov.came() == []
        assert await petrov.state() is (TO if subscription == "to" else BOTH)
        await petrov.wire.close()
    petrov = await logged_in(office, "petrov", office.contact("orlov"))
    await walk(petrov, [("subscribe", [], NONE_OUT), ("subscribe", [], NONE_OUT), ("unsubscribe", [], NONE)])


async def test_every_state_with_the_domain(open_office: OpenOffice) -> None:
    """The domain asks once, after the first approval; its own side is From, From + Pending Out or Both."""
    office = await open_office(PEOPLE, settings=BY_HAND, ready=False)
    domain = office.server.component_domain

    async def first_approval(name: str) -> Roster:
        """None + Pending In: the domain has asked the account."""
        roster = await logged_in(office, name, domain)
        assert await roster.came() == []
        roster.wire.write(f"<presence to='{office.contact('ivanov')}' type='subscribe'/>")
        assert await roster.came() == ["subscribe"]
        assert await roster.state() is NONE
        return roster

    petrov = await first_approval("petrov")
    await walk(petrov, [("subscribed", [], FROM)])
    await seen(petrov.wire, lambda one: one.find(ANNOUNCE) is not None)
    assert await sessions(office, "petrov") == 1, "its server told us, asked by a probe"
    await walk(
        petrov,
        [
            ("subscribed", [], FROM),
            ("subscribe", ["subscribed", "available"], BOTH),
            ("subscribe", ["available"], BOTH),
            ("unsubscribe", ["unavailable"], FROM),
            ("subscribe", ["subscribed", "available"], BOTH),
        ],
    )
    await forbids(petrov)
    assert await sessions(office, "petrov") == 0, "its presence is ours no longer"
    await walk(petrov, [("unsubscribe", ["unavailable"], NONE)])

    sidorov = await first_approval("sidorov")
    await walk(
        sidorov,
        [
            ("unsubscribed", [], NONE),  # a refusal: the domain does not ask again
            ("subscribe", ["subscribed", "available"], TO),
            ("unsubscribe", ["unavailable"], NONE),
        ],
    )

    orlov = await first_approval("orlov")
    await walk(orlov, [("subscribe", ["subscribed", "available"], TO)])  # To + Pending In
    # Prosody then asks, by a probe from the account's bare JID.
    assert await orlov.after("subscribed") in ([], ["available"])
    assert await orlov.state() is BOTH
    await walk(orlov, [("unsubscribe unsubscribed", ["unavailable"], NONE)])
    hidden = await logged_in(office, "hidden", domain)
    await walk(hidden, [("subscribe", ["subscribed", "available", "subscribe"], TO)])  # To + Pending In
    await forbids(hidden)
    await walk(hidden, [("unsubscribe", ["unavailable"], NONE)])


async def test_a_probe_is_answered_to_the_session_that_asks(open_office: OpenOffice) -> None:
    office = await open_office(PEOPLE, settings=BY_HAND, ready=False)
    petrov = await logged_in(office, "petrov", office.contact("ivanov"))
    await petrov.after("subscribe")
    panel = await office.panel("ivanov")
    await panel.set_status("busy")
    await reads(petrov.wire, "Занят")
    await petrov.came()
    later = await logged_in(office, "petrov", office.contact("ivanov"), "later")
    assert await later.came() == ["available"]
    assert await petrov.came() == [], "the other one's login is not its business"

    await panel.set_status("offline", "до завтра")
    await reads(later.wire, "до завтра")
    last = await logged_in(office, "petrov", office.contact("ivanov"), "last")
    (answer,) = [one for one in last.wire.came if presence(one) and one.get("from", "").startswith(last.jid)]
    assert (answer.get("type"), answer.get("to")) == ("unavailable", last.wire.jid)
    assert answer.find("{urn:xmpp:delay}delay") is not None
    assert await last.came() == ["unavailable"]


async def test_presence_directed_to_a_contact_gives_nothing(open_office: OpenOffice) -> None:
    """RFC 6121 section 4.6.4: it is received by the contact; its sender is not subscribed by it."""
    office = await open_office(PEOPLE, settings=BY_HAND, ready=False)
    petrov = await logged_in(office, "petrov", office.contact("ivanov"))
    before = await sessions(office, "petrov")
    petrov.wire.write(f"<presence to='{petrov.jid}'/>")
    panel = await office.panel("ivanov")
    await panel.set_status("busy")
    assert await petrov.came() == []
    petrov.wire.write(f"<presence to='{petrov.jid}' type='unavailable'/>")
    assert await petrov.came() == []
    assert await sessions(office, "petrov") == before
    assert await petrov.state() is NONE


async def test_an_error_ends_a_watcher_until_its_next_presence_and_nothing_else(open_office: OpenOffice) -> None:
    office = await open_office(PEOPLE, settings={"company": {"visibility": "groups"}})
    contact = office.contact("ivanov")
    petrov = await logged_in(office, "petrov", contact)
    other = await logged_in(office, "petrov", contact, "other")
    panel = await office.panel("ivanov")
    for roster in (petrov, other):
        await panel.set_status("dnd")
        assert (await roster.came())[-1] == "available"
    error = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    petrov.wire.write(f"<presence to='{contact}/panel' type='error'>{error}</presence>")
    assert await petrov.came() == []
    await panel.set_status("busy", "без первого")
    await reads(other.wire, "без первого")
    assert await petrov.came() == []
    assert await petrov.state() is TO
    assert await sessions(office, "petrov") == 2
    petrov.wire.write("<presence><status>снова слушаю</status></presence>")
    await reads(petrov.wire, "без первого")
    await panel.set_status("online", "и с первым")
    await reads(petrov.wire, "и с первым")


async def test_a_contact_deleted_by_hand_stays_deleted_until_it_is_added_by_hand(open_office: OpenOffice) -> None:
    office = await open_office(PEOPLE, settings={"company": {"visibility": "groups"}})
    petrov = await logged_in(office, "petrov", office.contact("ivanov"))
    assert await petrov.came() == ["available"]
    assert await petrov.state() is TO
    removal = f"<query xmlns='{ROSTER}'><item jid='{petrov.jid}' subscription='remove'/></query>"
    assert (await petrov.wire.iq(removal, to=None)).get("type") == "result"
    assert await petrov.came() == ["unavailable"]
    begin = len(office.component.lines)
    await office.component.restart()
    await office.rosters_ready(begin)
    assert await petrov.came() == []
    assert await petrov.state() is NONE

    await walk(petrov, [("subscribe", ["subscribed", "available"], TO)])
    begin = len(office.component.lines)
    await office.component.restart()
    await office.rosters_ready(begin)
    panel = await office.panel("ivanov")
    await panel.set_status("busy", "снова здесь")
    await reads(petrov.wire, "снова здесь")
    assert await petrov.state() is TO
