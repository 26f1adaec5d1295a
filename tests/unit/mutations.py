"""Stanzas as nobody should send them: examples, changed here and there, by a seeded random."""

import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from xml.etree.ElementTree import Element, SubElement

from component.xmpp.namespaces import (
    COMMANDS,
    COMPONENT,
    DATA,
    DELAY,
    DISCO_INFO,
    DISCO_ITEMS,
    IDLE,
    IQ,
    LAST,
    MESSAGE,
    PANEL,
    PRESENCE,
    RSM,
    VCARD,
    XML_LANG,
    tag,
)
from tests.unit.fakes import DOMAIN
from tests.unit.stanza_rig import PBX, PETROV

IVANOV = "ivanov@example.test/panel"
TYPES = (
    *("", "get", "set", "result", "error", "push"),
    *("chat", "normal", "headline", "groupchat"),
    *("probe", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "unavailable", "available", "invisible"),
    *("submit", "cancel", "form", "modify", "auth", "wait", "\x00"),
)
NAMESPACES = (
    *(COMPONENT, PANEL, IDLE, RSM, COMMANDS, DATA, DELAY, DISCO_INFO, DISCO_ITEMS, LAST, VCARD, "urn:x", ""),
    *("jabber:client", "urn:xmpp:sid:0", "urn:xmpp:receipts", "urn:ietf:params:xml:ns:xmpp-stanzas"),
    *('a"b<c', "u'/></message><presence/>&", "http://www.w3.org/XML/1998/namespace", "x" * 300, " "),
)
NAMES = (
    *("status", "statuses", "phone", "panel", "query", "command", "text", "idle", "set", "max", "after", "x", "field"),
    *(
        "value",
        "body",
        "show",
        "priority",
        "error",
        "delay",
        "stanza-id",
        "ping",
        "vCard",
        "time",
        "iq",
        "message",
        "é",
    ),
)
ATTRIBUTES = (
    *("value", "until", "mode", "phone", "since", "stamp", "employee", "state", "node", "action", "var", "sessionid"),
    *("id", "from", "to", "type", XML_LANG, "{urn:x}odd", "xmlns:x", "{http://www.w3.org/XML/1998/namespace}base"),
)
WORDS = (
    *("", "online", "busy", "dnd", "offline", "was-here", "softphone", "deskphone", "unknown", "ivanov", "o'neil"),
    *("2026-11-24T12:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-11-24", "-1", "9" * 30),
    *("1970-01-01T00:00:00Z", "2026-11-24T08:00:00.123456+14:00", "away", "xa", "NaN", "{value}", "%s", "На обеде"),
    *(
        "cancel",
        "complete",
        "next",
        "show-status",
        "set-status",
        "block",
        "unblock",
        "x" * 400,
        "ё" * 301,
        "\u202e",
        "\x00\x0b\ufffe",
    ),
    *("🐱", "'\"<&>]]>", "\ud800", "ru", "ru-RU", "en", " ", "\t\n\r", "\u0085\u2028", COMMANDS),
)
JIDS = (
    *(DOMAIN, f"{DOMAIN}/x", "", "@", "/", "@/", "elsewhere.test", "x@y@z/@", "example.test", "@example.test"),
    *("stranger@example.test/'&<>\"", "petrov@example.test/ ", "petrov@example.test/\U0001f431", "a b@example.test"),
    *(PBX, f"{PBX}/1", f"{PBX}/2", "\x00@\ud800/\ufffe", "x" * 4000, f"{'x' * 1024}@example.test/pc", f"@{DOMAIN}"),
    *(f"petrov@example.test/{'&' * 1023}", f"ivanov@{DOMAIN}/other", f"IVANOV@{DOMAIN}", f"o'neil@{DOMAIN}"),
    *(f"{local}@{DOMAIN}{tail}" for local in ("ivanov", "o\\27neil", "hidden", "nobody") for tail in ("", "/panel")),
    *(
        f"{local}@example.test{tail}"
        for local in ("ivanov", "petrov", "oneil", "hidden", "stranger")
        for tail in ("", "/panel", "/pc")
    ),
)
HUGE = 150_000
"""Characters of what is huge; escaped, some of it is over the limit of a stanza."""


def mutated(chance: random.Random, examples: Sequence[Element]) -> Element:
    """Return a copy of an example, changed here and there, from and to anybody."""
    stanza = deepcopy(chance.choice(examples))
    for name, likely in (("from", (PETROV, IVANOV)), ("to", (DOMAIN, f"ivanov@{DOMAIN}", f"hidden@{DOMAIN}"))):
        stanza.set(name, chance.choice(likely if chance.random() < 0.6 else JIDS))
    for _ in range(chance.choice((0, 0, 1, 1, 2, 2, 3, 6))):
        chance.choice(_CHANGES)(chance, stanza, chance.choice([*stanza.iter()]), examples)
    if chance.random() < 0.002:
        chance.choice(_EXCESSES)(chance, stanza)
    return stanza


Change = Callable[[random.Random, Element, Element, Sequence[Element]], object]


def _set(chance: random.Random, _: Element, one: Element, __: Sequence[Element]) -> None:
    one.set(chance.choice(ATTRIBUTES), chance.choice(WORDS if chance.random() < 0.8 else JIDS))


def _set_type(chance: random.Random, stanza: Element, one: Element, _: Sequence[Element]) -> None:
    chance.choice((stanza, one)).set("type", chance.choice(TYPES))


def _unset(chance: random.Random, stanza: Element, one: Element, _: Sequence[Element]) -> None:
    if one.attrib:
        del one.attrib[chance.choice([*one.attrib])]
    if chance.random() < 0.3:
        stanza.attrib.pop("id", None)


def _write(chance: random.Random, _: Element, one: Element, __: Sequence[Element]) -> None:
    one.text = chance.choice(WORDS)
    one.tail = chance.choice(WORDS)


def _insert(chance: random.Random, _: Element, one: Element, __: Sequence[Element]) -> None:
    one.insert(0, Element(tag(chance.choice(NAMESPACES), chance.choice(NAMES)), {chance.choice(ATTRIBUTES): "x"}))


def _double(chance: random.Random, stanza: Element, one: Element, _: Sequence[Element]) -> None:
    one.append(deepcopy(chance.choice([*stanza.iter()])))


def _borrow(chance: random.Random, stanza: Element, _: Element, examples: Sequence[Element]) -> None:
    stanza.extend(deepcopy([*chance.choice(examples)]))


def _empty(_: random.Random, __: Element, one: Element, ___: Sequence[Element]) -> None:
    del one[:]


def _rename(chance: random.Random, _: Element, one: Element, __: Sequence[Element]) -> None:
    one.tag = tag(chance.choice(NAMESPACES), chance.choice((one.tag.rpartition("}")[2], *NAMES)))


def _turn(chance: random.Random, stanza: Element, _: Element, __: Sequence[Element]) -> None:
    stanza.tag = chance.choice((IQ, MESSAGE, PRESENCE))


_CHANGES: tuple[Change, ...] = (
    *(_set, _set, _set_type, _set_type, _unset, _unset, _write, _insert),
    *(_double, _borrow, _empty, _rename, _turn),
)


def _nest(chance: random.Random, stanza: Element) -> None:
    inner, name = chance.choice([*stanza.iter()]), tag(chance.choice(NAMESPACES), "x")
    for _ in range(chance.choice((10, 100, 900, 3000))):
        inner = SubElement(inner, name)


def _swell_text(chance: random.Random, stanza: Element) -> None:
    chance.choice([*stanza.iter()]).text = chance.choice(("x", '"', "\x00", "🐱")) * HUGE


def _swell_attribute(chance: random.Random, stanza: Element) -> None:
    chance.choice([*stanza.iter()]).set(chance.choice(ATTRIBUTES), chance.choice(("x", '"', "&", "🐱")) * HUGE)


def _widen(chance: random.Random, stanza: Element) -> None:
    one = chance.choice([*stanza.iter()])
    one.extend([Element(tag(chance.choice(NAMESPACES), chance.choice(NAMES))) for _ in range(3000)])


_EXCESSES: tuple[Callable[[random.Random, Element], None], ...] = (_nest, _swell_text, _swell_attribute, _widen)
