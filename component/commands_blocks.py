"""The commands `block`, `unblock` and `blocks`: who does not want to see whom."""

from typing import Annotated

import typer

from component import terminal
from component.commands import (
    ConfigOption,
    EmployeeArgument,
    JsonOption,
    SocketOption,
    ask,
    print_as_json,
    reported,
    target,
)

OtherArgument = Annotated[str, typer.Argument(metavar="OTHER", help="The id of the employee who is blocked.")]


def block(
    employee: EmployeeArgument,
    other: OtherArgument,
    config: ConfigOption = None,
    socket: SocketOption = None,
) -> None:
    """Make one employee block another: neither sees or reaches the other any more.

    It is what the employee himself does with the command "block" of the component in his XMPP client. The blocked one
    is not told: for both the other is as if he were not in the directory. A block outlives imports and restarts.

    [bold]Example[/bold]: panel-presence block ivanov petrov
    """
    with reported():
        row = ask(target(config, socket).client.block(employee, other))
        terminal.output().print(f"blocked: {row.name} ({row.employee}) blocks {row.blocked_name} ({row.blocked})")


def unblock(
    employee: EmployeeArgument,
    other: OtherArgument,
    config: ConfigOption = None,
    socket: SocketOption = None,
) -> None:
    """End a block; if the other one blocks too, that one stays.

    [bold]Example[/bold]: panel-presence unblock ivanov petrov
    """
    with reported():
        row = ask(target(config, socket).client.unblock(employee, other))
        terminal.output().print(
            f"unblocked: {row.name} ({row.employee}) no longer blocks {row.blocked_name} ({row.blocked})"
        )


def blocks(as_json: JsonOption = False, config: ConfigOption = None, socket: SocketOption = None) -> None:
    """List who blocks whom.

    [bold]Example[/bold]: panel-presence blocks --json | jq -r '.[] | .employee + " " + .blocked'
    """
    with reported():
        rows = ask(target(config, socket).client.blocks())
        if as_json:
            print_as_json(rows)
        else:
            terminal.print_blocks(rows)
