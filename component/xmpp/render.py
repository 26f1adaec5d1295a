"""Presence -> bytes, once for all recipients.

A rendered presence has holes, filled at the write: the recipient, the seconds of `jabber:iq:last` and, in an answer
to a probe, the stamp's element. Everything else is escaped and cleaned here; `xmpp/gate.py` checks and fills it in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from component.core.address import RESOURCE
from component.core.presence import Available, Presence
from component.core.text import xml_text
from component.xmpp.namespaces import DELAY, IDLE, LAST, PANEL
from component.xmpp.times import stamp


@dataclass(frozen=True, slots=True)
class Rendered:
    """The bytes around the holes: `head` TO `open`, then the seconds between `open` and `close` when idle."""

    head: bytes
    open: bytes
    close: bytes
    idle_since: datetime | None
    delay: bytes

    def write(self, to: Iterable[bytes], now: datetime, *, answer: bool = False) -> bytes:
        """Return one stanza for each recipient, given as quoted attribute values."""
        seconds = b""
        if self.idle_since is not None:
            seconds = b"%d" % max(0, int((now - self.idle_since).total_seconds()))
        tail = self.open + seconds + self.close + (self.delay if answer else b"") + b"</presence>"
        return b"".join([self.head + address + tail for address in to])


def _element_text(value: str) -> str:
    return escape(xml_text(value))


def render(presence: Presence, localpart: str, domain: str, language: str, caps: str) -> Rendered:
    """Render a contact's presence; `caps` is the `<c/>` element that available ones carry (XEP-0115)."""
    sender = quoteattr(f"{localpart}@{domain}/{RESOURCE}")
    kind = "" if isinstance(presence, Available) else " type='unavailable'"
    # a localpart that is no text is the gate's to stop
    head = f"<presence from={sender}{kind} xml:lang='{language}' to=".encode("utf-8", "surrogatepass")
    parts = [">"]
    if isinstance(presence, Available) and presence.show:
        parts.append(f"<show>{presence.show}</show>")
    for lang, text in presence.texts:
        mark = "" if lang == language else f" xml:lang='{lang}'"
        parts.append(f"<status{mark}>{_element_text(text)}</status>")
    close = ""
    idle_since = presence.idle_since if isinstance(presence, Available) else None
    if idle_since is not None:
        parts.append(f"<idle xmlns='{IDLE}' since='{stamp(idle_since)}'/><query xmlns='{LAST}' seconds='")
        close = "'/>"
    tail = (caps if isinstance(presence, Available) else "") + _payload(presence)
    delay = ""
    if not isinstance(presence, Available) and presence.since:
        delay = f"<delay xmlns='{DELAY}' from={quoteattr(domain)} stamp='{stamp(presence.since)}'/>"
    opened = "".join(parts)
    if idle_since is None:
        return Rendered(head, (opened + tail).encode(), b"", None, delay.encode())
    return Rendered(head, opened.encode(), (close + tail).encode(), idle_since, delay.encode())


def _payload(presence: Presence) -> str:
    payload = presence.payload
    times = "".join(
        f" {name}='{stamp(instant)}'"
        for name, instant in (("since", payload.since), ("until", payload.until))
        if instant
    )
    return f"<panel xmlns='{PANEL}' status='{payload.status}' phone='{payload.phone}'{times}/>"
