"""The command `panel-presence why`."""

from typing import Annotated

import typer

from component import terminal_why
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


def why(
    employee: EmployeeArgument,
    viewer: Annotated[
        str | None, typer.Option("--for", metavar="ID", help="Also say what this colleague sees, and why.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
) -> None:
    """Explain why an employee is shown as he is.

    From the facts (sessions, the PBX's report, the choice) through the rule
    that decided (R1 to R8) to the presence, and to what watchers were told.
    With --for also one colleague: whether he may see the employee, is
    subscribed and online, and the roster item on the server as it is now.

    [bold]Examples[/bold]:

      panel-presence why ivanov

      panel-presence why ivanov --for petrov
    """
    with reported():
        asked = target(config, socket)
        answer = ask(asked.client.why(employee, viewer))
        if as_json:
            print_as_json(answer)
        else:
            terminal_why.print_why(answer, asked.zone)
