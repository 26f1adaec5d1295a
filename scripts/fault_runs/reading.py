"""What a client believes: pure readings of the presences that it was sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element

CLIENT = "jabber:client"
PANEL = "urn:panel-presence:1"
IDLE = "urn:xmpp:idle:1"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client shows of a contact: show ("unavailable" for an unavailable one), first status, and the rest.

    `rest` holds everything else that a repetition has too: further statuses, the idle time's begin, `<panel/>`.
    The seconds of `jabber:iq:last` and a XEP-0203 stamp change with the time of sending and are left out.
    """

    show: str
    status: str = ""
    rest: tuple[tuple[str, str], ...] = ()

    @property
    def available(self) -> bool:
        """Whether the contact is shown as online in any way."""
        return self.show != "unavailable"


NOTHING = Shown("unavailable")
"""What a client believes of a contact of which it was told nothing."""

Kind = Literal["first", "change", "repeat"]
"""A presence's worth: the first of a contact since the login, one that changes something, one that does not."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A contact's presence as it came: when (the event loop's seconds), of whom (bare JID), what, and its worth."""

    at: float
    contact: str
    shown: Shown
    kind: Kind


def read(presence: Element) -> Shown | None:
    """Return what a presence shows; None for one that changes nothing of what is believed (subscription, error)."""
    kind = presence.get("type")
    if kind not in (None, "unavailable"):
        return None
    statuses = [(one.get(LANG, ""), one.text or "") for one in presence.iterfind(f"{{{CLIENT}}}status")]
    rest = statuses[1:]
    for tag in (f"{{{IDLE}}}idle", f"{{{PANEL}}}panel"):
        found = presence.find(tag)
        if found is not None:
            rest += sorted(found.items())
    show = "unavailable" if kind else presence.findtext(f"{{{CLIENT}}}show", "")
    return Shown(show, statuses[0][1] if statuses else "", tuple(rest))


def right_since(heard: Iterable[Heard], before: Shown, want: tuple[str, str]) -> float | None:
    """Return when a belief became what it should be and stayed so: 0.0 if it was so all the time, None if it is not.

    `heard` are the presences of one contact in their order, `before` is what was believed before them, `want` the
    show and the first status that are right.
    """
    since = 0.0 if (before.show, before.status) == want else None
    for one in heard:
        if (one.shown.show, one.shown.status) != want:
            since = None
        elif since is None:
            since = one.at
    return since
