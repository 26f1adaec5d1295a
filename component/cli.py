"""The command `panel-presence`. Everything heavy is imported by the command that needs it."""

import asyncio
import importlib
import io
import logging
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Protocol, cast

import typer

from component import __version__, commands, commands_blocks, commands_rosters, commands_why, terminal
from component.commands import DEFAULT_CONFIG, HELP, REFUSED, ConfigOption, load, reported
from component.services.operations import CheckLine

if TYPE_CHECKING:  # pydantic would make --help slow
    from component.config import Config

app = typer.Typer(
    name="panel-presence",
    no_args_is_help=True,
    context_settings=HELP,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(commands.employees, name="employees")
app.add_typer(commands.status, name="status")
for command in (commands_blocks.block, commands_blocks.unblock, commands_blocks.blocks):
    app.command()(command)
app.add_typer(commands_rosters.rosters, name="rosters")
app.command()(commands_why.why)


class AppModule(Protocol):
    """What the command line takes from `component.app`; tests pass another as the context's object."""

    async def run(self, config: "Config") -> int:
        """Run the component until it is stopped; return the exit code."""
        ...

    def check(self, config: "Config") -> AsyncIterator[CheckLine]:
        """Check everything that the component needs."""
        ...


def _app_module(context: typer.Context) -> AppModule:
    return cast("AppModule", context.obj or importlib.import_module("component.app"))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"panel-presence {__version__}")
        raise typer.Exit


@app.callback()
def panel_presence(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Show the statuses of a telephony panel in every XMPP client.

    [bold]A first start[/bold]: write the configuration, then

      panel-presence check -c panel-presence.toml

      panel-presence run -c panel-presence.toml

      panel-presence employees import employees.csv -c panel-presence.toml

    [bold]Exit codes[/bold]: 0 done, 1 refused or failed, 2 wrong usage or configuration.
    """


@app.command()
def run(context: typer.Context, config: ConfigOption = None) -> None:
    """Run the component until a signal ends it; the log goes to standard error.

    SIGINT and SIGTERM show every contact as unavailable first. SIGHUP keeps what colleagues see, for a restart.
    """
    with reported():
        settings = load(config)
        _start_logging(settings.log.level)
        code = asyncio.run(_app_module(context).run(settings))
    raise typer.Exit(code)


@app.command()
def check(context: typer.Context, config: ConfigOption = None) -> None:
    """Check the configuration, the server and the accounts: each line is fine or says what to do."""

    logging.getLogger().addHandler(logging.NullHandler())  # the lines say all; the link would log its retries

    async def checked(settings: "Config") -> bool:
        good = True
        async for line in _app_module(context).check(settings):
            terminal.print_check(line)
            good = good and line.ok is not False
        return good

    with reported():
        settings = load(config)
        terminal.print_check(CheckLine("configuration", True, f"{config or DEFAULT_CONFIG} is valid"))
        good = asyncio.run(checked(settings))
    raise typer.Exit(0 if good else REFUSED)


def main() -> None:
    """Run the command line; the process ends with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A name or a mark that the terminal's encoding lacks must not end a command half-way.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()


def _start_logging(level: str) -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    # Libraries stay quieter: slixmpp's debug log would hold everybody's messages.
    logging.getLogger().setLevel(logging.INFO if level == "debug" else logging.WARNING)
    logging.getLogger("component").setLevel(level.upper())
