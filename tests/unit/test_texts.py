"""The texts that people read, in Russian and English."""

from string import Formatter

import pytest

from component.core.errors import Refusal
from component.core.facts import Status
from component.core.texts import _TEXTS, LANGUAGES, LONGEST_VALUE, Language, day_of, language_of, say


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("key", _TEXTS)
def test_a_text_exists_in_every_language_with_the_same_placeholders(key: str) -> None:
    templates = _TEXTS[key]
    assert len(templates) == len(LANGUAGES)
    assert all(template == template.strip() != "" for template in templates)
    assert len({frozenset(placeholders(template)) for template in templates}) == 1


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_panel_status_has_a_text(status: Status, language: Language) -> None:
    assert say(status, language, day="24.11", time="14:05")


def test_placeholders_are_filled_and_their_values_are_left_alone() -> None:
    assert say("unknown-child", "ru", name="{x}") == "Неизвестный элемент «{x}»"
    assert say("unknown-child", "en", name="{x}") == "unknown element '{x}'"


def test_a_huge_value_does_not_make_a_huge_text() -> None:
    text = say("unknown-child", "en", name="x" * 100_000)
    assert text == f"unknown element '{'x' * (LONGEST_VALUE - 1)}…'"
    assert say("unknown-child", "en", name="x" * LONGEST_VALUE) == f"unknown element '{'x' * LONGEST_VALUE}'"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("ru", "ru"), ("ru-RU", "ru"), ("EN-gb", "en"), ("en", "en"), ("de", "ru"), ("", "ru"), (None, "ru")],
)
def test_the_language_of_a_tag_or_the_fallback(tag: str | None, language: Language) -> None:
    assert language_of(tag, "ru") == language


def test_a_day_is_written_as_people_write_it() -> None:
    assert (day_of(24, 11, "ru"), day_of(1, 2, "ru")) == ("24.11", "01.02")
    assert (day_of(24, 11, "en"), day_of(1, 2, "en")) == ("24 Nov", "1 Feb")


def test_a_refusal_reads_well_in_a_log() -> None:
    assert str(Refusal("forbidden", "not-employee")) == "forbidden: not-employee"
    assert str(Refusal("bad-request", "bad-page", value="x")) == "bad-request: bad-page {'value': 'x'}"
