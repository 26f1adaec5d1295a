"""The rosters over the HTTP API of a real ejabberd."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from component.core.roster import RosterItem
from component.rosters.choice import choose_way
from component.rosters.ejabberd_api import EjabberdApi
from component.rosters.privilege import Privilege
from component.rosters.privilege_proof import PrivilegeProof
from component.services.ports import NoSuchAccount, RosterError
from tests.servers.ejabberd import Ejabberd
from tests.servers.server import RosterItem as StoredItem
from tests.unit.fake_privileges import FakePrivileges

DOMAIN = Ejabberd.component_domain
USER = "rosters-api"
ACCOUNT = f"{USER}@{Ejabberd.domain}"
_NOTHING = FakePrivileges()
NO_PRIVILEGE = PrivilegeProof(Privilege(_NOTHING, _NOTHING, DOMAIN), tuple, RosterItem(DOMAIN, subscription="from"))


def client(server: Ejabberd, password: str | None = None) -> EjabberdApi:
    return EjabberdApi(server.api_url, server.bot, password or server.bot_password, DOMAIN)


@pytest.fixture
async def api(ejabberd: Ejabberd) -> AsyncIterator[EjabberdApi]:
    await ejabberd.register({USER: "secret"})
    async with client(ejabberd) as way:
        yield way
        for jid in await way.read(ACCOUNT):
            await way.remove(ACCOUNT, jid)


async def test_items_are_what_the_server_stores(api: EjabberdApi, ejabberd: Ejabberd) -> None:
    petrov = RosterItem(f"o\\27neil@{DOMAIN}", "Пётр О'Нил", ("Склад; двор", "Второй этаж"), "to")
    domain_item = RosterItem(DOMAIN, "Телефония", ("Телефония",), "from")
    bare = RosterItem(f"anna@{DOMAIN}", "", (), "both")
    await ejabberd.set_roster_item(USER, "colleague@example.test", "Коллега")
    for item in (petrov, domain_item, bare):
        await api.add(ACCOUNT, item)
    assert await api.read(ACCOUNT) == {item.jid: item for item in (bare, petrov, domain_item)}
    stored = {item.jid: item for item in await ejabberd.roster(USER)}
    assert stored[bare.jid] == StoredItem(bare.jid, "", "both", "none", ())
    assert stored[DOMAIN] == StoredItem(DOMAIN, "Телефония", "from", "none", ("Телефония",))

    await api.add(ACCOUNT, RosterItem(petrov.jid, "О'Нил", ("Офис",), "both"))
    assert (await api.read(ACCOUNT))[petrov.jid] == RosterItem(petrov.jid, "О'Нил", ("Офис",), "both")
    for _ in range(2):
        await api.remove(ACCOUNT, petrov.jid)
    await api.remove(ACCOUNT, DOMAIN)
    assert [item.jid for item in await ejabberd.roster(USER)] == [bare.jid, "colleague@example.test"]


async def test_accounts_that_are_not_there(api: EjabberdApi, ejabberd: Ejabberd) -> None:
    item = RosterItem(f"petrov@{DOMAIN}")
    with pytest.raises(NoSuchAccount, match=r"no account nobody@example\.test"):
        await api.add("nobody@example.test", item)
    with pytest.raises(NoSuchAccount):
        await api.read("nobody@example.test")
    await api.remove("nobody@example.test", item.jid)
    assert await ejabberd.roster("nobody") == []
    for call in (api.add("a@other.test", item), api.read("a@other.test"), api.remove("a@other.test", item.jid)):
        with pytest.raises(RosterError, match=r"no accounts on other\.test"):
            await call


async def test_the_check_passes_and_leaves_nothing(api: EjabberdApi, ejabberd: Ejabberd) -> None:
    way, reason = await choose_way("auto", api, NO_PRIVILEGE)
    assert way is api, reason
    assert await ejabberd.roster("panelbot") == []


async def test_the_bot_may_be_written_in_capitals(ejabberd: Ejabberd) -> None:
    async with EjabberdApi(ejabberd.api_url, ejabberd.bot.title(), ejabberd.bot_password, DOMAIN) as way:
        await way.check()


async def test_a_wrong_password_falls_back_and_says_why(ejabberd: Ejabberd) -> None:
    async with client(ejabberd, "wrong") as way:
        chosen, reason = await choose_way("auto", way, NO_PRIVILEGE)
    assert chosen is None
    assert "does not accept panelbot@example.test" in reason
    assert "password_file" in reason


async def test_wrong_urls(ejabberd: Ejabberd) -> None:
    urls = {
        f"http://127.0.0.1:{ejabberd.ports.c2s}/api": "does not speak HTTP",
        ejabberd.api_url.replace("http:", "https:"): "tls: true",
        ejabberd.api_url.removesuffix("/api"): "mod_http_api",
    }
    for url, text in urls.items():
        async with EjabberdApi(url, ejabberd.bot, ejabberd.bot_password, DOMAIN) as way:
            with pytest.raises(RosterError, match=text):
                await way.check()


async def test_the_fragments_rights_suffice_and_a_missing_one_is_named(tmp_path: Path) -> None:
    server = Ejabberd(tmp_path)
    await server.start()
    try:
        everything = "      ip: 127.0.0.1/8\n    what: "
        whole, fragment = tmp_path / "ejabberd.yml", tmp_path / "panel-presence.yml"
        rules, rights = whole.read_text(), fragment.read_text()
        assert f'{everything}"*"' in rules
        assert "- delete_rosteritem " in rights
        whole.write_text(rules.replace(f'{everything}"*"', f"{everything}reload_config"))
        await server.api("reload_config")
        async with client(server) as way:
            await way.check()
            fragment.write_text(rights.replace("- delete_rosteritem ", "- get_last "))
            await server.api("reload_config")
            with pytest.raises(RosterError, match=r"the command delete_rosteritem .*api_permissions"):
                await way.remove(server.bot, DOMAIN)
    finally:
        await server.stop()
