"""The gate of the stream: nothing leaves that would make a server close it.

Servers close a component's stream for a stanza without `to` or `from`, with a foreign `from`, with characters that
XML cannot carry, or over the size limit. What is nested too deeply to be written does not leave either.
"""

from xml.etree.ElementTree import Element

from slixmpp.xmlstream.tostring import tostring

from component.core.address import split
from component.core.text import xml_text
from component.xmpp.namespaces import COMPONENT

MAX_STANZA = 500_000
"""Bytes; below the limits that ejabberd-config sets and that Prosody has for components (512 KiB)."""


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
