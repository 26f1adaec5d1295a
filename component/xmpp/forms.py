"""Ad-hoc commands (XEP-0050) with data forms (XEP-0004), without sessions on our side.

The form that a client sends back carries all that is needed, so nothing is remembered between its two requests and
no one can go on with another one's.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, SubElement

from component.core.errors import Refusal
from component.xmpp.namespaces import COMMANDS, DATA, tag


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form: `options` are labels by value, for a list."""

    var: str
    label: str
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A form to fill in."""

    title: str
    instructions: str
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class Note:
    """What a completed command says, with a table of facts if there is one."""

    text: str
    title: str = ""
    facts: Sequence[Field] = field(default_factory=tuple)


def submitted(command: Element) -> dict[str, str] | None:
    """Return the fields of a submitted form, None when the command only begins; raises Refusal for other actions."""
    action = command.get("action", "execute")
    form = command.find(tag(DATA, "x"))
    if action not in ("execute", "complete", "next", "cancel"):
        raise Refusal("bad-request", "unknown-attribute", name=f"action={action}")
    if form is None or form.get("type") != "submit":
        return None
    values = {}
    for one in form.iterfind(tag(DATA, "field")):
        values[one.get("var", "")] = one.findtext(tag(DATA, "value")) or ""
    return values


def cancelled(command: Element) -> Element:
    """Return the answer to `cancel`."""
    return _command(command, "canceled")


def ask(command: Element, form: Form) -> Element:
    """Return the answer that shows a form."""
    answer = _command(command, "executing")
    actions = SubElement(answer, tag(COMMANDS, "actions"), {"execute": "complete"})
    SubElement(actions, tag(COMMANDS, "complete"))
    x = SubElement(answer, tag(DATA, "x"), {"type": "form"})
    SubElement(x, tag(DATA, "title")).text = form.title
    SubElement(x, tag(DATA, "instructions")).text = form.instructions
    for one in form.fields:
        _field(x, one, "list-single" if one.options else "text-single")
    return answer


def complete(command: Element, note: Note) -> Element:
    """Return the answer that ends a command."""
    answer = _command(command, "completed")
    SubElement(answer, tag(COMMANDS, "note"), {"type": "info"}).text = note.text
    if note.facts:
        x = SubElement(answer, tag(DATA, "x"), {"type": "result"})
        SubElement(x, tag(DATA, "title")).text = note.title
        for one in note.facts:
            _field(x, one, "text-single")
    return answer


def _command(command: Element, status: str) -> Element:
    session = command.get("sessionid") or secrets.token_hex(8)
    return Element(tag(COMMANDS, "command"), {"node": command.get("node", ""), "sessionid": session, "status": status})


def _field(x: Element, one: Field, kind: str) -> None:
    element = SubElement(x, tag(DATA, "field"), {"var": one.var, "type": kind, "label": one.label})
    if one.value:
        SubElement(element, tag(DATA, "value")).text = one.value
    for value, label in one.options:
        option = SubElement(element, tag(DATA, "option"), {"label": label})
        SubElement(option, tag(DATA, "value")).text = value
