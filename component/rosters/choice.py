"""Which way writes the rosters: by what the server does, never by what it advertises."""

from typing import Literal

from component.rosters.ejabberd_api import EjabberdApi
from component.rosters.ejabberd_http import SECTION
from component.services.ports import RosterError, RosterWay

Method = Literal["auto", "ejabberd-api", "privilege", "handshake"]


async def choose_way(method: Method, api: EjabberdApi | None) -> tuple[RosterWay | None, str]:
    """Return the way and, for the administrator, why; None is the handshake of RFC 6121 section 3.

    `api` is the open client when [rosters.ejabberd_api] is configured. Raises RosterError when the configured
    method does not work; "auto" falls back to the handshake instead.
    """
    match method:
        case "handshake":
            return None, "handshake: it is configured, rosters.method"
        case "privilege":
            raise RosterError(
                'rosters.method = "privilege" is not available yet: this version fills the rosters over the '
                'ejabberd API ("ejabberd-api"), or people add their colleagues by themselves ("handshake")'
            )
        case "ejabberd-api":
            if api is None:
                raise RosterError(f'rosters.method = "ejabberd-api" needs the section {SECTION}')
            await api.check()
            return api, "ejabberd-api: it is configured, and a test item was set, read back and removed"
        case "auto":
            return await _first_that_works(api)


async def _first_that_works(api: EjabberdApi | None) -> tuple[RosterWay | None, str]:
    if api is None:
        return None, f"handshake: {SECTION} is not configured"
    try:
        await api.check()
    except RosterError as error:
        return None, f"handshake: the ejabberd API does not work: {error}"
    return api, "ejabberd-api: a test item was set, read back and removed"
