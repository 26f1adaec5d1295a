"""docs/protocol.md is true to docs/panel-protocol.xsd: every example validates, and wrong elements do not."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from xmlschema.validators import XsdComplexType

DOCS = Path(__file__).parents[2] / "docs"
PANEL = "{urn:panel-presence:1}"
CLIENT = "{jabber:client}"
SCHEMA = xmlschema.XMLSchema(DOCS / "panel-protocol.xsd")
# The type by which an element is judged once the stanza around it is known: stanza, its type, element.
EXACT = {
    ("iq", "get", "status"): "StatusGet",
    ("iq", "set", "status"): "StatusSet",
    ("iq", "result", "status"): "StatusAnswer",
    ("iq", "get", "statuses"): "StatusesGet",
    ("iq", "result", "statuses"): "StatusesAnswer",
    ("iq", "set", "phone"): "Phone",
    ("presence", None, "announce"): "Empty",
}


def exact_type(stanza: ET.Element, element: ET.Element) -> str:
    """The schema's exact type for an element in its stanza."""
    kind, name = stanza.tag.removeprefix(CLIENT), element.tag.removeprefix(PANEL)
    if name == "panel":
        return "PanelContact" if "@" in stanza.get("from", "") else "PanelSession"
    return EXACT[kind, stanza.get("type"), name]


def type_errors(element: ET.Element, exact: str) -> list[str]:
    """What one type of the schema has against an element."""
    xsd_type = SCHEMA.types[exact]
    assert isinstance(xsd_type, XsdComplexType)
    return [str(error.reason) for error in xsd_type.iter_errors(element)]


def errors(element: ET.Element, exact: str) -> list[str]:
    """What the schema has against an element, as any element and as one of the exact type."""
    return [*(str(error.reason) for error in SCHEMA.iter_errors(element)), *type_errors(element, exact)]


def examples() -> Iterator[list[ET.Element]]:
    """The stanzas of each ```xml block of the page."""
    text = (DOCS / "protocol.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```xml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield list(ET.fromstring(f"<stream xmlns='jabber:client'>{block}</stream>"))


def panel_elements() -> Iterator[tuple[ET.Element, ET.Element]]:
    """Each (stanza, child in the panel's namespace) of the page."""
    for stanzas in examples():
        for stanza in stanzas:
            for child in stanza:
                if child.tag.startswith(PANEL):
                    yield stanza, child


def test_every_example_is_made_of_stanzas() -> None:
    tags = {stanza.tag for stanzas in examples() for stanza in stanzas}
    assert tags == {f"{CLIENT}{kind}" for kind in ("iq", "message", "presence")}


def test_the_page_shows_every_element_in_every_role() -> None:
    shown = {exact_type(stanza, element) for stanza, element in panel_elements()}
    assert shown == {*EXACT.values(), "PanelSession", "PanelContact"}


@pytest.mark.parametrize(("stanza", "element"), list(panel_elements()))
def test_example_is_valid(stanza: ET.Element, element: ET.Element) -> None:
    assert errors(element, exact_type(stanza, element)) == []


def test_every_request_id_of_an_answer_is_asked_before() -> None:
    asked: set[str] = set()
    for stanzas in examples():
        for stanza in stanzas:
            if stanza.get("type") in ("get", "set"):
                asked.add(stanza.get("id", ""))
            elif stanza.tag == f"{CLIENT}iq":
                assert stanza.get("id") in asked


WRONG_ANYWHERE = [
    "<status value='lunch'/>",
    "<status value='Online'/>",
    "<status value='busy' until='2026-11-24T12:00:00'/>",
    "<status value='busy' until='2026-11-24'/>",
    "<status value='busy' until='tomorrow'/>",
    "<status value='busy' chosen='was-here'/>",
    "<status value='busy' colour='red'/>",
    "<status value='busy'><text>a</text><text>b</text></status>",
    "<status value='busy'><note>a</note></status>",
    f"<status value='busy'><text>{'я' * 301}</text></status>",
    "<status value='busy'><text>a\u202eb</text></status>",
    "<status value='busy'><text>a\u0085b</text></status>",
    "<status value='busy'>text</status>",
    "<panel mode='mobile'/>",
    "<panel mode='softphone' phone='busy'/>",
    "<panel mode='softphone'><idle/></panel>",
    "<panel status='lunch' phone='online'/>",
    "<panel status='busy' phone='online' since='2026-11-24T12:00:00+03:00'/>",
    "<phone state='online'/>",
    "<phone employee='ivanov'/>",
    "<phone employee='' state='online'/>",
    "<phone employee='ivanov' state='unknown'/>",
    "<announce>now</announce>",
    "<announce mode='softphone'/>",
    "<statuses><employee id='a' jid='a@b' name='A' phone='online'/></statuses>",
    "<statuses><employee id='a' jid='a@b' name='A' status='away' phone='online'/></statuses>",
    "<statuses><set><max>1</max></set></statuses>",
    "<presence/>",
]
WRONG_IN_ITS_ROLE = [
    ("StatusSet", "<status/>"),
    ("StatusSet", "<status value='was-here'/>"),
    ("StatusSet", "<status value='busy' phone='online'/>"),
    ("StatusGet", "<status value='busy'/>"),
    ("StatusGet", "<status><text>a</text></status>"),
    ("StatusAnswer", "<status value='busy' phone='online'/>"),
    ("StatusAnswer", "<status value='busy' chosen='busy'/>"),
    ("StatusAnswer", "<status value='busy' chosen='busy' phone='online' until='2026-11-24T12:00:00+03:00'/>"),
    ("StatusesGet", "<statuses><employee id='a' jid='a@b' name='A' status='busy' phone='online'/></statuses>"),
    ("PanelSession", "<panel/>"),
    ("PanelSession", "<panel phone='online'/>"),
    ("PanelSession", "<panel mode='softphone' phone='unknown'/>"),
    ("PanelSession", "<panel mode='softphone' status='busy'/>"),
    ("PanelContact", "<panel status='busy'/>"),
    ("PanelContact", "<panel mode='softphone' status='busy' phone='online'/>"),
]


def in_namespace(text: str) -> ET.Element:
    return ET.fromstring(f"<x xmlns='urn:panel-presence:1'>{text}</x>")[0]


@pytest.mark.parametrize("text", WRONG_ANYWHERE)
def test_wrong_element_is_refused(text: str) -> None:
    assert not SCHEMA.is_valid(in_namespace(text))


@pytest.mark.parametrize(("exact", "text"), WRONG_IN_ITS_ROLE)
def test_element_in_the_wrong_role_is_refused(exact: str, text: str) -> None:
    assert type_errors(in_namespace(text), exact)


def test_a_text_of_300_characters_is_valid() -> None:
    element = in_namespace(f"<status value='dnd' until='2026-11-24T12:00:00+03:00'><text>{'я' * 300}</text></status>")
    assert errors(element, "StatusSet") == []
