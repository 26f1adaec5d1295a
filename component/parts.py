"""What is made from the configuration for a run and for a check alike."""

import os
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from component.config import Config
from component.core.presence import Show, Style
from component.core.roster import domain_item
from component.core.status import Rules
from component.core.texts import say
from component.rosters.ejabberd_api import EjabberdApi
from component.rosters.privilege import GRANT_WITHIN, Privilege
from component.rosters.privilege_proof import PrivilegeProof
from component.services.company import Settings
from component.services.ports import Lease
from component.xmpp.link import Link
from component.xmpp.outbound import Outbound
from component.xmpp.privileges import Privileges


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def settings_from(config: Config) -> Settings:
    """Return what the services need of the configuration."""
    return Settings(
        domain=config.xmpp.domain,
        zone=config.company.timezone.key,
        visibility=config.company.visibility,
        rules=Rules(config.status.was_here_after, config.status.after_was_here == "restore"),
        style=Style(config.company.language, Show(config.status.busy_show), config.status.extended_away_after),
        presets=tuple(config.status.presets.items()),
        session_grace=config.status.session_grace,
        default_group=config.rosters.group,
        pbx_jids=frozenset(config.pbx.jids),
        pbx_ttl=config.pbx.ttl,
    )


def make_api(config: Config) -> EjabberdApi | None:
    """Return the client of ejabberd's HTTP API, not yet open, if one is configured."""
    api = config.rosters.ejabberd_api
    return EjabberdApi(api.url, api.user, api.password.get_secret_value(), config.xmpp.domain) if api else None


def make_link(config: Config) -> Link:
    """Return the link to the server, not yet connecting."""
    xmpp = config.xmpp
    return Link(xmpp.domain, xmpp.secret.get_secret_value(), xmpp.server, xmpp.port, config.company.language)


def make_proof(
    settings: Settings,
    outbound: Outbound,
    privileges: Privileges,
    accounts: Callable[[], Sequence[str]],
    within: float = GRANT_WITHIN,
) -> PrivilegeProof:
    """Return the trial of XEP-0356 on the rosters of `accounts`; a grant is waited for `within` seconds."""
    item = domain_item(settings.domain, say("gateway", settings.style.language), settings.default_group)
    return PrivilegeProof(Privilege(outbound, privileges, settings.domain, within=within), accounts, item)


def is_gone(lease: Lease) -> bool:
    """Say whether a lease's process has certainly ended: it was of this host, and its number is nobody's or ours."""
    if lease.host != socket.gethostname():
        return False
    try:
        os.kill(lease.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return lease.pid == os.getpid()
