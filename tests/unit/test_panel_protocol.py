"""The panel's protocol between elements and values: what is read, what is refused, what is written."""

from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from xmlschema.validators import XsdComplexType

from component.core.errors import ERROR_TYPES, Refusal
from component.core.facts import CHOOSABLE, Mode, Phone, Status
from component.core.status import PanelStatus
from component.core.text import xml_text
from component.core.texts import LANGUAGES, say
from component.xmpp.namespaces import PANEL, RSM, tag
from component.xmpp.panel_protocol import (
    PAGE,
    ContactRow,
    Page,
    StatusRequest,
    delay_stamp,
    idle_since,
    read_page,
    read_panel,
    read_phone,
    read_status_get,
    read_status_set,
    write_status,
    write_statuses,
)

SCHEMA = xmlschema.XMLSchema(Path(__file__).parents[2] / "docs" / "panel-protocol.xsd")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
seconds = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
people_text = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20).map(xml_text)
statuses = st.builds(
    PanelStatus,
    st.sampled_from(Status),
    st.sampled_from(Phone),
    st.none() | people_text,
    st.none() | seconds,
    st.none() | seconds,
)


def panel(inner: str) -> Element:
    """An element in the panel's namespace."""
    return fromstring(f"<s xmlns='{PANEL}'>{inner}</s>")[0]


def refusal_of(read: object, element: Element) -> Refusal:
    assert callable(read)
    with pytest.raises(Refusal) as refusal:
        read(element)
    assert refusal.value.condition in ERROR_TYPES
    assert all(say(refusal.value.key, language, **refusal.value.values) for language in LANGUAGES)
    return refusal.value


def schema_errors(element: Element, exact: str) -> list[str]:
    xsd_type = SCHEMA.types[exact]
    assert isinstance(xsd_type, XsdComplexType)
    return [str(error.reason) for error in xsd_type.iter_errors(fromstring(tostring(element)))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<panel mode='softphone'/>", (Mode.SOFTPHONE, None)),
        ("<panel mode='deskphone' phone='online'/>", (Mode.DESKPHONE, Phone.ONLINE)),
        ("<panel mode='softphone' phone='offline' xml:lang='ru'/>", (Mode.SOFTPHONE, Phone.OFFLINE)),
    ],
)
def test_a_panel_says_where_its_phone_is(text: str, expected: tuple[Mode, Phone | None]) -> None:
    assert read_panel(panel(text)) == expected


@pytest.mark.parametrize(
    ("text", "key", "named"),
    [
        ("<panel/>", "bad-mode", ""),
        ("<panel mode='Softphone'/>", "bad-mode", "Softphone"),
        ("<panel mode='softphone' phone=''/>", "bad-phone", ""),
        ("<panel mode='softphone' phone='unknown'/>", "bad-phone", "unknown"),
        ("<panel mode='softphone' status='busy'/>", "unknown-attribute", "status"),
        ("<panel mode='softphone'><b/></panel>", "unknown-child", "b"),
    ],
)
def test_what_a_panel_may_not_say(text: str, key: str, named: str) -> None:
    refusal = refusal_of(read_panel, panel(text))
    assert (refusal.condition, refusal.key, [*refusal.values.values()]) == ("bad-request", key, [named])


@pytest.mark.parametrize("value", CHOOSABLE)
def test_a_status_that_sets(value: Status) -> None:
    assert read_status_set(panel(f"<status value='{value}'/>")) == StatusRequest(value, None, None)
    full = panel(f"<status value='{value}' until='2026-11-24T15:00:00+03:00'><text>a&lt;b</text></status>")
    assert read_status_set(full) == StatusRequest(value, "a<b", NOON)
    assert read_status_set(panel(f"<status value='{value}'><text/></status>")) == StatusRequest(value, "", None)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("<status/>", "no-status"),
        ("<status value=''/>", "unknown-status"),
        ("<status value='was-here'/>", "unknown-status"),
        ("<status value='На обеде'/>", "unknown-status"),
        ("<status value='busy' phone='online'/>", "unknown-attribute"),
        ("<status value='busy' until=''/>", "bad-date"),
        ("<status value='busy' until='2026-11-24T12:00:00'/>", "bad-date"),
        ("<status value='busy' until='2026-11-24'/>", "bad-date"),
        ("<status value='busy' until='0001-01-01T00:00:00+14:00'/>", "bad-date"),
        ("<status value='busy'><b/></status>", "unknown-child"),
        ("<status value='busy'><text xmlns='urn:x'/></status>", "unknown-child"),
        ("<status value='busy'><text/><text/></status>", "unknown-child"),
        ("<status value='busy'><text a='b'/></status>", "unknown-attribute"),
        ("<status value='busy'><text><b/></text></status>", "unknown-child"),
    ],
)
def test_a_status_that_cannot_be_set(text: str, key: str) -> None:
    refusal = refusal_of(read_status_set, panel(text))
    assert (refusal.condition, refusal.key) == ("bad-request", key)


@pytest.mark.parametrize("text", ["<status value='busy'/>", "<status><text/></status>"])
def test_a_status_that_gets_is_empty(text: str) -> None:
    read_status_get(panel("<status/>"))
    assert refusal_of(read_status_get, panel(text)).condition == "bad-request"


@pytest.mark.parametrize(
    ("inner", "page"),
    [
        ("", Page(PAGE, None)),
        (f"<set xmlns='{RSM}'/>", Page(PAGE, None)),
        (f"<set xmlns='{RSM}'><max>5</max><after>ivanov</after></set>", Page(5, "ivanov")),
        (f"<set xmlns='{RSM}'><max>0</max><after/></set>", Page(0, None)),
        (f"<set xmlns='{RSM}'><max>999999999</max></set>", Page(PAGE, None)),
    ],
)
def test_pages(inner: str, page: Page) -> None:
    assert read_page(panel(f"<statuses>{inner}</statuses>")) == page


@pytest.mark.parametrize("word", ["", "-1", "ten", "1.5", "1" * 10, "٣", "²"])
def test_a_page_needs_a_number(word: str) -> None:
    element = panel(f"<statuses><set xmlns='{RSM}'><max>{word}</max></set></statuses>")
    assert refusal_of(read_page, element).key == "bad-page"


@pytest.mark.parametrize("inner", [f"<set xmlns='{RSM}'><before/></set>", f"<set xmlns='{RSM}'><index>1</index></set>"])
def test_what_is_not_offered_of_pages_is_refused_not_ignored(inner: str) -> None:
    assert refusal_of(read_page, panel(f"<statuses>{inner}</statuses>")).key == "unknown-child"
    assert refusal_of(read_page, panel("<statuses all='yes'/>")).key == "unknown-attribute"


def test_a_pbx_report() -> None:
    assert read_phone(panel("<phone employee='ivanov' state='offline'/>")) == ("ivanov", Phone.OFFLINE)
    assert read_phone(panel("<phone state='online'/>")) == ("", Phone.ONLINE)
    for bad in ("<phone employee='ivanov'/>", "<phone employee='ivanov' state='unknown'/>"):
        assert refusal_of(read_phone, panel(bad)).key == "bad-phone"
    assert refusal_of(read_phone, panel("<phone employee='i' state='online' since='x'/>")).key == "unknown-attribute"


@given(statuses, st.sampled_from(CHOOSABLE))
def test_an_answer_keeps_to_the_schema_and_loses_nothing(status: PanelStatus, chosen: Status) -> None:
    element = fromstring(tostring(write_status(status, chosen)))
    assert schema_errors(element, "StatusAnswer") == []
    assert (element.get("value"), element.get("chosen"), element.get("phone")) == (status.status, chosen, status.phone)
    for name, at in (("since", status.since), ("until", status.until)):
        word = element.get(name)
        assert (None if word is None else datetime.fromisoformat(word)) == at
    assert element.findtext(tag(PANEL, "text")) == status.text


@given(st.lists(people_text, unique=True, max_size=6), st.integers(0, 7), statuses)
def test_pages_together_are_the_whole_list(names: list[str], size: int, status: PanelStatus) -> None:
    ids, read, after = sorted(names), list[str](), None
    while True:
        element = write_statuses(ids, Page(size, after), lambda one: ContactRow(one, f"{one}@x", one, status))
        assert schema_errors(element, "StatusesAnswer") == []
        page = [one.get("id", "") for one in element.iterfind(tag(PANEL, "employee"))]
        answer = element.find(tag(RSM, "set"))
        assert answer is not None
        assert answer.findtext(tag(RSM, "count")) == str(len(ids))
        if not page:
            assert answer.find(tag(RSM, "first")) is None
            break
        first = answer.find(tag(RSM, "first"))
        assert first is not None
        assert (first.text, first.get("index")) == (page[0], str(len(read)))
        read, after = read + page, answer.findtext(tag(RSM, "last"))
    assert read == (ids if size else [])


def test_a_page_after_nobody() -> None:
    with pytest.raises(Refusal) as refusal:
        write_statuses(["ivanov"], Page(5, "petrov"), lambda _: pytest.fail("nobody is shown"))
    assert (refusal.value.condition, refusal.value.key) == ("item-not-found", "unknown-page")


def test_idle_and_delay() -> None:
    presence = fromstring(
        "<presence><idle xmlns='urn:xmpp:idle:1' since='2026-11-24T12:00:00Z'/>"
        "<delay xmlns='urn:xmpp:delay' stamp='2026-11-24T14:00:00.5+02:00'/></presence>"
    )
    assert idle_since(presence) == NOON
    assert delay_stamp(presence) == NOON.replace(microsecond=500_000)
    assert (idle_since(Element("presence")), delay_stamp(Element("presence"))) == (None, None)
    for child in presence:
        child.attrib.clear()
    assert delay_stamp(presence) is None
    assert refusal_of(idle_since, presence).key == "bad-date"
