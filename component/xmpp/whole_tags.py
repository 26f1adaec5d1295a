"""Feed an XML parser whole tags only.

Since expat 2.6 (and Debian's patched older ones) a parser that was fed a part of a large tag or text waits for much
more data before it looks again (CVE-2023-52425): the last stanza of a burst would wait for the next one. Fed up to a
`>` it never has a part of anything. Servers write `>` as `&gt;` in texts and attributes, so each one ends a tag; if one
did not, the stanza would only be late.

`component.panel_client` has a copy: neither may import the other.
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
