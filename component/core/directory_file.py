"""The directory file: CSV rows -> employees, and what an import would change; nothing is applied here.

Columns, in any order, named in the first line: id, account, name (required), extension, groups (separated by `;`),
mode, language, timezone. Separator `,` or `;` or a tab, as found in the first line.
"""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from component.core.address import localpart_of, normalize_account, unescape
from component.core.directory import Employee
from component.core.errors import BadRows, TooManyRemovals
from component.core.facts import Mode
from component.core.text import xml_text
from component.core.texts import LANGUAGES, Language

REQUIRED = ("id", "account", "name")
OPTIONAL = ("extension", "groups", "mode", "language", "timezone")
MAX_PROBLEMS = 20
"""How many bad rows are named before the rest is counted."""
MAX_FIELD = 200
"""Characters of a name, an extension or a group."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import does to a directory: employees as they will be, and the ids that go."""

    added: tuple[Employee, ...] = ()
    changed: tuple[Employee, ...] = ()
    moved: tuple[Employee, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0


def read_rows(text: str, account_domain: str | None = None, component_domain: str | None = None) -> list[Employee]:
    """Return the employees of a CSV text.

    Raises BadRows naming every bad line: unknown, missing or repeated columns, no rows at all, too few or too many
    fields, impossible ids and accounts, two ids or accounts that are the same after normalisation, unknown modes,
    languages or time zones. With `account_domain` an account may also be given as a localpart alone;
    an account on `component_domain` is a bad one.
    """
    text = text.lstrip("\ufeff")
    delimiter = max(",;\t", key=text.lstrip().partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    problems: list[str] = []
    employees: list[Employee] = []
    seen: dict[str, int] = {}
    header: list[str] | None = None
    start = 1
    try:
        for row in reader:
            line, start = start, reader.line_num + 1
            if not any(field.strip() for field in row):
                continue
            if header is None:
                header = _header(row, line)
                continue
            try:
                employee = _employee(header, row, account_domain, component_domain)
                _unique(seen, line, employee)
                employees.append(employee)
            except ValueError as problem:
                problems.append(f"line {line}: {problem}")
    except csv.Error as problem:
        problems.append(f"line {start}: not CSV: {problem}")
    if header is None:
        raise BadRows(("the file is empty; its first line must name the columns: " + ", ".join(REQUIRED),))
    if len(problems) > MAX_PROBLEMS:
        problems[MAX_PROBLEMS:] = [f"and {len(problems) - MAX_PROBLEMS} more bad lines"]
    if problems:
        raise BadRows(tuple(problems))
    if not employees:
        raise BadRows(("the file has a header but no employees; nothing is applied",))
    return employees


def _header(row: list[str], line: int) -> list[str]:
    names = [field.strip().lower() for field in row]
    known = (*REQUIRED, *OPTIONAL)
    problems = [
        f"line {line}: unknown column '{name}'; possible: {', '.join(known)}" for name in names if name not in known
    ]
    problems += [f"line {line}: the column '{name}' is missing" for name in REQUIRED if name not in names]
    problems += [f"line {line}: the column '{name}' stands twice" for name in known if names.count(name) > 1]
    if problems:
        raise BadRows(tuple(problems))
    return names


def _employee(header: list[str], row: list[str], account_domain: str | None, component_domain: str | None) -> Employee:
    if len(row) != len(header):
        raise ValueError(f"{len(row)} fields, but the header names {len(header)}")
    fields = dict(zip(header, (field.strip() for field in row), strict=True))
    for name, value in fields.items():
        if name in REQUIRED and not value:
            raise ValueError(f"the {name} is empty")
        if len(value) > MAX_FIELD and name != "groups":
            raise ValueError(f"the {name} is longer than {MAX_FIELD} characters")
        if value != xml_text(value) or any(ord(character) < 0x20 for character in value):
            raise ValueError(f"the {name} has a control character")
    account = fields["account"]
    if account_domain and "@" not in account:
        account = f"{account}@{account_domain}"
    account = _checked("account", account, normalize_account)
    if account.endswith(f"@{component_domain}"):
        raise ValueError(f"the account '{account}' is on the component's own domain: chat with it would run in circles")
    mode, language, timezone = (fields.get(name) or None for name in ("mode", "language", "timezone"))
    localpart = _checked("id", fields["id"], localpart_of)
    return Employee(
        id=unescape(localpart),
        localpart=localpart,
        account=account,
        name=fields["name"],
        extension=fields.get("extension", ""),
        groups=_groups(fields.get("groups", "")),
        mode=_mode(mode),
        language=_language(language),
        timezone=_timezone(timezone),
    )


def _checked(name: str, value: str, check: Callable[[str], str]) -> str:
    try:
        return check(value)
    except ValueError as problem:
        raise ValueError(f"the {name} '{value}' is {problem}") from None


def _groups(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(group.strip() for group in text.split(";") if group.strip()))


def _mode(word: str | None) -> Mode | None:
    if word is None:
        return None
    try:
        return Mode(word.lower())
    except ValueError:
        raise ValueError(f"unknown mode '{word}'; possible: softphone, deskphone, or empty") from None


def _language(word: str | None) -> Language | None:
    for language in LANGUAGES:
        if word and word.lower() == language:
            return language
    if word:
        raise ValueError(f"unknown language '{word}'; possible: ru, en, or empty")
    return None


def _timezone(word: str | None) -> str | None:
    if word:
        try:
            ZoneInfo(word)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"unknown timezone '{word}'; expected a name like Europe/Moscow") from None
    return word


def _unique(seen: dict[str, int], line: int, employee: Employee) -> None:
    for what, key in (("id", employee.id), ("account", employee.account)):
        earlier = seen.setdefault(f"{what} {key}", line)
        if earlier != line:
            raise ValueError(f"the {what} '{key}' is the same as in line {earlier}")


def changes_between(
    before: Iterable[Employee], after: Iterable[Employee], allow_removals: int | None = None
) -> Changes:
    """Return what turns one list of employees into another one.

    Raises TooManyRemovals when more than 10 % (at least 5) would go, or all, unless `allow_removals` covers it.
    """
    old = {employee.id: employee for employee in before}
    new = {employee.id: employee for employee in after}
    removed = tuple(one for one in old if one not in new)
    limit = max(5, len(old) // 10) if allow_removals is None else allow_removals
    if len(removed) > limit or (allow_removals is None and old and len(removed) == len(old)):
        raise TooManyRemovals(len(removed), len(old), min(limit, max(len(old) - 1, 0)))
    kept = [(old[one], employee) for one, employee in new.items() if one in old]
    return Changes(
        added=tuple(employee for one, employee in new.items() if one not in old),
        changed=tuple(now for was, now in kept if was != now and set(was.groups) == set(now.groups)),
        moved=tuple(now for was, now in kept if set(was.groups) != set(now.groups)),
        removed=removed,
        unchanged=sum(was == now for was, now in kept),
    )
