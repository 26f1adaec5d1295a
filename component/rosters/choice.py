"""Which way writes the rosters: by what the server does, never by what it advertises."""

from typing import Literal

from component.rosters.ejabberd_api import EjabberdApi
from component.rosters.ejabberd_http import SECTION
from component.rosters.privilege_proof import NothingToProve, PrivilegeProof
from component.services.ports import HANDSHAKE_CONFIGURED, RosterError, RosterWay

Method = Literal["auto", "ejabberd-api", "privilege", "handshake"]


async def choose_way(
    method: Method, api: EjabberdApi | None, privilege: PrivilegeProof
) -> tuple[RosterWay | None, str]:
    """Return the way and, for the administrator, why; None is the handshake of RFC 6121 section 3.

    `api` is the open client when [rosters.ejabberd_api] is configured. Raises RosterError when the configured
    method does not work; "auto" falls back to the handshake instead.
    """
    match method:
        case "handshake":
            return None, HANDSHAKE_CONFIGURED
        case "privilege":
            try:
                return privilege.way, f"privilege: it is configured, and {await privilege.check()}"
            except NothingToProve as error:
                return None, f"handshake: the privilege is proven with the first employees: {error}"
            except RosterError as error:
                raise RosterError(f'rosters.method = "privilege" does not work: {error}') from None
        case "ejabberd-api":
            if api is None:
                raise RosterError(f'rosters.method = "ejabberd-api" needs the section {SECTION}')
            await api.check()
            return api, "ejabberd-api: it is configured, and a test item was set, read back and removed"
        case "auto":
            return await _first_that_works(api, privilege)


async def _first_that_works(api: EjabberdApi | None, privilege: PrivilegeProof) -> tuple[RosterWay | None, str]:
    if api is None:
        why_no_api = f"{SECTION} is not configured"
    else:
        try:
            await api.check()
        except RosterError as error:
            why_no_api = f"the ejabberd API does not work: {error}"
        else:
            return api, "ejabberd-api: a test item was set, read back and removed"
    try:
        reason = f"privilege: {await privilege.check()}"
        return privilege.way, f"{reason}; {why_no_api}" if api else reason
    except RosterError as error:
        return None, f"handshake: {why_no_api}; no privilege works either: {error}"
