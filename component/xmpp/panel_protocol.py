"""The panel's protocol, namespace `urn:panel-presence:1` (docs/protocol.md): elements <-> core values, pure.

Every reader raises Refusal with the condition and the text of the answer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement

from component.core.errors import Refusal
from component.core.facts import Mode, Phone, Status
from component.core.status import PanelStatus
from component.xmpp.namespaces import DELAY, IDLE, PANEL, RSM, tag
from component.xmpp.times import instant, stamp

PAGE = 100
"""The default and the greatest number of employees on a page of `<statuses/>`."""


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """A `<status/>` that sets."""

    value: str
    text: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """What part of `<statuses/>` is asked for (XEP-0059): at most `max` employees after the id `after`."""

    max: int
    after: str | None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """An employee as `<statuses/>` lists him."""

    id: str
    jid: str
    name: str
    status: PanelStatus


def read_panel(element: Element) -> tuple[Mode, Phone | None]:
    """Read a panel's directed presence payload `<panel mode phone/>`."""
    _only(element, {"mode", "phone"}, set())
    try:
        mode = Mode(element.get("mode", ""))
    except ValueError:
        raise Refusal("bad-request", "bad-mode", value=element.get("mode", "")) from None
    word = element.get("phone")
    return mode, None if word is None else _phone(word)


def read_status_set(element: Element) -> StatusRequest:
    """Read the `<status/>` of an iq set; the value itself is judged by the rules."""
    _only(element, {"value", "until"}, {tag(PANEL, "text")})
    value = element.get("value")
    if value is None:
        raise Refusal("bad-request", "no-status")
    if value not in ("online", "busy", "dnd", "offline"):
        raise Refusal("bad-request", "unknown-status", value=value)
    for child in element:
        _only(child, set(), set())
    until = element.get("until")
    texts = [child.text or "" for child in element]
    if len(texts) > 1:
        raise Refusal("bad-request", "unknown-child", name="text")
    return StatusRequest(value, texts[0] if texts else None, None if until is None else _date(until))


def read_status_get(element: Element) -> None:
    """Read the empty `<status/>` of an iq get."""
    _only(element, set(), set())


def read_page(element: Element) -> Page:
    """Read the XEP-0059 request in `<statuses/>`."""
    _only(element, set(), {tag(RSM, "set")})
    request = element.find(tag(RSM, "set"))
    if request is None:
        return Page(PAGE, None)
    # What is not offered (the last page, a page by its number) is refused, not taken for the first page.
    _only(request, set(), {tag(RSM, "max"), tag(RSM, "after")})
    word = request.findtext(tag(RSM, "max"))
    if word is not None and not (word.isascii() and word.isdigit() and len(word) < 10):
        raise Refusal("bad-request", "bad-page", value=word)
    return Page(PAGE if word is None else min(int(word), PAGE), request.findtext(tag(RSM, "after")) or None)


def read_phone(element: Element) -> tuple[str, Phone]:
    """Read a PBX's `<phone employee state/>`."""
    _only(element, {"employee", "state"}, set())
    return element.get("employee", ""), _phone(element.get("state", ""))


def write_status(status: PanelStatus, chosen: Status) -> Element:
    """Write the `<status/>` that answers: the panel status in force and what was picked."""
    element = Element(tag(PANEL, "status"), {"value": status.status, "chosen": chosen, **_facts(status)})
    if status.text:
        SubElement(element, tag(PANEL, "text")).text = status.text
    return element


def write_statuses(ids: list[str], page: Page, row: Callable[[str], ContactRow]) -> Element:
    """Write a page of `<statuses/>`, given all ids in order; raises Refusal for an `after` that is not there."""
    if page.after is not None and page.after not in ids:
        raise Refusal("item-not-found", "unknown-page", value=page.after)
    start = 0 if page.after is None else ids.index(page.after) + 1
    shown = [row(one) for one in ids[start : start + page.max]]
    element = Element(tag(PANEL, "statuses"))
    for one in shown:
        facts = {"id": one.id, "jid": one.jid, "name": one.name, "status": one.status.status, **_facts(one.status)}
        employee = SubElement(element, tag(PANEL, "employee"), facts)
        if one.status.text:
            SubElement(employee, tag(PANEL, "text")).text = one.status.text
    answer = SubElement(element, tag(RSM, "set"))
    if shown:
        SubElement(answer, tag(RSM, "first"), {"index": str(start)}).text = shown[0].id
        SubElement(answer, tag(RSM, "last")).text = shown[-1].id
    SubElement(answer, tag(RSM, "count")).text = str(len(ids))
    return element


def idle_since(presence: Element) -> datetime | None:
    """Return XEP-0319's `since`, None when there is none; raises Refusal for a bad date."""
    idle = presence.find(tag(IDLE, "idle"))
    return None if idle is None else _date(idle.get("since", ""))


def delay_stamp(presence: Element) -> datetime | None:
    """Return XEP-0203's stamp of a replayed presence; None when there is none that can be read."""
    delay = presence.find(tag(DELAY, "delay"))
    if delay is None:
        return None
    try:
        return instant(delay.get("stamp", ""))
    except ValueError:
        return None


def _facts(status: PanelStatus) -> dict[str, str]:
    times = {"since": status.since, "until": status.until}
    return {"phone": status.phone, **{name: stamp(at) for name, at in times.items() if at}}


def _phone(word: str) -> Phone:
    if word not in (Phone.ONLINE, Phone.OFFLINE):
        raise Refusal("bad-request", "bad-phone", value=word)
    return Phone(word)


def _date(word: str) -> datetime:
    try:
        return instant(word)
    except ValueError:
        raise Refusal("bad-request", "bad-date", value=word) from None


def _only(element: Element, attributes: Iterable[str], children: Iterable[str]) -> None:
    for name in element.attrib:
        if name not in attributes and not name.startswith("{"):
            raise Refusal("bad-request", "unknown-attribute", name=name)
    for child in element:
        if child.tag not in children:
            raise Refusal("bad-request", "unknown-child", name=child.tag.rpartition("}")[2])
