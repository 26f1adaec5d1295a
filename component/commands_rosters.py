"""The commands `panel-presence rosters …`."""

from typing import TYPE_CHECKING, Annotated

import typer

from component import terminal, terminal_rosters
from component.commands import (
    HELP,
    INTERRUPTED,
    ConfigOption,
    JsonOption,
    SocketOption,
    ask,
    print_as_json,
    reported,
    target,
)

if TYPE_CHECKING:  # aiohttp would make --help slow
    from component.control.client import ControlClient
    from component.services.operations import SyncReport

rosters = typer.Typer(help="The rosters of the employees' accounts.", no_args_is_help=True, context_settings=HELP)


@rosters.callback()
def about() -> None:
    """The rosters of the employees' accounts."""


@rosters.command("sync")
def rosters_sync(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read the rosters and say what is wrong.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Also change rosters of more than 500 contacts.")] = False,
    restore: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Bring back what this employee deleted by hand; only his roster is synced."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
) -> None:
    """Compare all rosters with what they should hold, and put right what has drifted.

    Every roster is read first, and what has drifted is printed with the time
    that the repair will take. Then the running component repairs it, slowly
    enough to leave the server mostly idle. Ctrl-C ends only this command:
    the component goes on, also after a restart.

    A contact that an employee deleted by hand stays deleted, and names and
    groups that he gave stay.

    [bold]Examples[/bold]:

      panel-presence rosters sync --dry-run

      panel-presence rosters sync

      panel-presence rosters sync --restore petrov
    """
    with reported():
        client = target(config, socket).client
        found = _survey(client, restore)
        if dry_run and as_json:
            print_as_json(found)
        elif dry_run:
            terminal_rosters.print_found(found, terminal.output())
        else:
            terminal_rosters.print_found(found, terminal.errors())
            made = _sync(client, found, restore, yes)
            if as_json:
                print_as_json(made)
            else:
                terminal_rosters.print_made(made)


def _survey(client: "ControlClient", restore: str | None) -> "SyncReport":
    with terminal.progress() as progress:
        return ask(client.survey_rosters(restore=restore, progress=progress))


def _sync(client: "ControlClient", found: "SyncReport", restore: str | None, yes: bool) -> "SyncReport":
    try:
        with terminal.progress() as progress:
            return ask(client.sync_rosters(found.drifted, restore=restore, yes=yes, progress=progress))
    except KeyboardInterrupt:
        terminal.errors().print("interrupted; the component goes on: panel-presence check says how many are left")
        raise typer.Exit(INTERRUPTED) from None
