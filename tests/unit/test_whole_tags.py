"""Large stanzas are parsed when they are complete, however they are cut."""

from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import XMLPullParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component.panel_client import whole_tags as clients
from component.xmpp import whole_tags as ours


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_nothing_is_lost_and_nothing_waits_that_ends_in_a_tag(data: bytes, cuts: list[int]) -> None:
    feed, out = ours.WholeTags(), b""
    edges = sorted({0, *cuts, len(data)} & set(range(len(data) + 1)))
    for start, end in pairwise(edges):
        part = feed(data[start:end])
        assert part == b"" or part.endswith(b">")
        out += part
    assert out == data[: data.rfind(b">") + 1]
    assert out + feed(b">") == data + b">"


@pytest.mark.parametrize("size", [10, 1000, 5000, 60_000, 300_000])
@pytest.mark.parametrize("cut", [7, 999, 1460, 4096])
@pytest.mark.parametrize("stanza", ["<iq id='{}'/>", "<iq><text>{}</text></iq>", "<iq><x a='{}'/></iq>"])
def test_a_large_stanza_is_there_with_its_last_byte(stanza: str, size: int, cut: int) -> None:
    """Without the mechanism it fails for tags where expat puts them off (Debian 12 from deb12u2 on, Python 3.13)."""
    parser: Any = XMLPullParser(("end",))
    feed, seen = ours.WholeTags(), list[str]()
    data = b"<stream>" + stanza.format("x" * size).encode()
    for start in range(0, len(data), cut):
        parser.feed(feed(data[start : start + cut]))
        seen += [element.tag for _, element in parser.read_events()]
    assert seen[-1] == "iq"


def test_the_panels_client_has_the_same() -> None:
    feed = clients.WholeTags()
    assert [feed(b"<a"), feed(b"b/><c"), feed(b">")] == [b"", b"<ab/>", b"<c>"]
