"""The gate of the stream: the only maker of `Gated` bytes, and the link writes nothing else.

Servers close a component's stream for a stanza without `to` or `from`, with a foreign `from`, with what is no XML, or
over the size limit. What would break out of its stanza, or is nested too deeply to be written, does not leave either.
"""

import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NewType
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.sax.saxutils import quoteattr

from slixmpp.xmlstream.tostring import tostring

from component.core.address import split
from component.core.text import xml_text
from component.xmpp.namespaces import COMPONENT, MESSAGE, PRESENCE, tag
from component.xmpp.render import Rendered

log = logging.getLogger(__name__)

MAX_STANZA = 500_000
"""Bytes; below the limits that ejabberd-config sets and that Prosody has for components (512 KiB)."""
LONG_TAG = 512
"""Bytes of a tag from which on a server may read it in pieces (ejabberd reads 1460 at once)."""

_LONG_TAGS = re.compile(rb"<[^>]{%d,}>" % LONG_TAG)

Gated = NewType("Gated", bytes)
"""Whole stanzas that may leave. Nobody but this module makes them."""

_LONGEST_JID = 3 * 1023 + 2
"""Characters (RFC 7622 section 3.1)."""
_REMEMBERED, _REMEMBERED_LENGTH = 16_384, 200
"""How many addresses and names are remembered once they were checked, and how long names may be for that."""
_DOCUMENT = b"<stream xmlns='%s'>%s</stream>"
_STANZAS = (PRESENCE, MESSAGE, tag(COMPONENT, "iq"))
_CONTROLS = "\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
_JID = re.compile(
    rf"""(?:[^{_CONTROLS}\s"&'/:<>@]{{1,1023}}@)?[^{_CONTROLS}\s"&'/<>@]{{1,1023}}(?:/[^{_CONTROLS}]{{1,1023}})?"""
)
# slixmpp writes namespaces and names as they are.
_NAME = re.compile(rf"""(?:\{{[^{_CONTROLS}\s"&'<>{{}}]*\}})?[^{_CONTROLS}\s"&'<>{{}}/=:]+""")


class Stopped(Exception):
    """A stanza that must not be sent; its text says why."""


def serialize(stanza: Element, domain: str) -> Gated:
    """Return a stanza's bytes; raises Stopped for one that would close the stream or is not one stanza."""
    _check_addresses(stanza.get("from", ""), stanza.get("to", ""), domain)
    for element in stanza.iter():
        if not (_writable(element.tag) and all(map(_writable, element.keys()))):
            raise Stopped("a name or namespace that cannot be written")
    try:
        data = xml_text(tostring(stanza, xmlns=COMPONENT)).encode()
    except RecursionError:
        raise Stopped("its elements are nested too deeply") from None
    if len(data) > MAX_STANZA:
        raise Stopped(f"{len(data)} bytes are too many")
    _check_written(data, domain)
    return Gated(data)


def padded(data: Gated) -> Gated:
    """Return a stanza's bytes with as much white space behind it as its longest tag has, if that is a long one.

    The servers' parsers, too, put off a tag that came in pieces (`component.xmpp.whole_tags`): one message with an
    attribute of 5,000 characters waited on ejabberd, one of 20,000 on Prosody, and all that came behind it. White space
    between stanzas means nothing (RFC 6120 section 11.7) and counts for no limit. Texts need none.
    """
    return Gated(data + b" " * max(map(len, _LONG_TAGS.findall(data)), default=0))


class Template:
    """A contact's rendered presence, checked once; recipients are checked when they are filled in."""

    def __init__(self, rendered: Rendered, domain: str) -> None:
        """Raises Stopped for a presence that may not leave to anybody."""
        longest = rendered.write((b"'x'",), rendered.idle_since or datetime(1970, 1, 1, tzinfo=UTC), answer=True)
        if len(longest) + 6 * _LONGEST_JID > MAX_STANZA:
            raise Stopped(f"{len(longest)} bytes are too many")
        _check_written(longest, domain)
        self._rendered = rendered

    def write(self, to: Sequence[str], now: datetime, *, answer: bool = False) -> Gated:
        """Return one stanza for each recipient; one that is no JID is left out, and logged."""
        addresses = [address for address in map(recipient, to) if address]
        if len(addresses) < len(to):
            log.warning("presence was not sent to %s: not a JID", [jid for jid in to if not recipient(jid)])
        return Gated(self._rendered.write(addresses, now, answer=answer))


@lru_cache(_REMEMBERED)
def recipient(jid: str) -> bytes:
    """Return a JID as a quoted attribute value, empty when it cannot be one (RFC 7622 section 3.1)."""
    return quoteattr(jid).encode() if _JID.fullmatch(jid) else b""


def _writable(name: str) -> bool:
    return _short_writable(name) if len(name) <= _REMEMBERED_LENGTH else _NAME.fullmatch(name) is not None


@lru_cache(_REMEMBERED)
def _short_writable(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _check_addresses(sender: str, to: str, domain: str) -> None:
    if not to:
        raise Stopped("no recipient")
    if len(to) > _LONGEST_JID or not recipient(to):
        raise Stopped("its recipient is not a JID")
    if split(sender)[1] != domain:
        raise Stopped(f"foreign sender {sender[:100]!r}")
    if len(sender) > _LONGEST_JID or not recipient(sender):
        raise Stopped("its sender is not a JID")


def _check_written(data: bytes, domain: str) -> None:
    """Read what was written as the server will: one stanza, from us."""
    try:
        stanzas = [*fromstring(_DOCUMENT % (COMPONENT.encode(), data))]  # noqa: S314 - our own, without a DTD
    except ParseError as error:
        raise Stopped(f"it would not be well-formed: {error}") from None
    if len(stanzas) != 1 or stanzas[0].tag not in _STANZAS or stanzas[0].tail:
        raise Stopped("it would not be one stanza")
    _check_addresses(stanzas[0].get("from", ""), stanzas[0].get("to", ""), domain)
