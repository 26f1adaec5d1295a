"""The directory file: good files, every kind of bad row, and what an import would change."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from component.core.directory import Employee
from component.core.directory_file import MAX_FIELD, Changes, changes_between, read_rows
from component.core.errors import BadRows, TooManyRemovals
from component.core.facts import Mode

HEADER = "id,account,name"
ALL = HEADER + ",extension,groups,mode,language,timezone"
IVANOV = Employee("ivanov", "ivanov", "ivanov@example.test", "Иванов Иван")
FULL = replace(
    IVANOV, extension="101", groups=("Отдел продаж", "IT"), mode=Mode.SOFTPHONE, language="ru", timezone="Europe/Moscow"
)
FULL_ROW = "ivanov,ivanov@example.test,Иванов Иван,101,Отдел продаж;IT,softphone,ru,Europe/Moscow"


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(BadRows) as bad:
        read_rows(text)
    return bad.value.problems


# Good files


@pytest.mark.parametrize(
    "text",
    [
        f"{ALL}\n{FULL_ROW}\n",
        f"\ufeff{ALL}\r\n{FULL_ROW}\r\n",
        f"\n\n{ALL}\n\n{FULL_ROW}\n , ,,,,,,\n",
        ALL.replace(",", "\t") + "\n" + FULL_ROW.replace(",", "\t"),
        ALL.replace(",", ";") + "\n" + FULL_ROW.replace("Отдел продаж;IT", '"Отдел продаж;IT"').replace(",", ";"),
        f'{ALL}\n"ivanov","ivanov@example.test","Иванов Иван","101","Отдел продаж;IT","softphone","ru","Europe/Moscow"',
        f"{ALL.upper().replace(',', ' , ')}\n{FULL_ROW.replace(',', ' , ')}",
        f"{ALL}\n{FULL_ROW.replace('softphone,ru', 'SoftPhone,RU').replace(';IT', '; IT ;;IT')}",
        "timezone,name,groups,language,id,mode,extension,account\n"
        "Europe/Moscow,Иванов Иван,Отдел продаж;IT,ru,ivanov,softphone,101,ivanov@example.test",
        f"{ALL}\n{FULL_ROW.replace('ivanov,ivanov@example', 'Ivanov,IVANOV@Example')}",
    ],
    ids=["plain", "bom-crlf", "blank-lines", "tabs", "semicolons", "quotes", "spaces", "case", "order", "normalised"],
)
def test_a_good_file_is_read(text: str) -> None:
    assert read_rows(text) == [FULL]


def test_the_required_columns_are_enough_and_empty_fields_are_the_companys() -> None:
    assert read_rows(f"{HEADER}\nivanov,ivanov@example.test,Иванов Иван") == [IVANOV]
    assert read_rows(f"{ALL}\nivanov,ivanov@example.test,Иванов Иван,,,,,") == [IVANOV]


def test_a_quoted_name_may_hold_the_separator_and_quotes() -> None:
    (employee,) = read_rows(f'{HEADER}\nivanov,ivanov@example.test,"Иванов, ""Ваня"""')
    assert employee.name == 'Иванов, "Ваня"'


def test_an_account_may_be_a_localpart_when_its_domain_is_known() -> None:
    text = f"{HEADER}\nivanov,ivanov,Иванов Иван\npetrov,petrov@other.test,Пётр"
    assert [one.account for one in read_rows(text, "example.test")] == ["ivanov@example.test", "petrov@other.test"]
    assert problems(text) == ("line 2: the account 'ivanov' is not a bare JID like ivanov@example.test",)


@pytest.mark.parametrize(
    ("written", "identifier", "localpart"),
    [
        ("O'Neil", "o'neil", "o\\27neil"),
        ("d.artagnan", "d.artagnan", "d.artagnan"),
        ('"d""artagnan"', 'd"artagnan', "d\\22artagnan"),
        ("anna maria", "anna maria", "anna\\20maria"),
        ("user@host", "user@host", "user\\40host"),
        ("Пётр", "пётр", "пётр"),
    ],
)
def test_an_id_may_need_escaping(written: str, identifier: str, localpart: str) -> None:
    (employee,) = read_rows(f"{HEADER}\n{written},a@example.test,A")
    assert (employee.id, employee.localpart) == (identifier, localpart)


@given(st.text() | st.text('id,account;name\t"\n\r\ufeff@a. '))
def test_any_text_is_read_or_refused_with_a_reason(text: str) -> None:
    for start in ("", f"{HEADER}\n"):
        try:
            assert read_rows(start + text)
        except BadRows as bad:
            assert bad.problems


# Bad files


@pytest.mark.parametrize("text", ["", "\ufeff", "\n\n", " , ,\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    assert problems(text) == ("the file is empty; its first line must name the columns: id, account, name",)


@pytest.mark.parametrize("text", [HEADER, f"\ufeff{HEADER}\r\n", f"{HEADER}\n\n,,\n"])
def test_a_header_alone_is_refused(text: str) -> None:
    assert problems(text) == ("the file has a header but no employees; nothing is applied",)


POSSIBLE = "possible: id, account, name, extension, groups, mode, language, timezone"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("id,account,name,phone", [f"unknown column 'phone'; {POSSIBLE}"]),
        ("id,account,name,", [f"unknown column ''; {POSSIBLE}"]),
        ("id,groups", ["the column 'account' is missing", "the column 'name' is missing"]),
        ("id,account,name,Name", ["the column 'name' stands twice"]),
    ],
)
def test_a_bad_header_is_refused(header: str, found: list[str]) -> None:
    assert problems(f"{header}\n{FULL_ROW}") == tuple(f"line 1: {problem}" for problem in found)
    assert problems(f"\n\n{header}\n{FULL_ROW}")[0].startswith("line 3: ")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("petrov,petrov@example.test", "2 fields, but the header names 8"),
        (f"{FULL_ROW},more", "9 fields, but the header names 8"),
        (",p@example.test,P,,,,,", "the id is empty"),
        ("p,,P,,,,,", "the account is empty"),
        ("p,p@example.test, ,,,,,", "the name is empty"),
        ("p,p@example.test," + "P" * (MAX_FIELD + 1) + ",,,,,", "the name is longer than 200 characters"),
        ("p,p@example.test,P\x07,,,,,", "the name has a control character"),
        ("p,p@example.test,P\x00,,,,,", "the name has a control character"),
        ("p,p@example.test,P,,A\ufffeB,,,", "the groups has a control character"),
        ('p,p@example.test,"P\nQ",,,,,', "the name has a control character"),
        ("p\u202e,p@example.test,P,,,,,", "the id 'p\u202e' is not possible as the localpart of a JID"),
        ("p,petrov,P,,,,,", "the account 'petrov' is not a bare JID like ivanov@example.test"),
        ("p,p@example.test/x,P,,,,,", "the account 'p@example.test/x' is not a bare JID like ivanov@example.test"),
        ("p,@example.test,P,,,,,", "the account '@example.test' is not a JID"),
        ("p,p@example.test,P,,,phone,,", "unknown mode 'phone'; possible: softphone, deskphone, or empty"),
        ("p,p@example.test,P,,,,de,", "unknown language 'de'; possible: ru, en, or empty"),
        ("p,p@example.test,P,,,,,MSK+1", "unknown timezone 'MSK+1'; expected a name like Europe/Moscow"),
        ("p,p@example.test,P,,,,,../etc", "unknown timezone '../etc'; expected a name like Europe/Moscow"),
        ("IVANOV,p@example.test,P,,,,,", "the id 'ivanov' is the same as in line 2"),
        ("p,Ivanov@Example.Test,P,,,,,", "the account 'ivanov@example.test' is the same as in line 2"),
        ('p,p@example.test,"P"Q,,,,,', "not CSV: ',' expected after '\"'"),
        ('p,p@example.test,"P,,,,,', "not CSV: unexpected end of data"),
        ("p,p@exam", "2 fields, but the header names 8"),
    ],
)
def test_a_bad_row_is_named_with_its_line(row: str, problem: str) -> None:
    assert problems(f"{ALL}\n{FULL_ROW}\n\n{row}") == (f"line 4: {problem}",)


def test_ids_that_differ_only_in_their_escaping_collide() -> None:
    text = f"{HEADER}\no'neil,a@example.test,A\nO'NEIL,b@example.test,B"
    assert problems(text) == ("line 3: the id 'o'neil' is the same as in line 2",)


def test_a_quote_that_never_ends_is_named_where_it_begins() -> None:
    text = f'{HEADER}\na,a@example.test,"A\nb,b@example.test,B\nc,c@example.test,C\n'
    assert problems(text) == ("line 2: not CSV: unexpected end of data",)


def test_every_bad_row_is_named_and_the_rest_of_very_many_is_counted() -> None:
    found = problems(f"{HEADER}\n{FULL_ROW}\n" + "".join(f"p{n},p{n}@example.test,\n" for n in range(24)))
    assert found[0] == "line 2: 8 fields, but the header names 3"
    assert found[19:] == ("line 21: the name is empty", "and 5 more bad lines")


# What an import changes


def people(count: int) -> list[Employee]:
    return [replace(IVANOV, id=f"e{n}", localpart=f"e{n}", account=f"e{n}@example.test") for n in range(count)]


def refused(before: Iterable[Employee], after: Iterable[Employee], allowed: int | None) -> tuple[int, int, int]:
    with pytest.raises(TooManyRemovals) as too_many:
        changes_between(before, after, allowed)
    assert str(too_many.value).startswith("the file would remove")
    return too_many.value.removals, too_many.value.employees, too_many.value.limit


def test_the_first_import_adds_and_a_second_changes_nothing() -> None:
    staff = people(3)
    assert changes_between([], staff) == Changes(added=tuple(staff))
    assert changes_between(staff, staff) == Changes(unchanged=3)


def test_added_changed_moved_and_removed_are_told_apart() -> None:
    same, renamed, moved, both, gone, new = people(6)
    renamed_now = replace(renamed, name="Петров Пётр")
    moved_now = replace(moved, groups=("IT",))
    both_now = replace(both, name="Сидоров", groups=("IT",))
    assert changes_between(
        [same, renamed, moved, both, gone], [new, both_now, moved_now, renamed_now, same]
    ) == Changes(added=(new,), changed=(renamed_now,), moved=(both_now, moved_now), removed=(gone.id,), unchanged=1)


def test_another_order_of_the_groups_is_no_move() -> None:
    before, after = replace(IVANOV, groups=("IT", "Board")), replace(IVANOV, groups=("Board", "IT"))
    assert changes_between([before], [after]) == Changes(changed=(after,))


@pytest.mark.parametrize(("employees", "most"), [(6, 5), (49, 5), (50, 5), (60, 6), (69, 6), (100, 10)])
def test_a_tenth_may_go_or_five_and_one_more_may_not(employees: int, most: int) -> None:
    staff = people(employees)
    assert len(changes_between(staff, staff[most:]).removed) == most
    assert refused(staff, staff[most + 1 :], None) == (most + 1, employees, most)


@pytest.mark.parametrize("employees", [1, 3, 5, 80])
def test_all_may_never_go_without_being_asked_for(employees: int) -> None:
    staff, new = people(employees), [replace(IVANOV, id="new")]
    limit = min(employees - 1, max(5, employees // 10))
    assert refused(staff, new, None) == (employees, employees, limit)
    assert refused(staff, new, employees - 1) == (employees, employees, employees - 1)
    assert len(changes_between(staff, new, employees).removed) == employees


def test_the_allowance_replaces_the_rule() -> None:
    staff = people(10)
    assert refused(staff, staff[1:], 0) == (1, 10, 0)
    assert len(changes_between(staff, staff[9:], 9).removed) == 9


def test_an_account_on_the_components_own_domain_is_refused() -> None:
    with pytest.raises(BadRows) as bad:
        read_rows("id,account,name\nivanov,ivanov@panel.example.test,Ivanov\n", None, "panel.example.test")
    assert "line 2: the account 'ivanov@panel.example.test' is on the component's own domain" in bad.value.problems[0]
