"""What is asked by iq: the tables of questions, the gate before them, and the two commands."""

from dataclasses import replace
from datetime import timedelta
from xml.etree.ElementTree import Element

import pytest

from component.core.facts import Phone, Status
from component.xmpp import disco
from component.xmpp.namespaces import COMMANDS, DATA, DISCO_INFO, DISCO_ITEMS, LAST, PANEL, RSM, TIME, VCARD, tag
from tests.unit.fakes import DOMAIN, START
from tests.unit.stanza_rig import PBX, PETROV, StanzaRig, error_of

IVANOV = f"ivanov@{DOMAIN}"
STRANGER, OUTSIDER = "stranger@example.test/x", "somebody@elsewhere.test/x"
DISCO_INFO_QUERY = f"<query xmlns='{DISCO_INFO}'/>"
FOR_CONTACTS = (
    DISCO_INFO_QUERY,
    f"<query xmlns='{DISCO_ITEMS}'/>",
    "<ping xmlns='urn:xmpp:ping'/>",
    "<query xmlns='jabber:iq:version'/>",
    f"<query xmlns='{LAST}'/>",
    f"<vCard xmlns='{VCARD}'/>",
    f"<time xmlns='{TIME}'/>",
)
FOR_EMPLOYEES = (
    ("get", f"<status xmlns='{PANEL}'/>"),
    ("set", f"<status xmlns='{PANEL}' value='busy'/>"),
    ("get", f"<statuses xmlns='{PANEL}'/>"),
    ("set", f"<command xmlns='{COMMANDS}' node='set-status'/>"),
)


@pytest.fixture
def rig() -> StanzaRig:
    return StanzaRig()


def command(node: str = "set-status", inner: str = "", **attributes: str) -> str:
    given = "".join(f" {name}='{value}'" for name, value in attributes.items())
    return f"<command xmlns='{COMMANDS}' node='{node}'{given}>{inner}</command>"


def form(**fields: str) -> str:
    values = "".join(f"<field var='{var}'><value>{value}</value></field>" for var, value in fields.items())
    return f"<x xmlns='{DATA}' type='submit'>{values}</x>"


def fields(answer: Element) -> dict[str, str]:
    return {
        one.get("var", ""): one.findtext(tag(DATA, "value")) or ""
        for one in answer.iterfind(f"{tag(DATA, 'x')}/{tag(DATA, 'field')}")
    }


# The gate


@pytest.mark.parametrize("sender", [STRANGER, OUTSIDER, "hidden@example.test/x", "ivanov@example.test/x"])
@pytest.mark.parametrize("payload", FOR_CONTACTS)
async def test_who_may_not_see_a_contact_learns_not_even_that_it_is_there(
    rig: StanzaRig, sender: str, payload: str
) -> None:
    real = error_of(await rig.asks(payload, to=IVANOV, sender=sender))
    invented = error_of(await rig.asks(payload, to=f"nobody@{DOMAIN}", sender=sender))
    assert real == invented
    assert real[:2] == ("cancel", "service-unavailable")


@pytest.mark.parametrize("resource", ["", "/panel"])
@pytest.mark.parametrize("payload", FOR_CONTACTS)
async def test_a_colleague_is_answered(rig: StanzaRig, payload: str, resource: str) -> None:
    await rig.answered(payload, to=IVANOV + resource)


async def test_a_contact_has_no_other_resource_and_no_other_questions(rig: StanzaRig) -> None:
    assert error_of(await rig.asks(DISCO_INFO_QUERY, to=f"{IVANOV}/x"))[1] == "service-unavailable"
    for kind, payload in (*FOR_EMPLOYEES, ("set", DISCO_INFO_QUERY), ("get", "<x xmlns='urn:x'/>")):
        assert error_of(await rig.asks(payload, kind=kind, to=IVANOV))[1] == "service-unavailable"


@pytest.mark.parametrize(("kind", "payload"), FOR_EMPLOYEES)
async def test_only_employees_have_a_status(rig: StanzaRig, kind: str, payload: str) -> None:
    assert error_of(await rig.asks(payload, kind=kind, sender=STRANGER))[:2] == ("auth", "forbidden")
    await rig.answered(payload, kind=kind)


async def test_a_stranger_is_told_what_the_domain_is_but_not_who_is_there(rig: StanzaRig) -> None:
    assert (await rig.answered(DISCO_INFO_QUERY, sender=STRANGER))[0].get("category") == "gateway"
    for node in ("", f" node='{COMMANDS}'"):
        assert len(await rig.answered(f"<query xmlns='{DISCO_ITEMS}'{node}/>", sender=STRANGER)) == 0


@pytest.mark.parametrize("payload", ["", "<a xmlns='urn:x'/><b xmlns='urn:x'/>"])
async def test_an_iq_has_exactly_one_payload(rig: StanzaRig, payload: str) -> None:
    assert error_of(await rig.asks(payload))[:2] == ("modify", "bad-request")


async def test_errors_speak_the_language_of_the_question_or_else_of_the_employee(rig: StanzaRig) -> None:
    bad = f"<status xmlns='{PANEL}' value='asleep'/>"
    assert "Неизвестный" in error_of(await rig.asks(bad, kind="set"))[2]
    english = f"<iq type='set' id='1' from='{PETROV}' to='{DOMAIN}' xml:lang='en-GB'>{bad}</iq>"
    assert "unknown status 'asleep'" in error_of((await rig.comes(english))[0])[2]


# Discovery


async def test_caps_are_those_of_the_answer(rig: StanzaRig) -> None:
    for to, info in ((DOMAIN, rig.questions.gateway), (IVANOV, disco.CONTACT)):
        node = f"{disco.CAPS_NODE}#{info.ver}"
        answer = await rig.answered(f"<query xmlns='{DISCO_INFO}' node='{node}'/>", to=to)
        assert answer.get("node") == node
        features = {one.get("var") for one in answer.iterfind(tag(DISCO_INFO, "feature"))}
        assert features == set(info.features)
        other = await rig.asks(f"<query xmlns='{DISCO_INFO}' node='x'/>", to=to)
        assert error_of(other)[:2] == ("cancel", "item-not-found")


async def test_items_of_the_domain_are_those_one_may_see(rig: StanzaRig) -> None:
    items = await rig.answered(f"<query xmlns='{DISCO_ITEMS}'/>")
    assert [(one.get("jid"), one.get("name")) for one in items] == [
        (IVANOV, "Иванов Иван"),
        (f"o\\27neil@{DOMAIN}", "Oneil"),
    ]
    assert len(await rig.answered(f"<query xmlns='{DISCO_ITEMS}'/>", sender="hidden@example.test/x")) == 0
    assert error_of(await rig.asks(f"<query xmlns='{DISCO_ITEMS}' node='x'/>"))[1] == "item-not-found"


async def test_commands_are_found(rig: StanzaRig) -> None:
    items = await rig.answered(f"<query xmlns='{DISCO_ITEMS}' node='{COMMANDS}'/>")
    nodes = ["set-status", "show-status", "block", "unblock"]
    assert [(one.get("jid"), one.get("node")) for one in items] == [(DOMAIN, node) for node in nodes]
    info = await rig.answered(f"<query xmlns='{DISCO_INFO}' node='set-status'/>")
    assert (info[0].get("category"), info[0].get("name")) == ("automation", "Установить статус")


async def test_how_long_a_contact_has_been_idle_or_offline(rig: StanzaRig) -> None:
    query = f"<query xmlns='{LAST}'/>"
    assert (await rig.answered(query, to=IVANOV)).get("seconds") == "0"
    rig.attendance.phone(f"{PBX}/1", "ivanov", Phone.OFFLINE)
    rig.clock.pass_by(seconds=90)
    offline = await rig.answered(query, to=IVANOV)
    assert (offline.get("seconds"), offline.text) == ("90", "Телефон отключён, чат работает")
    assert (await rig.answered(query)).get("seconds") == "90", "the domain: since its start"


async def test_the_time_is_the_employees(rig: StanzaRig) -> None:
    time = await rig.answered(f"<time xmlns='{TIME}'/>", to=IVANOV)
    assert [one.text for one in time] == ["+05:00", "2026-11-24T09:00:00Z"]


async def test_a_vcard_has_the_name_and_the_extension(rig: StanzaRig) -> None:
    card = await rig.answered(f"<vCard xmlns='{VCARD}'/>", to=IVANOV)
    assert (card.findtext(tag(VCARD, "FN")), card.findtext(f".//{tag(VCARD, 'NUMBER')}")) == ("Иванов Иван", "101")
    without = await rig.answered(f"<vCard xmlns='{VCARD}'/>", to=f"o\\27neil@{DOMAIN}")
    assert without.find(tag(VCARD, "TEL")) is None
    assert (await rig.answered(f"<vCard xmlns='{VCARD}'/>"))[0].text == "Статусы телефонии"


# One's own status, the colleagues', the PBX's


async def test_a_status_is_set_and_got(rig: StanzaRig) -> None:
    rig.attendance.client(PETROV, "petrov", None, away=False, stamp=None)
    chosen = f"<status xmlns='{PANEL}' value='dnd' until='2026-11-24T12:00:00+02:00'><text>a &lt; b</text></status>"
    for answer in (
        await rig.answered(chosen, kind="set"),
        await rig.answered(f"<status xmlns='{PANEL}'/>"),
    ):
        assert dict(answer.attrib) == {
            "value": "dnd",
            "chosen": "dnd",
            "phone": "unknown",
            "since": "2026-11-24T09:00:00Z",
            "until": "2026-11-24T10:00:00Z",
        }
        assert answer.findtext(tag(PANEL, "text")) == "a < b"
    rig.clock.pass_by(hours=1)
    over = await rig.answered(f"<status xmlns='{PANEL}'/>")
    assert (over.get("chosen"), over.get("until"), len(over)) == ("online", None, 0)


async def test_a_status_that_cannot_be_stored_now_is_an_error_though_it_is_shown(rig: StanzaRig) -> None:
    rig.store.failing = "the disk is full"
    answer = await rig.asks(f"<status xmlns='{PANEL}' value='busy'/>", kind="set")
    assert error_of(answer)[:2] == ("wait", "resource-constraint")
    choice = rig.company.state("petrov").choice
    assert choice is not None
    assert choice.status is Status.BUSY


async def test_statuses_in_pages(rig: StanzaRig) -> None:
    def page(inner: str) -> str:
        return f"<statuses xmlns='{PANEL}'><set xmlns='{RSM}'>{inner}</set></statuses>"

    def ids(answer: Element) -> list[str | None]:
        return [one.get("id") for one in answer.iterfind(tag(PANEL, "employee"))]

    def count(answer: Element) -> str | None:
        return answer.findtext(f"{tag(RSM, 'set')}/{tag(RSM, 'count')}")

    everything = await rig.answered(f"<statuses xmlns='{PANEL}'/>")
    assert (ids(everything), count(everything)) == (["ivanov", "o'neil"], "2")
    assert ids(await rig.answered(page("<max>1</max>"))) == ["ivanov"]
    assert ids(await rig.answered(page("<max>1</max><after>ivanov</after>"))) == ["o'neil"]
    last = await rig.answered(page("<max>1</max><after>o'neil</after>"))
    assert (ids(last), count(last), last.find(f"{tag(RSM, 'set')}/{tag(RSM, 'first')}")) == ([], "2", None)
    only_count = await rig.answered(page("<max>0</max>"))
    assert (ids(only_count), count(only_count)) == ([], "2")
    assert error_of(await rig.asks(page("<after>hidden</after>")))[:2] == ("cancel", "item-not-found")


async def test_phones_are_reported_by_pbxs_alone(rig: StanzaRig) -> None:
    report = f"<phone xmlns='{PANEL}' employee='ivanov' state='offline'/>"
    assert error_of(await rig.asks(report, kind="set"))[:2] == ("auth", "forbidden")
    assert error_of(await rig.asks(report, kind="set", sender=STRANGER))[:2] == ("auth", "forbidden")
    await rig.answered(report, kind="set", sender=f"{PBX}/1")
    unknown = await rig.asks(report.replace("ivanov", "nobody"), kind="set", sender=f"{PBX}/1")
    assert error_of(unknown)[:2] == ("cancel", "item-not-found")
    assert rig.company.status("ivanov", START).status is Status.OFFLINE


# The commands


async def test_the_form_shows_what_is_chosen_and_setting_it_changes_it(rig: StanzaRig) -> None:
    rig.attendance.client(PETROV, "petrov", None, away=False, stamp=None)
    asked = await rig.answered(command(), kind="set")
    assert (asked.get("status"), fields(asked)) == ("executing", {"status": "online", "text": ""})
    options = [one.findtext(tag(DATA, "value")) for one in asked.iter(tag(DATA, "option"))]
    assert options == ["online", "busy", "dnd", "offline", "На обеде"]
    session = asked.get("sessionid", "")
    done = await rig.answered(
        command(inner=form(status="busy", text="Звонок"), action="complete", sessionid=session), kind="set"
    )
    assert (done.get("status"), done.get("sessionid")) == ("completed", session)
    assert done.findtext(tag(COMMANDS, "note")) == "Ваш статус: Занят — Звонок"
    assert fields(await rig.answered(command(), kind="set")) == {"status": "busy", "text": "Звонок"}


async def test_a_form_may_be_submitted_at_once_and_a_preset_picked(rig: StanzaRig) -> None:
    rig.attendance.client(PETROV, "petrov", None, away=False, stamp=None)
    done = await rig.answered(command(inner=form(status="На обеде")), kind="set")
    assert done.findtext(tag(COMMANDS, "note")) == "Ваш статус: Занят — На обеде"


@pytest.mark.parametrize(
    ("payload", "condition"),
    [
        (command(inner=form(status="asleep")), "bad-request"),
        (command(inner=form(text="only")), "bad-request"),
        (command(inner=form(status="busy", text="x" * 301)), "not-acceptable"),
        (command(inner=form(status="offline")), "not-allowed"),
        (command(action="dance"), "bad-request"),
        (command("no-such"), "item-not-found"),
        (f"<command xmlns='{COMMANDS}'/>", "item-not-found"),
    ],
)
async def test_a_command_that_is_wrong_changes_nothing(rig: StanzaRig, payload: str, condition: str) -> None:
    assert error_of(await rig.asks(payload, kind="set"))[1] == condition
    assert rig.company.state("petrov").choice is None


async def test_a_command_can_be_cancelled(rig: StanzaRig) -> None:
    answer = await rig.answered(command(action="cancel", sessionid="s1"), kind="set")
    assert (answer.get("status"), answer.get("sessionid")) == ("canceled", "s1")
    assert rig.company.state("petrov").choice is None


async def test_my_status_is_shown_with_its_facts(rig: StanzaRig) -> None:
    rig.attendance.client(PETROV, "petrov", None, away=False, stamp=None)
    await rig.choices.choose("petrov", "dnd", None, START + timedelta(hours=2), PETROV)
    shown = await rig.answered(command("show-status"), kind="set")
    assert shown.findtext(tag(COMMANDS, "note")) == "Ваш статус: Не беспокоить"
    assert fields(shown) == {
        "status": "Не беспокоить",
        "text": "",
        "phone": "нет данных",
        "since": "24.11.2026 12:00",
        "until": "24.11.2026 14:00",
    }


async def test_words_of_the_statuses_that_cannot_be_chosen(rig: StanzaRig) -> None:
    await rig.choices.choose("petrov", "online", None, None, None)
    assert "Был(а) на месте" in fields(await rig.answered(command("show-status"), kind="set"))["status"]
    rig.attendance.phone(f"{PBX}/1", "petrov", Phone.OFFLINE)
    assert fields(await rig.answered(command("show-status"), kind="set"))["phone"] == "отключён"


async def test_an_employee_is_answered_in_his_language() -> None:
    rig = StanzaRig()
    petrov = replace(rig.company.directory.employees["petrov"], language="en")
    rig.company.set_directory((*rig.company.directory.employees.values(), petrov))
    shown = await rig.answered(command("show-status"), kind="set")
    assert shown.findtext(tag(COMMANDS, "note")) == "Your status: Online"
