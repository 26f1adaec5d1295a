"""Addresses: escaping (XEP-0106), normalisation (RFC 7622), splitting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component.core.address import bare, escape, localpart_of, normalize_account, split, unescape

ESCAPED = [
    # XEP-0106, the characters of table 1 and the examples of sections 4.2 and 5
    ("space cadet", "space\\20cadet"),
    ('call me "ishmael"', "call\\20me\\20\\22ishmael\\22"),
    ("at&t guy", "at\\26t\\20guy"),
    ("d'artagnan", "d\\27artagnan"),
    ("/.fanboy", "\\2f.fanboy"),
    ("::foo::", "\\3a\\3afoo\\3a\\3a"),
    ("<foo>", "\\3cfoo\\3e"),
    ("user@host", "user\\40host"),
    ("c:\\net", "c\\3a\\net"),
    ("c:\\\\net", "c\\3a\\\\net"),
    ("c:\\cool stuff", "c\\3a\\cool\\20stuff"),
    ("c:\\5commas", "c\\3a\\5c5commas"),
    ("c:\\5Commas", "c\\3a\\5c5Commas"),
    ("d.artagnan", "d.artagnan"),
]


@pytest.mark.parametrize(("text", "localpart"), ESCAPED)
def test_an_id_is_escaped_and_unescaped(text: str, localpart: str) -> None:
    assert escape(text) == localpart
    assert unescape(localpart) == text
    assert localpart_of(text) == localpart.lower()


@given(st.text() | st.text(" \\205c@'&ab"))
def test_unescape_undoes_escape(text: str) -> None:
    assert unescape(escape(text)) == text


@given(st.text() | st.text(" \\205cC@'&abАб＼"))
def test_a_localpart_stays_what_it_is_when_its_id_is_imported_again(text: str) -> None:
    try:
        localpart = localpart_of(text)
    except ValueError:
        return
    assert localpart_of(unescape(localpart)) == localpart


@pytest.mark.parametrize(("text", "localpart"), [("Ivanov", "ivanov"), ("Пётр", "пётр"), ("O'Neil", "o\\27neil")])
def test_ids_are_normalised(text: str, localpart: str) -> None:
    assert localpart_of(text) == localpart


@pytest.mark.parametrize("text", ["", "a\x00b", "a\nb", "a\u202eb", "я" * 1024, "＼5c"])
def test_an_id_that_no_localpart_can_carry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not possible as the localpart of a JID"):
        localpart_of(text)


@pytest.mark.parametrize("text", [" a", "a ", "＼20a", "a＼20"])
def test_a_localpart_has_no_space_at_its_ends(text: str) -> None:
    with pytest.raises(ValueError, match="with a space at an end"):
        localpart_of(text)


def test_an_account_is_normalised() -> None:
    assert normalize_account("Ivanov@Example.Test") == "ivanov@example.test"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not a bare JID"),
        ("example.test", "not a bare JID"),
        ("ivanov@example.test/panel", "not a bare JID"),
        ("@example.test", "not a JID"),
        ("ivan ov@example.test", "not a JID"),
        ("ivanov@", "not a JID"),
    ],
)
def test_an_account_that_is_no_bare_jid_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        normalize_account(text)


@pytest.mark.parametrize(
    ("jid", "parts"),
    [
        ("ivanov@example.test/panel", ("ivanov", "example.test", "panel")),
        ("ivanov@example.test", ("ivanov", "example.test", "")),
        ("example.test", ("", "example.test", "")),
        ("example.test/a@b", ("", "example.test", "a@b")),
        ("ivanov@example.test/a/b@c", ("ivanov", "example.test", "a/b@c")),
    ],
)
def test_a_jid_is_split(jid: str, parts: tuple[str, str, str]) -> None:
    assert split(jid) == parts


def test_the_bare_jid_of_any_jid() -> None:
    assert bare("ivanov@example.test/a/b") == bare("ivanov@example.test") == "ivanov@example.test"
