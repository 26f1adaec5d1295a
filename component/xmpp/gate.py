"""The gate of the stream: nothing leaves that would make a server close it.

Servers close a component's stream for a stanza without `to` or `from`, with a foreign `from`, with characters that
XML cannot carry, or over the size limit. What is nested too deeply to be written does not leave either.
"""

import re
from xml.etree.ElementTree import Element

from slixmpp.xmlstream.tostring import tostring

from component.core.address import split
from component.core.text import xml_text
from component.xmpp.namespaces import COMPONENT

MAX_STANZA = 500_000
"""Bytes; below the limits that ejabberd-config sets and that Prosody has for components (512 KiB)."""
LONG_TAG = 512
"""Bytes of a tag from which on a server may read it in pieces (ejabberd reads 1460 at once)."""

_LONG_TAGS = re.compile(rb"<[^>]{%d,}>" % LONG_TAG)


class Stopped(Exception):
    """A stanza that must not be sent; its text says why."""


def serialize(stanza: Element, domain: str) -> bytes:
    """Return a stanza's bytes; raises Stopped for one that would close the stream."""
    if not stanza.get("to"):
        raise Stopped("no recipient")
    if split(stanza.get("from", ""))[1] != domain:
        raise Stopped(f"foreign sender {stanza.get('from')!r}")
    try:
        data = xml_text(tostring(stanza, xmlns=COMPONENT)).encode()
    except RecursionError:
        raise Stopped("its elements are nested too deeply") from None
    if len(data) > MAX_STANZA:
        raise Stopped(f"{len(data)} bytes are too many")
    return data


def padded(data: bytes) -> bytes:
    """Return a stanza's bytes with as much white space behind it as its longest tag has, if that is a long one.

    The servers' parsers, too, put off a tag that came in pieces (`component.xmpp.whole_tags`): one message with an
    attribute of 5,000 characters waited on ejabberd, one of 20,000 on Prosody, and all that came behind it. White space
    between stanzas means nothing (RFC 6120 section 11.7) and counts for no limit. Texts need none.
    """
    return data + b" " * max(map(len, _LONG_TAGS.findall(data)), default=0)
