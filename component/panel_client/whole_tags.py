"""Feed an XML parser whole tags only.

expat with the fix of CVE-2023-52425 (2.6 and later; Debian 12's 2.5.0 from deb12u2 on) puts off a tag that came in
pieces, until as many bytes again have come: the last stanza of a burst would wait for the next one. Measured with
deb12u2, deb12u5 and Python 3.13.0 (its own 2.6.3): a tag that begins a read and is cut past its half, or that takes
three reads. Texts are not held back. Fed up to a `>` the parser never has a part of a tag, and never looks at a large
one again and again, which the older expat does. Servers write `>` as `&gt;` in texts and attributes, so each one ends
a tag; if one did not, the stanza would only be late.
"""


class WholeTags:
    """Holds back what comes behind the last `>`, until the rest of it is there."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def __call__(self, data: bytes) -> bytes:
        """Return what can be parsed now; empty when all of it must wait."""
        end = data.rfind(b">") + 1
        if not end:
            self._held.append(data)
            return b""
        whole = b"".join((*self._held, data[:end]))
        self._held = [data[end:]] if end < len(data) else []
        return whole
