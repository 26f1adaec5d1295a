"""Bad input: each has its error, nothing is lost by it, and the stream stays open (docs/protocol.md, Errors)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest

from tests.integration.office import Office, Person, sees
from tests.integration.wire import Wire, error_of, written
from tests.servers.server import Server

PANEL = "urn:panel-presence:1"
RSM = "http://jabber.org/protocol/rsm"
GET = f"<status xmlns='{PANEL}'/>"
MANY = {f"w{number:03}-": Person(f"Сотрудник {number}") for number in range(130)}
PEOPLE = {
    "ivanov": Person("Иванов Иван"),
    "petrov": Person("Петров Пётр"),
    "desk": Person("Столов Степан", mode="deskphone"),
    **MANY,
}


@pytest.fixture(scope="module")
async def office(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A company of 133, whose rosters are empty, with a PBX."""
    office = Office(server, tmp_path_factory.mktemp("bad"), PEOPLE, {"rosters": {"method": "handshake"}})
    office.component.settings["pbx"] = {"jids": [office.account("pbx")]}
    await office.register("pbx")
    await office.open(ready=False)
    yield office
    await office.close()
    assert not [line for line in office.component.lines if "could not be" in line or "Traceback" in line]


@pytest.fixture
async def wire(office: Office) -> AsyncIterator[Wire]:
    """Ivanov's session with a panel, busy; afterwards his status is what it was."""
    wire = await Wire.open(office, "ivanov", lang="en")
    wire.write(f"<presence to='{wire.domain}'><panel xmlns='{PANEL}' mode='softphone' phone='online'/></presence>")
    status = f"<status xmlns='{PANEL}' value='busy' until='{tomorrow()}'><text>На совещании</text></status>"
    assert (await wire.iq(status)).get("type") == "result"
    yield wire
    await wire.close()


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def setting(attributes: str, children: str = "") -> str:
    return f"<status xmlns='{PANEL}' {attributes}>{children}</status>"


async def status(wire: Wire) -> str:
    """The status in force, as the valid request after a bad one."""
    result = await wire.iq(GET, kind="get")
    assert result.get("type") == "result"
    return written(result[0])


LATER = (datetime.now(UTC) + timedelta(days=401)).strftime("%Y-%m-%dT%H:%M:%SZ")
BAD_REQUEST, NOT_ACCEPTABLE = ("modify", "bad-request"), ("modify", "not-acceptable")
FORBIDDEN, NOT_FOUND = ("auth", "forbidden"), ("cancel", "item-not-found")
REFUSED_SETS = (
    (setting("value='lunch'"), BAD_REQUEST, "'lunch'"),
    (setting("value='was-here'"), BAD_REQUEST, "'was-here'"),
    (setting("value=''"), BAD_REQUEST, "''"),
    (setting("value='Busy'"), BAD_REQUEST, "'Busy'"),
    (setting(""), BAD_REQUEST, "value"),
    (setting("", "<text>x</text>"), BAD_REQUEST, "value"),
    (setting("value='dnd' colour='red'"), BAD_REQUEST, "'colour'"),
    (setting("value='dnd'", "<mood/>"), BAD_REQUEST, "'mood'"),
    (setting("value='dnd'", "<text xmlns='urn:example:other'>x</text>"), BAD_REQUEST, "'text'"),
    (setting("value='dnd'", "<text>x</text><text>y</text>"), BAD_REQUEST, "'text'"),
    (setting("value='dnd'", "<text>x<b>y</b></text>"), BAD_REQUEST, "'b'"),
    (setting("value='dnd'", "<text size='9'>x</text>"), BAD_REQUEST, "'size'"),
    (setting("value='dnd' until='tomorrow'"), BAD_REQUEST, "'tomorrow'"),
    (setting("value='dnd' until=''"), BAD_REQUEST, "''"),
    (setting("value='dnd' until='2026-11-24'"), BAD_REQUEST, "'2026-11-24'"),
    (setting("value='dnd' until='2036-13-45T10:00:00Z'"), BAD_REQUEST, "'2036-13-45T10:00:00Z'"),
    (setting("value='dnd' until='2026-11-25T12:00:00'"), BAD_REQUEST, "'2026-11-25T12:00:00'"),
    (setting("value='dnd' until='2020-01-01T00:00:00Z'"), BAD_REQUEST, "2020-01-01T00:00:00"),
    (setting(f"value='dnd' until='{LATER}'"), BAD_REQUEST, "400 days"),
    (setting("value='dnd'", f"<text>{'x' * 301}</text>"), NOT_ACCEPTABLE, "301"),
    (setting("value='dnd'", "<text>a\u009fb</text>"), NOT_ACCEPTABLE, "U+009F"),
    (setting("value='dnd'", "<text>a\u202eb</text>"), NOT_ACCEPTABLE, "U+202E"),
    (setting("value='dnd'", "<text>a\u2066b</text>"), NOT_ACCEPTABLE, "U+2066"),
    (f"<phone xmlns='{PANEL}' employee='petrov' state='offline'/>", FORBIDDEN, "pbx.jids"),
    (f"<phone xmlns='{PANEL}'/>", FORBIDDEN, "pbx.jids"),
)
REFUSED_GETS = (
    (f"<status xmlns='{PANEL}' value='busy'/>", BAD_REQUEST, "'value'"),
    (f"<status xmlns='{PANEL}'><text>x</text></status>", BAD_REQUEST, "'text'"),
    (f"<statuses xmlns='{PANEL}' group='x'/>", BAD_REQUEST, "'group'"),
    (f"<statuses xmlns='{PANEL}'><group/></statuses>", BAD_REQUEST, "'group'"),
    (f"<statuses xmlns='{PANEL}'><set xmlns='{RSM}'><max>many</max></set></statuses>", BAD_REQUEST, "'many'"),
    (f"<statuses xmlns='{PANEL}'><set xmlns='{RSM}'><max>-1</max></set></statuses>", BAD_REQUEST, "'-1'"),
    (f"<statuses xmlns='{PANEL}'><set xmlns='{RSM}'><before/></set></statuses>", BAD_REQUEST, "'before'"),
    (f"<statuses xmlns='{PANEL}'><set xmlns='{RSM}'><after>x</after></set></statuses>", NOT_FOUND, "'x'"),
)
UNKNOWN = (
    ("get", f"<phone xmlns='{PANEL}' employee='petrov' state='offline'/>"),
    ("set", f"<statuses xmlns='{PANEL}'/>"),
    ("set", f"<panel xmlns='{PANEL}' mode='softphone'/>"),
    ("set", "<status xmlns='urn:panel-presence:2' value='dnd'/>"),
    ("get", "<query xmlns='jabber:iq:roster'/>"),
    ("set", "<query xmlns='jabber:iq:register'><username>x</username></query>"),
)


async def test_bad_requests(wire: Wire) -> None:
    before = await status(wire)
    for kind, rows in (("set", REFUSED_SETS), ("get", REFUSED_GETS)):
        for payload, error, named in rows:
            answer = await wire.iq(payload, kind=kind)
            assert error_of(answer)[:2] == error, payload
            assert named in error_of(answer)[2], payload
            assert (answer.get("from"), answer.get("to")) == (wire.domain, wire.jid)
            assert await status(wire) == before, payload
    for kind, payload in UNKNOWN:
        answer = await wire.iq(payload, kind=kind)
        kind_of_error, condition, _ = error_of(answer)
        assert kind_of_error == "cancel"
        assert condition in ("feature-not-implemented", "service-unavailable")
    assert await status(wire) == before


async def test_errors_speak_the_language_of_the_request(wire: Wire) -> None:
    answer = await wire.iq(setting("value='lunch'"), lang="ru")
    assert error_of(answer)[2] == "Неизвестный статус «lunch»; возможны: online, busy, dnd, offline"
    text = answer.find(".//{urn:ietf:params:xml:ns:xmpp-stanzas}text")
    assert text is not None
    assert text.get("{http://www.w3.org/XML/1998/namespace}lang") == "ru"
    # Neither Russian nor English: the employee's language, which is the company's.
    assert error_of(await wire.iq(setting("value='lunch'"), lang="de-AT")) == error_of(answer)


async def test_offline_in_deskphone_mode(office: Office) -> None:
    wire = await Wire.open(office, "desk", lang="en")
    before = await status(wire)
    expected = ("cancel", "not-allowed", "'offline' can be chosen only in softphone mode")
    assert error_of(await wire.iq(setting("value='offline'"))) == expected
    assert await status(wire) == before
    await wire.close()


async def test_a_pbx_that_is_mistaken(office: Office) -> None:
    wire = await Wire.open(office, "pbx", lang="en")
    known = office.id("petrov")
    for attributes, error, named in (
        ("employee='nobody' state='offline'", NOT_FOUND, "'nobody'"),
        ("state='offline'", NOT_FOUND, "''"),
        (f"employee='{known}' state='ringing'", BAD_REQUEST, "'ringing'"),
        (f"employee='{known}'", BAD_REQUEST, "''"),
        (f"employee='{known}' state='offline' line='2'", BAD_REQUEST, "'line'"),
    ):
        answer = error_of(await wire.iq(f"<phone xmlns='{PANEL}' {attributes}/>"))
        assert answer[:2] == error
        assert named in answer[2]
    assert (await office.component.control.status(known)).phone == "unknown"
    assert (await wire.iq(f"<phone xmlns='{PANEL}' employee='{known}' state='online'/>")).get("type") == "result"
    assert (await office.component.control.status(known)).phone == "online"
    await wire.close()


async def test_bad_panel_presences(wire: Wire) -> None:
    before = await status(wire)
    idle = "<idle xmlns='urn:xmpp:idle:1' since='{}'/>"
    good = f"<panel xmlns='{PANEL}' mode='softphone' phone='offline'/>"
    for payload, named in (
        (f"<panel xmlns='{PANEL}' mode='mobile'/>", "'mobile'"),
        (f"<panel xmlns='{PANEL}'/>", "''"),
        (f"<panel xmlns='{PANEL}' mode='softphone' phone='broken'/>", "'broken'"),
        (f"<panel xmlns='{PANEL}' mode='softphone' phone='unknown'/>", "'unknown'"),
        (f"<panel xmlns='{PANEL}' mode='softphone' line='2'/>", "'line'"),
        (f"<panel xmlns='{PANEL}' mode='softphone'><call/></panel>", "'call'"),
        (good + idle.format("soon"), "'soon'"),
        (good + idle.format("2026-11-24T10:00:00"), "'2026-11-24T10:00:00'"),
        (good + "<idle xmlns='urn:xmpp:idle:1'/>", "''"),
    ):
        wire.write(f"<presence to='{wire.domain}'>{payload}</presence>")
        answer = await wire.next(lambda one: one.get("type") == "error")
        assert answer.tag.endswith("}presence")
        assert (answer.get("from"), answer.get("to")) == (wire.domain, wire.jid)
        assert error_of(answer)[:2] == BAD_REQUEST
        assert named in error_of(answer)[2]
        assert await status(wire) == before, payload


async def test_more_changes_than_the_rate_allows(office: Office, wire: Wire) -> None:
    petrov, contact = await office.client("petrov"), office.contact("ivanov")
    await petrov.subscribe(contact)
    await sees(petrov, contact, show="dnd", status="Занят — На совещании")
    begin = len(wire.came)
    for number in range(40):
        payload = setting("value='dnd'", f"<text>{number}</text>")
        wire.write(f"<iq type='set' to='{wire.domain}' id='r{number}'>{payload}</iq>")
    await wire.next(lambda one: one.get("id") == "r39")
    answers = {one.get("id"): one.get("type") for one in wire.came[begin:]}
    assert answers == {f"r{number}": "result" for number in range(40)}
    await sees(petrov, contact, status="Не беспокоить — 39")
    await petrov.close()


async def page(wire: Wire, request: str = "") -> tuple[list[str], Element]:
    """A page of `<statuses/>`: the ids on it, and XEP-0059's `<set/>`."""
    rsm = f"<set xmlns='{RSM}'>{request}</set>" if request else ""
    result = await wire.iq(f"<statuses xmlns='{PANEL}'>{rsm}</statuses>", kind="get")
    assert result.get("type") == "result", error_of(result)
    *employees, last = result[0]
    assert last.tag == f"{{{RSM}}}set"
    return [one.get("id", "") for one in employees], last


async def test_pages_of_statuses(office: Office, wire: Wire) -> None:
    everybody = sorted(office.id(name) for name in PEOPLE if name != "ivanov")
    for request in ("", "<max>100</max>", "<max>1000</max>"):
        assert (await page(wire, request))[0] == everybody[:100]
    found, after, pages = list[str](), "", 0
    while True:
        ids, about = await page(wire, f"<max>50</max>{after}")
        assert about.findtext(f"{{{RSM}}}count") == "132"
        if not ids:
            break
        first = about.find(f"{{{RSM}}}first")
        assert first is not None
        assert (first.get("index"), first.text, about.findtext(f"{{{RSM}}}last")) == (str(len(found)), ids[0], ids[-1])
        found, after, pages = found + ids, f"<after>{ids[-1]}</after>", pages + 1
    assert (found, pages) == (everybody, 3)
    assert [child.tag for child in about] == [f"{{{RSM}}}count"]
    ids, about = await page(wire, "<max>0</max>")
    assert (ids, [child.text for child in about]) == ([], ["132"])


async def test_what_the_server_answers_while_the_component_is_down(office: Office, wire: Wire) -> None:
    before = await status(wire)
    await office.component.stop()
    kind, condition, _ = error_of(await wire.iq(setting("value='online'")))
    assert (kind, condition) in {FORBIDDEN, ("cancel", "remote-server-not-found")} or kind == "wait"
    await office.component.start()
    wire.write(f"<presence to='{wire.domain}'><panel xmlns='{PANEL}' mode='softphone' phone='online'/></presence>")
    assert await status(wire) == before
