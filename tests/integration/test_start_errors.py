"""What an administrator gets to read when something is wrong at the start, and what goes on in spite of it."""

import re
import stat
from pathlib import Path

import pytest

from component.panel_client import Event, Seen
from tests.conftest import OpenOffice
from tests.integration.office import PEOPLE, Office, sees
from tests.integration.wire import Wire, error_of, written
from tests.servers.component import Component
from tests.servers.server import Server

PEOPLE_OF_TWO = {name: PEOPLE[name] for name in ("ivanov", "petrov")}
TRYING_AGAIN = r"trying again in \d"


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    """An office whose component does not run yet."""
    office = await open_office(PEOPLE_OF_TWO, start=False)
    office.component.folder.mkdir()
    return office


async def ends(component: Component, text: str, code: int) -> None:
    """Start it: it says a text and ends with an exit code."""
    await component.start(until=text)
    assert await component.wait_exit() == code, component.tail()
    assert "Traceback" not in component.tail()


@pytest.mark.parametrize("wrong", [{"secret": "guessed"}, {"domain": "other.example.test"}], ids=["secret", "domain"])
async def test_a_wrong_secret_or_domain(office: Office, wrong: dict[str, str]) -> None:
    component = office.component
    component.settings["xmpp"] = {**component.settings["xmpp"], **wrong}
    await component.start(until=r"ERROR .*(secret|domain).*compare \[xmpp\]")
    begin = len(component.lines)
    refused = r"✗ link: not connected: the server (refuses the secret|does not know this domain)"
    assert re.search(refused, await component.cli("check", expect=1))
    await component.wait_log(r"ERROR .*compare \[xmpp\]", begin=begin)  # it goes on trying
    assert (await component.control.employees()) == []
    assert await component.stop() == 0
    said = await component.cli("check", expect=1)
    assert "✓ configuration" in said
    assert "✗ link: the server" in said
    assert "compare [xmpp]" in said
    assert "guessed" not in said + component.tail(1000)


async def test_the_server_comes_later(office: Office, kind: type[Server], tmp_path: Path) -> None:
    server = kind(tmp_path / "late")
    component = office.component
    component.settings["xmpp"] = {
        "domain": server.component_domain,
        "secret": server.secret,
        "port": server.ports.component,
    }
    component.settings["rosters"] = {"method": "handshake"}
    await component.start(until=rf"cannot connect to 127\.0\.0\.1:{server.ports.component}.*{TRYING_AGAIN}")
    await server.start()
    try:
        await component.wait_log("connected to ")
        await component.stop()
        said = await component.cli("check")
        assert f"✓ link: the server accepts {server.component_domain}" in said
        assert "! component: does not run" in said
    finally:
        await component.stop()
        await server.stop()
    assert "cannot connect" in await component.cli("check", expect=1)


async def test_a_store_that_cannot_be_used(office: Office) -> None:
    component = office.component
    component.store.mkdir()
    await ends(component, f"{component.store} is a folder: store.url must name a file", 1)
    assert "✗ store: " in await component.cli("check", expect=1)
    component.store.rmdir()
    component.store.write_text("this is not a database " * 100)
    await ends(component, "is not an SQLite database: correct store.url", 1)
    assert component.store.read_text().startswith("this is not a database"), "nothing was overwritten"
    component.settings["store"] = {"url": "postgresql+asyncpg://u:hunter2@127.0.0.1:1/x"}
    await ends(component, r"ERROR .*(asyncpg|127\.0\.0\.1)", 1)
    assert "hunter2" not in component.tail(1000)


async def test_mistaken_configuration(office: Office) -> None:
    component = office.component
    good = dict(component.settings)
    component.settings |= {
        "xmpp": {**good["xmpp"], "prot": 5347, "port": 99999},
        "compani": {"language": "ru"},
        "company": {"visibility": "group"},
        "status": {"was_here_after": "15 parsecs"},
    }
    await ends(component, "the configuration cannot be used", 2)
    said = component.tail(1000)
    for text in (
        'xmpp.prot is not a known key; did you mean "port"?',
        "xmpp.port = 99999: must be the server's component port, 1 to 65535",
        'compani is not a known key; did you mean "company"?',
        'company.visibility = "group": must be everyone or groups',
        'status.was_here_after = "15 parsecs": must be ',
    ):
        assert f"panel-presence.toml: {text}" in said
    assert 'did you mean "port"?' in await component.cli("check", expect=2)
    missing = await component.cli("run", "-c", str(component.folder / "nowhere.toml"), config=False, expect=2)
    assert "nowhere.toml: cannot be read: No such file or directory" in missing
    assert not component.store.exists()


async def test_a_second_instance_is_refused_and_the_first_unharmed(open_office: OpenOffice, tmp_path: Path) -> None:
    office = await open_office(PEOPLE_OF_TWO)
    petrov, ivanov = await office.client("petrov"), await office.panel("ivanov")
    contact = office.contact("ivanov")
    await sees(petrov, contact)
    came: list[Event] = []
    petrov.on_event = came.append
    second = Component(tmp_path / "second", office.component.settings)
    assert second.socket != office.component.socket
    await ends(second, f"another component listens on {office.component.socket}", 1)
    await ivanov.set_status("busy", "всё как было")
    await sees(petrov, contact, show="dnd", status="Занят — всё как было")
    assert {one.type for one in came if isinstance(one, Seen)} == {"available"}
    assert "✓ link: connected" in await office.component.cli("check")
    assert len([line for line in office.component.lines if " connected to " in line]) == 1


async def test_a_lost_store_destroys_no_roster(open_office: OpenOffice) -> None:
    office = await open_office(PEOPLE_OF_TWO)
    component, contact = office.component, office.contact("ivanov")
    rosters = {name: await office.server.roster(office.id(name)) for name in PEOPLE_OF_TWO}
    assert [item.subscription for item in rosters["petrov"]] == ["to", "from"]
    await component.stop()
    for file in component.folder.glob("panel-presence.db*"):
        file.unlink()
    begin = len(component.lines)
    await component.start()
    await component.wait_log(r"the directory is empty.*panel-presence employees import FILE\.csv", begin=begin)
    assert stat.S_IMODE(component.store.stat().st_mode) == 0o600

    petrov = await Wire.open(office, "petrov")  # at its login the server probes the contact
    for to in (contact, f"{contact}/panel", office.contact("petrov"), office.contact("nobody")):
        petrov.write(f"<presence to='{to}' type='probe'/>")
    petrov.write(f"<presence to='{office.contact('nobody')}' type='subscribe'/>")
    await petrov.settled()
    assert [written(one) for one in petrov.came[:-1] if office.server.component_domain in one.get("from", "")] == []
    answer = await petrov.ask(f"<message to='{contact}' type='chat' id='m1'><body>x</body></message>")
    assert error_of(answer)[:2] == ("auth", "forbidden")
    await petrov.close()
    asked = [item.jid for item in await office.server.roster(office.id("petrov")) if item not in rosters["petrov"]]
    assert asked == [office.contact("nobody")]
    warned = await component.cli("check")
    assert "! directory: empty" in warned
    assert "employees import FILE.csv" in warned

    watcher = await office.client("petrov")
    assert watcher.roster[contact].subscription == "to"
    await office.import_directory()
    await sees(watcher, contact)
    await office.rosters_ready(begin)
    assert await office.server.roster(office.id("ivanov")) == rosters["ivanov"]
