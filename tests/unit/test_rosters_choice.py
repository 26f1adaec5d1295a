"""Which way writes the rosters, and the pace of it."""

from collections.abc import AsyncIterator

import pytest

from component.core.roster import domain_item
from component.rosters.choice import choose_way
from component.rosters.ejabberd_api import EjabberdApi
from component.rosters.pace import Pace
from component.rosters.privilege import Privilege
from component.rosters.privilege_proof import PrivilegeProof
from component.services.ports import RosterError
from tests.unit.fake_ejabberd_api import BOT, PASSWORD, FakeEjabberdApi, serving
from tests.unit.fake_privileges import FakePrivileges

DOMAIN = "panel.example.test"


class Hand:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def server() -> AsyncIterator[FakeEjabberdApi]:
    async with serving(FakeEjabberdApi()) as running:
        yield running


IVANOV = "ivanov@example.test"


def privilege(server: FakePrivileges, *accounts: str) -> PrivilegeProof:
    item = domain_item(DOMAIN, "Статусы", "Телефония")
    return PrivilegeProof(Privilege(server, server, DOMAIN), lambda: accounts, item)


UNPROVEN = privilege(FakePrivileges())


def client(url: str, password: str = PASSWORD) -> EjabberdApi:
    return EjabberdApi(url, BOT, password, DOMAIN)


async def test_auto_takes_the_api_when_it_works(server: FakeEjabberdApi) -> None:
    async with client(server.url) as api:
        assert await choose_way("auto", api, UNPROVEN) == (
            api,
            "ejabberd-api: a test item was set, read back and removed",
        )
        way, reason = await choose_way("ejabberd-api", api, UNPROVEN)
        assert way is api
        assert reason.startswith("ejabberd-api: it is configured")
        assert await choose_way("handshake", api, UNPROVEN) == (
            None,
            "handshake: it is configured, rosters.method",
        )


async def test_auto_says_why_it_falls_back(server: FakeEjabberdApi) -> None:
    assert await choose_way("auto", None, UNPROVEN) == (
        None,
        "handshake: [rosters.ejabberd_api] is not configured; no privilege works either: "
        "the directory is empty, import the employees",
    )
    async with client(server.url, "wrong") as api:
        way, reason = await choose_way("auto", api, UNPROVEN)
    assert way is None
    assert reason.startswith(
        "handshake: the ejabberd API does not work: ejabberd does not accept panelbot@example.test"
    )


async def test_a_configured_method_that_does_not_work_is_an_error(server: FakeEjabberdApi) -> None:
    async with client(server.url, "wrong") as api:
        with pytest.raises(RosterError, match="does not accept"):
            await choose_way("ejabberd-api", api, UNPROVEN)
    with pytest.raises(RosterError, match=r"needs the section \[rosters\.ejabberd_api\]"):
        await choose_way("ejabberd-api", None, UNPROVEN)
    fake = FakePrivileges(IVANOV)
    with pytest.raises(RosterError, match=r'"privilege" does not work: .* grants .* no privileges'):
        await choose_way("privilege", None, privilege(fake, IVANOV))
    fake.grant()
    fake.ignores_subscription = True
    with pytest.raises(RosterError, match=r'"privilege" does not work: .*newer ejabberds'):
        await choose_way("privilege", None, privilege(fake, IVANOV))


async def test_a_configured_privilege_waits_for_employees_to_be_proven_with() -> None:
    fake = FakePrivileges(IVANOV)
    fake.grant()
    way, reason = await choose_way("privilege", None, privilege(fake))
    assert (way, reason.partition(":")[0]) == (None, "handshake")
    proof = privilege(fake, IVANOV)
    assert await choose_way("privilege", None, proof) == (
        proof.way,
        f"privilege: it is configured, and an item was set in the roster of {IVANOV} and read back",
    )


async def test_auto_takes_the_privilege_where_the_api_does_not_work(server: FakeEjabberdApi) -> None:
    fake = FakePrivileges(IVANOV)
    fake.grant()
    proof = privilege(fake, IVANOV)
    proven = f"privilege: an item was set in the roster of {IVANOV} and read back"
    assert await choose_way("auto", None, proof) == (proof.way, proven)
    async with client(server.url, "wrong") as api:
        way, reason = await choose_way("auto", api, proof)
    assert way is proof.way
    assert reason.startswith(f"{proven}; the ejabberd API does not work: ejabberd does not accept")
    fake.ignores_subscription = True
    other = privilege(fake, IVANOV)
    way, reason = await choose_way("auto", None, other)
    assert way is None
    assert "newer ejabberds" in reason


async def test_the_pace_leaves_the_server_idle() -> None:
    clock = Hand()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def work(seconds: float) -> str:
        clock.now += seconds
        if seconds > 1:
            raise RosterError("slow")
        return "done"

    pace = Pace(0.75, clock=clock, sleep=sleep)
    await pace.after(2.0)
    assert await pace.run(work(0.5)) == "done"
    with pytest.raises(RosterError):
        await pace.run(work(4.0))
    await Pace(0, sleep=sleep).after(5.0)
    assert slept == [6.0, 1.5, 12.0, 0.0]


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_an_impossible_pace(share: float) -> None:
    with pytest.raises(ValueError, match="idle share"):
        Pace(share)
