"""Who may not see a contact costs nothing: refusals are answered from memory, and touch no database."""

from collections.abc import Callable, Sequence

import pytest

from component.core.directory import Employee
from component.core.facts import State
from component.core.roster import Roster
from component.services.ports import Lease, Snapshot, SubscriptionException
from component.xmpp.namespaces import COMMANDS, DATA, DISCO_INFO, LAST, PANEL, RSM, TIME, VCARD
from tests.unit.fakes import DOMAIN
from tests.unit.stanza_rig import PETROV, StanzaRig

STRANGER = "stranger@example.test/x"


class SealedStore:
    """Fails when it is touched, but for what the sender of a message does by that: he is active, and seen to be."""

    url, failing = "sealed", None

    def __init__(self) -> None:
        self.active: list[str] = []
        self.touched: list[str] = []

    def keep_state(self, employee: str, state: State) -> None:
        self.active.append(employee)

    def _touch(self, what: str) -> None:
        self.touched.append(what)
        raise AssertionError(f"{what} touched the store")

    async def load(self) -> Snapshot:
        raise AssertionError("load")

    async def replace_directory(self, employees: Sequence[Employee], removed: Sequence[str]) -> None:
        self._touch("replace_directory")

    def keep_roster(self, employee: str, roster: Roster) -> None:
        self._touch("keep_roster")

    def keep_subscription(self, employee: str, contact: str, exception: SubscriptionException | None) -> None:
        self._touch("keep_subscription")

    def keep_told(self, contact: str, digest: str | None) -> None:
        self.active.append(contact)

    def keep_block(self, employee: str, blocked: str, *, ends: bool = False) -> None:
        self._touch("keep_block")

    async def renew_lease(self, mine: Lease, may_take: object) -> Lease | None:
        raise AssertionError("renew_lease")

    async def intact(self) -> bool:
        raise AssertionError("intact")

    def after_commit(self, callback: Callable[[], None]) -> None:
        if not self.active:
            self._touch("after_commit")

    async def committed(self) -> None:
        self._touch("committed")


def command(node: str, colleague: str) -> str:
    field = f"<field var='colleague'><value>{colleague}</value></field>"
    return f"<command xmlns='{COMMANDS}' node='{node}'><x xmlns='{DATA}' type='submit'>{field}</x></command>"


TO_CONTACTS = (
    *(
        f"<iq type='get' id='1' from='{{me}}' to='{{contact}}'>{payload}</iq>"
        for payload in (
            f"<query xmlns='{DISCO_INFO}'/>",
            "<query xmlns='http://jabber.org/protocol/disco#items'/>",
            f"<query xmlns='{LAST}'/>",
            f"<vCard xmlns='{VCARD}'/>",
            f"<time xmlns='{TIME}'/>",
            "<query xmlns='jabber:iq:version'/>",
            "<ping xmlns='urn:xmpp:ping'/>",
        )
    ),
    f"<iq type='set' id='1' from='{{me}}' to='{{contact}}'><status xmlns='{PANEL}' value='busy'/></iq>",
    "<presence type='subscribe' from='{bare}' to='{contact}'/>",
    "<presence type='unsubscribe' from='{bare}' to='{contact}'/>",
    "<presence type='subscribed' from='{bare}' to='{contact}'/>",
    "<presence type='unsubscribed' from='{bare}' to='{contact}'/>",
    "<presence type='probe' from='{me}' to='{contact}'/>",
    "<presence from='{me}' to='{contact}'/>",
    "<presence type='unavailable' from='{me}' to='{contact}'/>",
    "<message type='chat' id='1' from='{me}' to='{contact}'><body>hello</body></message>",
    "<message type='error' id='1' from='{me}' to='{contact}'><body>hello</body></message>",
)
TO_THE_DOMAIN = tuple(
    f"<iq type='{kind}' id='1' from='{{me}}' to='{DOMAIN}'>{payload}</iq>"
    for kind, payload in (
        ("set", command("block", "{id}")),
        ("set", command("unblock", "{id}")),
        ("set", f"<phone xmlns='{PANEL}' employee='{{id}}' state='offline'/>"),
        ("get", f"<statuses xmlns='{PANEL}'><set xmlns='{RSM}'><after>{{id}}</after></set></statuses>"),
    )
)


@pytest.mark.parametrize("me", [PETROV, STRANGER])
@pytest.mark.parametrize("stanza", [*TO_CONTACTS, *TO_THE_DOMAIN])
async def test_a_refusal_touches_no_database(me: str, stanza: str) -> None:
    store = SealedStore()
    rig = StanzaRig(store=store, blocks=frozenset({("ivanov", "petrov")}))
    counts = []
    for one in ("hidden", "ivanov", "nobody"):
        values = {"me": me, "bare": me.partition("/")[0], "contact": f"{one}@{DOMAIN}", "id": one}
        answers = await rig.comes(stanza.format(**values))
        assert [one.get("type") for one in answers if one.get("type") == "result"] == []
        counts.append(len(answers))
    assert store.touched == []
    assert counts[0] == counts[1] == counts[2]
    assert set(store.active) == ({"petrov"} if me == PETROV and "<message type='chat'" in stanza else set())
