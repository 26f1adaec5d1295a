"""What a custom status text may contain."""

import re
import unicodedata

from component.core.errors import Refusal

MAX_LENGTH = 300
"""Characters of a custom text."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPACES = re.compile(r"[\t\r\n\u0085\u2028\u2029]+")
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")


def xml_text(text: str) -> str:
    """Replace what XML 1.0 (section 2.2) cannot carry by U+FFFD, so that no text can close a stream."""
    return _NOT_XML.sub("\ufffd", text)


def custom_text(text: str | None) -> str | None:
    """Return a custom text as it is kept: NFC, tabs and line ends as one space, trimmed; None when empty.

    Raises Refusal `not-acceptable` for a text over 300 characters or with control or bidi characters.
    """
    if text is None:
        return None
    kept = unicodedata.normalize("NFC", _SPACES.sub(" ", text)).strip()
    if len(kept) > MAX_LENGTH:
        raise Refusal("not-acceptable", "text-too-long", length=len(kept), limit=MAX_LENGTH)
    if found := _FORBIDDEN.search(kept):
        raise Refusal("not-acceptable", "text-control", code=f"U+{ord(found[0]):04X}")
    return kept or None
