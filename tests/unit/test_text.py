"""What a custom text may contain."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component.core.errors import Refusal
from component.core.text import MAX_LENGTH, custom_text, xml_text
from component.core.texts import LANGUAGES, say

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_a_text_is_refused_or_kept_in_a_form_that_stays(text: str) -> None:
    try:
        kept = custom_text(text)
    except Refusal as refusal:
        assert refusal.condition == "not-acceptable"
        return
    assert custom_text(kept) == kept
    assert kept is None or (0 < len(kept) <= MAX_LENGTH and kept == kept.strip())
    assert kept is None or xml_text(kept) == kept


@given(ANY_TEXT)
def test_xml_text_leaves_nothing_that_xml_cannot_carry(text: str) -> None:
    """XML 1.0 section 2.2."""
    carried = xml_text(text)
    assert len(carried) == len(text)
    for character in carried:
        assert character in "\t\n\r" or not unicodedata.category(character).startswith("Cs")
        assert character >= " " or character in "\t\n\r"
        assert character not in "\ufffe\uffff"


def test_xml_text_keeps_what_xml_can_carry() -> None:
    assert xml_text("a\tб\r\n😀 \x85") == "a\tб\r\n😀 \x85"
    assert xml_text("a\x00\x0b\ud800\uffffb") == "a\ufffd\ufffd\ufffd\ufffdb"


@pytest.mark.parametrize("text", [None, "", "  ", "\n\t", "\u2028"])
def test_an_empty_text_is_no_text(text: str | None) -> None:
    assert custom_text(text) is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  На обеде ", "На обеде"),
        ("На\tобеде", "На обеде"),
        ("На\r\nобеде\n", "На обеде"),
        ("На\u0085обеде\u2028до 15", "На обеде до 15"),
        ("и\u0306", "й"),
        ("<b>&amp;</b> 😀 👩\u200d💻", "<b>&amp;</b> 😀 👩\u200d💻"),
    ],
)
def test_a_text_is_kept_on_one_line_composed_and_trimmed(text: str, kept: str) -> None:
    assert custom_text(text) == kept


def test_three_hundred_characters_are_allowed_and_one_more_is_not() -> None:
    assert custom_text(" " + "я" * 300 + "\n") == "я" * 300
    with pytest.raises(Refusal) as refused:
        custom_text("я" * 301)
    assert (refused.value.condition, refused.value.key) == ("not-acceptable", "text-too-long")
    assert say(refused.value.key, "en", **refused.value.values) == (
        "the status text is too long: 301 characters, 300 are allowed"
    )


@pytest.mark.parametrize(
    ("character", "code"),
    [
        ("\x00", "U+0000"),
        ("\x0b", "U+000B"),
        ("\x1b", "U+001B"),
        ("\x7f", "U+007F"),
        ("\x80", "U+0080"),
        ("\x9f", "U+009F"),
        ("\u061c", "U+061C"),
        ("\u200e", "U+200E"),
        ("\u200f", "U+200F"),
        ("\u202a", "U+202A"),
        ("\u202e", "U+202E"),
        ("\u2066", "U+2066"),
        ("\u2069", "U+2069"),
        ("\ud800", "U+D800"),
        ("\ufffe", "U+FFFE"),
        ("\uffff", "U+FFFF"),
    ],
)
def test_control_and_bidi_characters_are_refused_by_name(character: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        custom_text(f"На{character}обеде")
    assert (refused.value.condition, refused.value.key) == ("not-acceptable", "text-control")
    assert all(code in say("text-control", language, **refused.value.values) for language in LANGUAGES)
