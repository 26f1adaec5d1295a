"""The commands that ask the running component over its control socket, and what all commands share."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from component import terminal
from component.core.duration import parse_until
from component.services.operations import OperationError, StatusRow

if TYPE_CHECKING:  # pydantic and aiohttp would make --help slow
    from component.config import Config
    from component.control.client import ControlClient

T = TypeVar("T")

DEFAULT_CONFIG = Path("/etc/panel-presence/panel-presence.toml")
HELP = {"help_option_names": ["-h", "--help"]}
REFUSED, USAGE, INTERRUPTED = 1, 2, 130
"""Exit codes: the component refused or failed; wrong usage or configuration; Ctrl-C."""

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="PANEL_PRESENCE_CONFIG",
        metavar="FILE",
        help=f"The configuration file; {DEFAULT_CONFIG} by default.",
    ),
]
SocketOption = Annotated[
    Path | None,
    typer.Option("--socket", metavar="PATH", help="The control socket; the one in the configuration by default."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, with ISO 8601 times, for scripts.")]
EmployeeArgument = Annotated[str, typer.Argument(metavar="ID", help="The employee's id in the directory.")]

employees = typer.Typer(help="The directory of employees.", no_args_is_help=True, context_settings=HELP)
status = typer.Typer(help="The panel statuses of employees.", no_args_is_help=True, context_settings=HELP)


@dataclass(frozen=True, slots=True)
class Target:
    """The running component, and the zone in which the operator's times are meant."""

    client: "ControlClient"
    zone: tzinfo


@contextmanager
def reported() -> Iterator[None]:
    """Print the errors that a person can do something about, and end with their exit code."""
    from component.config_source import ConfigError  # noqa: PLC0415 -- pydantic would make --help slow
    from component.control.codec import ControlError  # noqa: PLC0415 -- pydantic would make --help slow

    try:
        yield
    except ConfigError as error:
        terminal.print_error("the configuration cannot be used", details=error.problems)
        raise typer.Exit(USAGE) from None
    except OperationError as error:
        terminal.print_error(error.text, error.hint, error.details)
        raise typer.Exit(REFUSED) from None
    except ControlError as error:
        terminal.print_error(error.text, error.hint)
        raise typer.Exit(REFUSED) from None


@employees.command("import")
def employees_import(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="UTF-8, UTF-16 or Windows-1251.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    allow_removals: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Allow the import to remove up to N employees.")
    ] = None,
    config: ConfigOption = None,
    socket: SocketOption = None,
) -> None:
    """Make the directory equal to a CSV file.

    The columns are id, account, name, extension, groups, mode, language and timezone. One bad row, and nothing
    of the file is applied. An import that would remove many employees needs --allow-removals.

    [bold]Examples[/bold]:

      panel-presence employees import employees.csv --dry-run

      panel-presence employees import employees.csv --allow-removals 12
    """
    with reported():
        asked = target(config, socket)
        text = _read_csv(file)
        with terminal.progress() as progress:
            report = ask(
                asked.client.import_employees(text, dry_run=dry_run, allow_removals=allow_removals, progress=progress)
            )
        terminal.print_report(report)


@employees.command("list")
def employees_list(as_json: JsonOption = False, config: ConfigOption = None, socket: SocketOption = None) -> None:
    """List the directory.

    [bold]Example[/bold]: panel-presence employees list --json | jq -r '.[].account'
    """
    with reported():
        rows = ask(target(config, socket).client.employees())
        if as_json:
            print_as_json(rows)
        else:
            terminal.print_employees(rows)


@status.command("list")
def status_list(as_json: JsonOption = False, config: ConfigOption = None, socket: SocketOption = None) -> None:
    """List everybody's status and what colleagues see of it."""
    with reported():
        asked = target(config, socket)
        rows = ask(asked.client.statuses())
        if as_json:
            print_as_json(rows)
        else:
            terminal.print_statuses(rows, asked.zone)


@status.command("show")
def status_show(
    employee: EmployeeArgument,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
) -> None:
    """Show everything about one employee's status."""
    with reported():
        asked = target(config, socket)
        _print_status(ask(asked.client.status(employee)), asked.zone, as_json)


@status.command("set")
def status_set(
    employee: EmployeeArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="online, busy, dnd or offline.")],
    *,
    text: Annotated[str | None, typer.Option(help="A text beside the status.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help='"18:00", "2026-11-24T18:00" or "+30m".')] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
) -> None:
    """Choose a status for an employee, as his panel would.

    At the time of --until it becomes online again and the text goes. Times are in the company's zone.

    [bold]Examples[/bold]:

      panel-presence status set ivanov busy --text "На совещании" --until 18:00

      panel-presence status set ivanov dnd --until +30m

      panel-presence status set ivanov online
    """
    with reported():
        asked = target(config, socket)
        end = None if until is None else _parse_end(until, asked.zone)
        row = ask(asked.client.set_status(employee, value, text=text, until=end))
        _print_status(row, asked.zone, as_json)


def load(config: Path | None) -> "Config":
    """Read the configuration file, by default the usual one. Raises ConfigError."""
    from component.config import load_config  # noqa: PLC0415 -- pydantic would make --help slow

    return load_config(config or DEFAULT_CONFIG)


def target(config: Path | None, socket: Path | None) -> Target:
    """Return the running component that the options name. Raises ConfigError."""
    from component.control.client import ControlClient  # noqa: PLC0415 -- aiohttp would make --help slow

    if socket is not None and config is None:
        return Target(ControlClient(socket), _machine_zone())
    settings = load(config)
    return Target(ControlClient(socket or settings.control.socket), settings.company.timezone)


def ask(question: Coroutine[Any, Any, T]) -> T:
    """Return the component's answer. Raises OperationError or ControlError."""
    return asyncio.run(question)


def _machine_zone() -> tzinfo:
    try:
        if name := os.environ.get("TZ"):
            return ZoneInfo(name.removeprefix(":"))
        with Path("/etc/localtime").open("rb") as file:
            return ZoneInfo.from_file(file, "localtime")
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return UTC


def _parse_end(text: str, zone: tzinfo) -> datetime:
    try:
        return parse_until(text, datetime.now(UTC), zone)
    except ValueError as error:
        raise typer.BadParameter(f'"{text}" {error}', param_hint="--until") from None


def _read_csv(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OperationError("unreadable", f"{path} cannot be read: {error.strerror}") from None
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp1251"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "utf-8-sig":
            terminal.errors().print(f"{path} is not UTF-8: read as {encoding}")
        return text
    raise OperationError("not-text", f"{path} is not text", "save it as CSV in UTF-8")


def print_as_json(value: object) -> None:
    """Print rows of an answer as JSON."""
    from component.control.codec import encode  # noqa: PLC0415 -- pydantic would make --help slow

    terminal.print_json(encode(value))


def _print_status(row: StatusRow, zone: tzinfo, as_json: bool) -> None:
    if as_json:
        print_as_json(row)
    else:
        terminal.print_status(row, zone)
