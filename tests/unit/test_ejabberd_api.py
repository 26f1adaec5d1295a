"""The rosters over ejabberd's HTTP API: both forms of the API, accounts, and every failure."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable

import pytest

from component.core.roster import RosterItem
from component.rosters.ejabberd_api import ACCOUNTS_EVERY, ACCOUNTS_KEPT, EjabberdApi
from component.services.ports import NoSuchAccount, RosterError, RosterWay
from tests.unit.fake_ejabberd_api import BOT, HTML, PASSWORD, Answer, FakeEjabberdApi, serving

DOMAIN = "panel.example.test"
IVANOV = "ivanov@example.test"
PETROV = RosterItem(f"petrov@{DOMAIN}", "Пётр Петров", ("Второй этаж", "Склад"), "to")


class Hand:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture(params=[False, True], ids=["23.01", "24.02"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[FakeEjabberdApi]:
    async with serving(FakeEjabberdApi(versions=request.param)) as running:
        yield running


@pytest.fixture
async def old() -> AsyncIterator[FakeEjabberdApi]:
    async with serving(FakeEjabberdApi()) as running:
        yield running


def client(url: str, password: str = PASSWORD, wait: float = 10.0) -> EjabberdApi:
    return EjabberdApi(url, BOT, password, DOMAIN, timeout=wait)


async def refusal(call: Awaitable[object]) -> str:
    """The text of the RosterError that a call raises; nothing of it, however printed, may show the password."""
    with pytest.raises(RosterError) as caught:
        await call
    printed = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in printed
    assert "Basic " not in printed
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


async def test_items_are_added_changed_read_and_removed(server: FakeEjabberdApi) -> None:
    domain_item = RosterItem(DOMAIN, "Телефония", ("Телефония",), "from")
    async with client(server.url) as api:
        way: RosterWay = api
        assert way.name == "ejabberd-api"
        assert await way.read(IVANOV) == {}
        for item in (PETROV, domain_item, RosterItem(f"anna@{DOMAIN}", "", (), "both")):
            await way.add(IVANOV, item)
        read = await way.read(IVANOV)
        assert read[PETROV.jid] == PETROV
        assert read[DOMAIN] == domain_item
        assert list(read) == [f"anna@{DOMAIN}", DOMAIN, PETROV.jid]

        moved = RosterItem(PETROV.jid, "Петров", ("Офис",), "both")
        await way.add(IVANOV, moved)
        assert (await way.read(IVANOV))[PETROV.jid] == moved
        await way.remove(IVANOV, PETROV.jid)
        await way.remove(IVANOV, PETROV.jid)
        await way.remove(IVANOV, DOMAIN)
        assert list(await way.read(IVANOV)) == [f"anna@{DOMAIN}"]


async def test_items_of_other_domains_are_left_out(server: FakeEjabberdApi) -> None:
    rows: dict[str, dict[str, object]] = {
        jid: {"jid": jid, "nick": "", "subscription": "none", "groups": ["G"]}
        for jid in ("petrov@example.test", f"petrov@sub.{DOMAIN}", "example.test", f"anna@{DOMAIN}")
    }
    server.rosters[IVANOV] = rows
    async with client(server.url) as api:
        assert await api.read(IVANOV) == {f"anna@{DOMAIN}": RosterItem(f"anna@{DOMAIN}", "", ("G",), "none")}


async def test_group_names_survive_the_separator_and_what_xml_cannot_carry(server: FakeEjabberdApi) -> None:
    async with client(server.url) as api:
        await api.add(IVANOV, RosterItem(PETROV.jid, "Пётр\x01", ("Склад; двор", "A\x00", "Склад; двор", "")))
        read = await api.read(IVANOV)
    assert read[PETROV.jid] == RosterItem(PETROV.jid, "Пётр\ufffd", ("A\ufffd", "Склад; двор"))


async def test_the_form_of_the_api_is_found_once(old: FakeEjabberdApi) -> None:
    async with client(old.url) as api:
        for _ in range(3):
            await api.add(IVANOV, PETROV)
    assert (old.called("add_rosteritem/v1"), old.called("add_rosteritem")) == (1, 3)


async def test_an_upgraded_server_is_noticed_at_the_next_try(old: FakeEjabberdApi) -> None:
    async with client(old.url) as api:
        await api.add(IVANOV, PETROV)
        old.versions = True
        assert "unknown arguments" in await refusal(api.add(IVANOV, PETROV))
        await api.add(IVANOV, PETROV)
        assert (await api.read(IVANOV))[PETROV.jid] == PETROV


async def test_an_account_that_does_not_exist_gets_nothing(old: FakeEjabberdApi, clock: Hand) -> None:
    async with EjabberdApi(old.url, BOT, PASSWORD, DOMAIN, clock=clock) as api:
        for call in (api.add("sidorov@example.test", PETROV), api.read("sidorov@example.test")):
            with pytest.raises(NoSuchAccount, match=r"no account sidorov@example\.test"):
                await call
        assert old.rosters == {}
        await api.remove("sidorov@example.test", PETROV.jid)

        old.accounts.append("sidorov")
        clock.now += ACCOUNTS_EVERY - 1
        with pytest.raises(NoSuchAccount):
            await api.add("sidorov@example.test", PETROV)
        assert old.called("registered_users") == 1
        clock.now += 1
        await api.add("sidorov@example.test", PETROV)
        assert old.called("registered_users") == 2

        old.accounts.remove("sidorov")
        clock.now += ACCOUNTS_KEPT
        with pytest.raises(NoSuchAccount):
            await api.read("sidorov@example.test")


async def test_accounts_are_bare_jids(old: FakeEjabberdApi) -> None:
    async with client(old.url) as api:
        assert await api.accounts("example.test") == {IVANOV, BOT}


async def test_accounts_of_another_domain_are_named(old: FakeEjabberdApi) -> None:
    async with client(old.url) as api:
        for call in (
            api.read("a@other.test"),
            api.add("a@other.test", PETROV),
            api.remove("a@other.test", DOMAIN),
        ):
            text = await refusal(call)
            assert "no accounts on other.test (Unknown virtual host)" in text
            assert "directory" in text


async def test_a_server_that_cannot_list_its_accounts_is_no_empty_server(old: FakeEjabberdApi) -> None:
    old.accounts = []
    async with client(old.url) as api:
        text = await refusal(api.read(IVANOV))
    assert "does not list its accounts on example.test" in text
    assert 'rosters.method = "handshake"' in text


FAILURES = {
    "forbidden": (
        Answer(403, '{"status":"error","code":32,"message":"AccessRules: Account does not have the right."}'),
        ("does not allow panelbot@example.test the command get_roster", "`- get_roster`", "api_permissions"),
    ),
    "unknown command": (
        Answer(400, '"unknown_command"'),
        ("does not know the command get_roster", "mod_admin_extra"),
    ),
    "unknown name": (
        Answer(404, '{"status":"error","code":40,"message":"Endpoint not found."}'),
        ("does not know the command get_roster", "mod_admin_extra"),
    ),
    "no handler": (Answer(404, HTML, "text/html"), ("no ejabberd API at", "mod_http_api", "request_handlers")),
    "html": (Answer(200, "<html>\n  <p>Login</p>", "text/html"), ("is no ejabberd API", "<html> <p>Login</p>")),
    "redirect": (Answer(302, ""), ("is no ejabberd API", "HTTP 302")),
    "cut off": (Answer(200, '[{"jid":'), ("is no ejabberd API",)),
    "crash": (Answer(500, '"internal_error"'), ("refused get_roster (HTTP 500: internal_error)", "its log")),
    "no list": (Answer(200, '{"a": 1}'), ("get_roster with what is no roster",)),
    "no rows": (Answer(200, '["a"]'), ("get_roster with what is no roster",)),
}


@pytest.mark.parametrize("case", FAILURES)
async def test_a_failure_says_what_to_do(old: FakeEjabberdApi, case: str) -> None:
    old.answers["get_roster"], parts = FAILURES[case]
    async with client(old.url) as api:
        text = await refusal(api.read(IVANOV))
        for part in parts:
            assert part in text
        old.answers.clear()
        assert await api.read(IVANOV) == {}


async def test_a_forbidden_change_names_the_command_without_its_version(server: FakeEjabberdApi) -> None:
    server.answers["add_rosteritem"], _ = FAILURES["forbidden"]
    async with client(server.url) as api:
        assert "the command add_rosteritem (HTTP 403" in await refusal(api.add(IVANOV, PETROV))


@pytest.mark.parametrize("command", ["add_rosteritem", "delete_rosteritem"])
async def test_an_answer_that_is_not_zero_is_an_error(old: FakeEjabberdApi, command: str) -> None:
    old.answers[command] = Answer(200, "1")
    async with client(old.url) as api:
        call = api.add(IVANOV, PETROV) if command == "add_rosteritem" else api.remove(IVANOV, PETROV.jid)
        assert f"answered {command} with '1', not 0" in await refusal(call)


async def test_a_wrong_password(old: FakeEjabberdApi) -> None:
    async with client(old.url, "wrong") as api:
        text = await refusal(api.read(IVANOV))
    assert "does not accept panelbot@example.test" in text
    assert "password_file of [rosters.ejabberd_api]" in text
    assert "ejabberdctl check_account panelbot example.test" in text


async def test_nobody_listens() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with client(f"http://127.0.0.1:{port}/api") as api:
        text = await refusal(api.read(IVANOV))
    assert f"cannot be reached at http://127.0.0.1:{port}/api" in text
    assert "ejabberd-config/panel-presence.yml" in text


async def test_a_port_that_speaks_something_else() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"<?xml version='1.0'?><stream:stream>")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with client(f"http://127.0.0.1:{port}/api") as api:
            assert "does not speak HTTP" in await refusal(api.read(IVANOV))
        async with client(f"https://127.0.0.1:{port}/api") as api:
            assert "tls: true" in await refusal(api.read(IVANOV))


async def test_a_server_that_does_not_answer() -> None:
    ended = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        ended.set()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with client(f"http://127.0.0.1:{port}/api", wait=0.05) as api:
            assert "did not answer registered_users within 0.05 s" in await refusal(api.read(IVANOV))
        await ended.wait()


async def test_a_closed_idle_connection_is_tried_again(old: FakeEjabberdApi) -> None:
    async with client(old.url) as api:
        await api.add(IVANOV, PETROV)
        old.drop = 1
        assert (await api.read(IVANOV))[PETROV.jid] == PETROV
        old.drop = 2
        assert "does not speak HTTP (ServerDisconnectedError)" in await refusal(api.read(IVANOV))


@pytest.mark.parametrize("url", ["http://[x/api", "http://127.0.0.1:99999/api"])
async def test_an_impossible_url(url: str) -> None:
    async with client(url) as api:
        assert "is no URL of an HTTP API" in await refusal(api.read(IVANOV))


async def test_a_url_with_a_password_is_refused() -> None:
    with pytest.raises(RosterError, match="must not carry") as caught:
        EjabberdApi("http://bot:hidden@127.0.0.1:5281/api", BOT, PASSWORD, DOMAIN)
    assert "hidden" not in str(caught.value)


async def test_nothing_is_called_before_open_and_close_can_be_repeated(old: FakeEjabberdApi) -> None:
    api = EjabberdApi(old.url, BOT, PASSWORD, DOMAIN)
    with pytest.raises(RuntimeError):
        await api.read(IVANOV)
    await api.open()
    await api.open()
    assert await api.read(IVANOV) == {}
    await api.close()
    await api.close()


async def test_the_check_leaves_nothing_behind(server: FakeEjabberdApi, caplog: pytest.LogCaptureFixture) -> None:
    async with client(server.url) as api:
        with caplog.at_level(logging.DEBUG):
            await api.check()
    assert server.rosters == {BOT: {}}
    assert PASSWORD not in caplog.text


async def test_the_check_sees_through_a_server_that_only_says_yes(old: FakeEjabberdApi) -> None:
    old.answers["add_rosteritem"] = Answer(200, "0")
    async with client(old.url) as api:
        assert "stored another one" in await refusal(api.check())


async def test_the_check_sees_through_a_server_that_does_not_remove(old: FakeEjabberdApi) -> None:
    old.answers["delete_rosteritem"] = Answer(200, "0")
    async with client(old.url) as api:
        assert "but it is there" in await refusal(api.check())
