"""The XMPP side on fakes: stanzas go in as elements, what leaves is parsed and checked as a server would check it."""

from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

from component.core.directory import Employee
from component.services.attendance import Attendance
from component.services.blocking import Blocking
from component.services.catch_up import CatchUp
from component.services.choices import Choices
from component.services.company import Company, Settings
from component.services.directory_changes import DirectoryChanges
from component.services.ports import RosterWay, Snapshot, Store
from component.services.provisioning import Provisioning
from component.services.publisher import Publisher
from component.services.relay import Relay
from component.services.subscriptions import Subscriptions
from component.xmpp import disco
from component.xmpp.commands import Commands
from component.xmpp.gate import MAX_STANZA, recipient
from component.xmpp.inbound import Inbound
from component.xmpp.namespaces import COMPONENT, ERROR, IQ, MESSAGE, PRESENCE, STANZAS, tag
from component.xmpp.outbound import Outbound
from component.xmpp.privileges import Privileges
from component.xmpp.questions import Questions
from tests.unit.fakes import DOMAIN, KEPT, FakeClock, FakeStore, employee, until

PEOPLE = (
    replace(employee("ivanov", ("a",)), name="Иванов Иван", extension="101", timezone="Asia/Yekaterinburg"),
    employee("petrov", ("a",)),
    replace(employee("oneil", ("a",)), id="o'neil", localpart="o\\27neil"),
    employee("hidden", ("b",)),
)
PBX = "pbx@example.test"
PETROV = "petrov@example.test/pc"


class FakeLink:
    """Takes what leaves, and refuses what a server would close the stream for; the next `defects` writes raise."""

    def __init__(self) -> None:
        self.domain, self.up, self.problem = DOMAIN, True, ""
        self.left: list[Element] = []
        self.defects, self.silent_for = 0, 0.0

    async def room(self) -> None:
        pass

    def drop(self, reason: str) -> None:
        raise AssertionError(reason)

    def write(self, data: bytes) -> None:
        if self.defects:
            self.defects -= 1
            raise ZeroDivisionError("a defect")
        stanzas = [*fromstring(b"<s xmlns='%s'>%s</s>" % (COMPONENT.encode(), data))]
        assert len(data) <= MAX_STANZA * len(stanzas)
        for stanza in stanzas:
            assert stanza.tag in (IQ, MESSAGE, PRESENCE)
            assert stanza.get("from", "").partition("/")[0].rpartition("@")[2] == DOMAIN
            assert recipient(stanza.get("to", ""))
            self.left.append(stanza)


class StanzaRig:
    """Four employees in two groups and the whole XMPP side; what left is in `left`.

    Another `store` than the fake one takes the services' rows.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        store: Store | None = None,
        people: tuple[Employee, ...] = PEOPLE,
        blocks: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        settings = settings or Settings(
            DOMAIN, visibility="groups", pbx_jids=frozenset({PBX}), presets=(("На обеде", "busy"),)
        )
        self.clock, self.store, self.link = FakeClock(), FakeStore(), FakeLink()
        snapshot = Snapshot(employees=people, rosters={one.id: KEPT for one in people}, blocks=blocks)
        rows = store or self.store
        self.company = company = Company(settings, rows, snapshot)
        self.outbound = out = Outbound(self.link, self.clock, "ru", disco.CONTACT.caps, "<c/>", ping_timeout=0.01)
        self.publisher = Publisher(company, out, rows, self.clock, self.clock, {})
        self.catch_up = CatchUp(company, self.publisher, out, None)
        self.attendance = Attendance(company, self.publisher, self.catch_up, out, self.clock, self.clock)
        self.beats: list[tuple[str, int]] = []
        self.subscriptions = Subscriptions(company, self.publisher, out, self.clock, lambda _: None)
        self.choices = Choices(company, self.publisher, rows, self.clock)
        self.relay = Relay(company, self.attendance, out, remembered=200)
        provisioning = Provisioning(company, self.publisher, rows, _no_way, _no_pause, out.send_probe)
        changes = DirectoryChanges(company, self.publisher, out)
        self.blocking = Blocking(company, changes, provisioning, rows, self.clock)
        commands = Commands(company, self.choices, self.blocking, self.clock)
        self.questions = Questions(company, self.choices, self.attendance, commands, self.clock)
        self.privileges = Privileges()
        self.inbound = Inbound(
            company,
            self.attendance,
            self.subscriptions,
            self.relay,
            self.questions,
            out,
            self.privileges,
            lambda *beat: self.beats.append(beat),
        )

    @property
    def left(self) -> list[Element]:
        return self.link.left

    async def comes(self, stanza: Element | str) -> list[Element]:
        """Hand a stanza in, written as on a component's stream; returns what it made leave."""
        if isinstance(stanza, str):
            (stanza,) = fromstring(f"<s xmlns='{COMPONENT}'>{stanza}</s>")
        before = len(self.left)
        self.inbound.stanza(stanza)
        await until(lambda: not self.inbound._answering)
        return self.left[before:]

    async def asks(self, payload: str, *, kind: str = "get", to: str = DOMAIN, sender: str = PETROV) -> Element:
        """Ask a question; returns the iq that answers."""
        iq = f"<iq type='{kind}' id='q1' to='{to}' from='{sender}'>{payload}</iq>"
        answers = [one for one in await self.comes(iq) if one.tag == tag(COMPONENT, "iq")]
        (answer,) = answers
        assert (answer.get("id"), answer.get("from"), answer.get("to")) == ("q1", to, sender)
        return answer

    async def answered(self, payload: str, *, kind: str = "get", to: str = DOMAIN, sender: str = PETROV) -> Element:
        """Ask a question; returns the payload of its result."""
        answer = await self.asks(payload, kind=kind, to=to, sender=sender)
        assert answer.get("type") == "result", error_of(answer)
        return answer[0] if len(answer) else Element("empty")


async def _no_way() -> tuple[RosterWay | None, str]:
    return None, "no way"


async def _no_pause(took: float) -> None:
    pass


def error_of(stanza: Element) -> tuple[str, str, str]:
    """The type, the condition and the text of a stanza error."""
    error = stanza.find(ERROR)
    assert stanza.get("type") == "error"
    assert error is not None
    text = error.findtext(tag(STANZAS, "text")) or ""
    return error.get("type", ""), error[0].tag.removeprefix(f"{{{STANZAS}}}"), text
