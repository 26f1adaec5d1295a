"""Rosters by XEP-0356: the way, and the proof that it works."""

from xml.etree.ElementTree import Element

import pytest

from component.core.roster import RosterItem, domain_item
from component.rosters.privilege import Privilege, Unanswered
from component.rosters.privilege_proof import ACCOUNTS_AT_ONCE, NothingToProve, PrivilegeProof
from component.services.ports import NoSuchAccount, RosterError
from tests.unit.fake_privileges import V1, FakePrivileges, row
from tests.unit.fakes import DOMAIN

IVANOV, PETROV = "ivanov@example.test", "petrov@example.test"
ITEM = domain_item(DOMAIN, "Статусы телефонии", "Телефония")
CONTACT = RosterItem(f"petrov@{DOMAIN}", "Пётр", ("Второй этаж", "Склад"))


@pytest.fixture
def server() -> FakePrivileges:
    server = FakePrivileges(IVANOV, PETROV)
    server.grant()
    return server


def way(server: FakePrivileges) -> Privilege:
    return Privilege(server, server, DOMAIN)


def proof(server: FakePrivileges, *accounts: str) -> PrivilegeProof:
    return PrivilegeProof(way(server), lambda: accounts or (IVANOV, PETROV), ITEM)


async def test_items_are_read_set_and_removed_one_by_one(server: FakePrivileges) -> None:
    privilege = way(server)
    odd = RosterItem(f"odd@{DOMAIN}", "a\x00b", ("", "г", "г"), "both")
    server.rosters[IVANOV] = {
        "colleague@example.test": ("", (), "both"),
        f"x@sub.{DOMAIN}": ("", (), "both"),
        f"asked@{DOMAIN}": ("", (), "none"),
    }
    nameless = RosterItem(f"nameless@{DOMAIN}")
    for item in (CONTACT, ITEM, odd, nameless):
        await privilege.add(IVANOV, item)
    assert await privilege.read(IVANOV) == {
        f"asked@{DOMAIN}": RosterItem(f"asked@{DOMAIN}", subscription="none"),
        nameless.jid: nameless,
        odd.jid: RosterItem(odd.jid, "a\ufffdb", ("г",), "both"),
        DOMAIN: ITEM,
        CONTACT.jid: CONTACT,
    }
    for _ in range(2):
        await privilege.remove(IVANOV, odd.jid)
    await privilege.remove("nobody@example.test", odd.jid)
    assert odd.jid not in await privilege.read(IVANOV)
    assert {len(jids) for kind, _, jids in server.asked if kind == "set"} == {1}


async def test_only_a_set_tells_that_there_is_no_account(server: FakePrivileges) -> None:
    assert await way(server).read("nobody@example.test") == {}
    with pytest.raises(NoSuchAccount, match=r"no account nobody@example\.test; register it"):
        await way(server).add("nobody@example.test", CONTACT)


@pytest.mark.parametrize(
    ("condition", "what_to_do"),
    [("forbidden", "privileged_entities"), ("internal-server-error", "its log may say why")],
)
async def test_refusals_say_what_to_do(server: FakePrivileges, condition: str, what_to_do: str) -> None:
    server.refuses = condition
    for verb, call in (
        ("read", way(server).read(IVANOV)),
        ("write", way(server).add(IVANOV, CONTACT)),
        ("write", way(server).remove(IVANOV, DOMAIN)),
    ):
        with pytest.raises(RosterError, match=f"does not {verb} the roster of {IVANOV}: {condition}.*{what_to_do}"):
            await call


async def test_silence_is_told_from_a_refusal(server: FakePrivileges) -> None:
    server.silent = True
    with pytest.raises(Unanswered, match=f"the roster of {IVANOV}: nobody answers"):
        await way(server).read(IVANOV)


async def test_a_domain_that_grants_nothing_holds_nobody_up(server: FakePrivileges) -> None:
    server.refuses = "forbidden"
    with pytest.raises(NoSuchAccount, match=r"the server of other\.test grants no privileges"):
        await way(server).read("ivanov@other.test")


async def test_an_error_without_an_error_is_a_refusal(server: FakePrivileges) -> None:
    class Odd(FakePrivileges):
        def _error(self, account: str, condition: str, text: str = "") -> Element:
            return self._answer(account, "error")

    odd = Odd(IVANOV)
    odd.grant()
    odd.refuses = "x"
    with pytest.raises(RosterError, match="undefined-condition"):
        await way(odd).read(IVANOV)


async def test_the_proof_sets_a_real_item_and_leaves_an_empty_roster_empty(server: FakePrivileges) -> None:
    checked = await proof(server).check()
    assert checked == f"an item was set in the roster of {IVANOV} and read back"
    assert server.pushed == [(DOMAIN, "from"), (DOMAIN, "remove")]
    assert server.rosters == {IVANOV: {}}


@pytest.mark.parametrize("old", ["from", "to", "both", "none", None])
@pytest.mark.parametrize("ignores", [False, True])
async def test_the_proof_leaves_what_was_there(server: FakePrivileges, old: str | None, ignores: bool) -> None:
    before = {CONTACT.jid: row(CONTACT)} | ({DOMAIN: ("Шлюз", ("Своя",), old)} if old else {})
    server.rosters[IVANOV] = dict(before)
    server.ignores_subscription = ignores
    if ignores:
        with pytest.raises(RosterError, match="newer ejabberds"):
            await proof(server).check()
        assert server.rosters[IVANOV] == before
        return
    await proof(server).check()
    wanted = {DOMAIN: row(ITEM)} if old in (None, "none") else {}
    assert server.rosters[IVANOV] == before | wanted
    assert len({subscription for _, subscription in server.pushed}) == (1 if wanted else 2)


async def test_an_ejabberd_whose_sets_fail_is_asked_once_a_connection(server: FakePrivileges) -> None:
    server.set_fails = True
    server.grant(namespace=V1)
    one = proof(server)
    for _ in range(2):
        with pytest.raises(RosterError, match=r"internal-server-error \(Module failed to handle the query\)"):
            await one.check()
    assert len(server.asked) == 3  # read, set, and the removal of what may have been set
    server.grant(namespace=V1)
    server.set_fails = False
    await one.check()
    assert len(server.asked) == 7


async def test_what_was_proven_is_proven_again_only_when_something_else_is_granted(server: FakePrivileges) -> None:
    one = proof(server)
    first = await one.check()
    asked = len(server.asked)
    server.grant()
    assert await one.check() == first
    assert len(server.asked) == asked
    server.grant(namespace=V1)
    assert await one.check() == first
    assert len(server.asked) == 2 * asked


async def test_silence_proves_nothing_and_is_no_failure(server: FakePrivileges) -> None:
    server.silent = True
    one = proof(server)
    with pytest.raises(Unanswered):
        await one.check()
    server.silent = False
    await one.check()


async def test_a_link_that_breaks_in_the_middle_is_no_failure(server: FakePrivileges) -> None:
    def cut() -> None:
        server.silent = True

    server.before_set = cut
    one = proof(server)
    with pytest.raises(Unanswered):
        await one.check()
    server.before_set = lambda: None
    server.silent = False
    await one.check()


async def test_accounts_that_are_missing_are_passed_over_some_at_a_time(server: FakePrivileges) -> None:
    people = [f"no{number}@example.test" for number in range(ACCOUNTS_AT_ONCE + 1)]
    one = proof(server, *people, PETROV)
    with pytest.raises(NoSuchAccount, match=r"such as no0@example\.test, are not on the server; register them"):
        await one.check()
    assert len(server.asked) == 2 * ACCOUNTS_AT_ONCE
    assert PETROV in await one.check()


async def test_what_is_missing_is_named() -> None:
    server = FakePrivileges(IVANOV)
    with pytest.raises(NothingToProve):
        await PrivilegeProof(way(server), tuple, ITEM).check()
    one = proof(server)
    with pytest.raises(RosterError, match=r"the server of example\.test grants panel\.example\.test no privileges"):
        await one.check()
    server.up = False
    with pytest.raises(Unanswered, match="not connected to the server: cut"):
        await one.check()
    server.up = True
    server.grant("get")
    with pytest.raises(RosterError, match='grants roster = "get", "both" is needed; on Prosody'):
        await one.check()
    assert server.asked == []


async def test_the_domain_that_grants_it_is_found(server: FakePrivileges) -> None:
    one = proof(server, "ivanov@other.test", IVANOV)
    assert await one.check() == f"an item was set in the roster of {IVANOV} and read back"
