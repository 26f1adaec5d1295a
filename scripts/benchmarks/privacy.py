"""`privacy`: does the time of an answer tell a hidden or blocked contact from one that does not exist?"""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.integration.office import Office, Person
from tests.integration.wire import Wire
from tests.servers.ejabberd import Ejabberd

NAMES = ("nobody", "no-one", "hidden", "barred")
"""Two that do not exist (what they differ by is the machine's noise), one of another group, one blocked; as long as
each other, for each byte takes its time on the way."""
QUESTIONS = {
    "disco#info": "<iq type='get' to='{to}' id='{id}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    "vCard": "<iq type='get' to='{to}' id='{id}'><vCard xmlns='vcard-temp'/></iq>",
    "last activity": "<iq type='get' to='{to}' id='{id}'><query xmlns='jabber:iq:last'/></iq>",
    "chat": "<message type='chat' to='{to}' id='{id}'><body>Есть кто?</body>"
    "<no-store xmlns='urn:xmpp:hints'/></message>",  # or the server's archive would take most of the time
}
Medians = dict[str, float]


def people(employees: int, group: int) -> dict[str, Person]:
    """A company in groups, with the one who asks, the hidden one and the blocked one."""
    company = {f"e{number}-": Person(f"Сотрудник {number}", f"Отдел {number // group}") for number in range(employees)}
    asked = {"barred": Person("Закрытов", "Отдел 0"), "hidden": Person("Скрытов", "Отдел 1")}
    return {**company, "asker": Person("Спросов", "Отдел 0"), **asked}


async def measure(employees: int, group: int, requests: int) -> dict[str, Medians]:
    """Ask each question so many times of each contact, in turn; returns medians in seconds by question and contact."""
    folder = Path(tempfile.mkdtemp())
    server = Ejabberd(folder / "ejabberd")
    await server.start()
    settings = {"company": {"visibility": "groups"}, "rosters": {"method": "handshake"}}
    office = Office(server, folder / "component", people(employees, group), settings)
    try:
        await office.register("asker")
        await office.component.start()
        await office.import_directory()
        await office.component.control.block(office.id("barred"), office.id("asker"))
        wire = await Wire.open(office, "asker")
        await wire.settled()
        return {name: await _ask(wire, office.contact, stanza, requests) for name, stanza in QUESTIONS.items()}
    finally:
        await office.close()
        await server.stop()
        shutil.rmtree(folder)


async def _ask(wire: Wire, contact: Callable[[str], str], stanza: str, requests: int) -> Medians:
    took: dict[str, list[float]] = {name: [] for name in NAMES}
    for number in range(requests):
        turn = number % len(NAMES)
        for name in NAMES[turn:] + NAMES[:turn]:
            question = stanza.format(to=contact(name), id=f"{name}{number}")
            began = time.perf_counter()
            answer = await wire.ask(question)
            took[name].append(time.perf_counter() - began)
            assert answer.get("type") == "error"
    return {name: median(times) for name, times in took.items()}
