"""The directory changes: contacts come, go, move and are renamed in the colleagues' rosters."""

import pytest

from component.panel_client import PanelError
from tests.conftest import OpenOffice
from tests.integration.office import Office, Person, sees

GROUPS = {"company": {"visibility": "groups"}}


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    """Two groups: sales has ivanov and petrov, support has sidorov."""
    people = {
        "ivanov": Person("Иванов Иван", "Продажи"),
        "petrov": Person("Петров Пётр", "Продажи", mode="deskphone"),
        "sidorov": Person("Сидоров Сидор", "Поддержка"),
    }
    return await open_office(people, settings=GROUPS)


async def contacts(office: Office, name: str) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """The contacts in an employee's roster on the server: subscription, name, groups."""
    return {
        item.jid: (item.subscription, item.name, item.groups)
        for item in await office.server.roster(office.id(name))
        if item.jid != office.server.component_domain
    }


async def test_moved_to_another_group(office: Office) -> None:
    ivanov, petrov, sidorov = office.contact("ivanov"), await office.client("petrov"), await office.client("sidorov")
    await sees(petrov, ivanov)
    assert set(petrov.roster) == {ivanov, office.server.component_domain}
    assert set(sidorov.roster) == {office.server.component_domain}
    begin = len(office.component.lines)
    office.people["ivanov"] = Person("Иванов Иван", "Поддержка")
    report = await office.import_directory()
    assert (report.moved, report.added, report.removed) == (1, 0, 0)
    await sees(petrov, ivanov, type="unavailable")
    await sees(sidorov, ivanov, show="")
    await office.rosters_ready(begin)
    assert await contacts(office, "petrov") == {}
    assert await contacts(office, "sidorov") == {ivanov: ("to", "Иванов Иван", ("Поддержка",))}
    assert await contacts(office, "ivanov") == {office.contact("sidorov"): ("to", "Сидоров Сидор", ("Поддержка",))}


async def test_added_renamed_and_removed(office: Office) -> None:
    petrov = await office.client("petrov")
    await sees(petrov, office.contact("ivanov"))
    await office.register("novikov")
    office.people["novikov"] = Person("Новиков Ной", "Продажи")
    assert (await office.import_directory()).added == 1
    pushed = await petrov.next_roster_push(lambda item: item.jid == office.contact("novikov"))
    assert (pushed.subscription, pushed.name) == ("to", "Новиков Ной")
    await sees(petrov, office.contact("novikov"), show="")
    panel = await office.panel("ivanov")
    await panel.set_status("dnd")
    await sees(petrov, office.contact("ivanov"), show="dnd")
    begin = len(office.component.lines)
    office.people["ivanov"] = Person("Иванов-Крамской Иван", "Продажи")
    assert (await office.import_directory()).changed == 1
    await petrov.next_roster_push(lambda item: item.name == "Иванов-Крамской Иван")
    await office.rosters_ready(begin)
    assert (await contacts(office, "petrov"))[office.contact("ivanov")][1] == "Иванов-Крамской Иван"
    assert petrov.seen(office.contact("ivanov")).show == "dnd"
    begin = len(office.component.lines)
    del office.people["ivanov"]
    assert (await office.import_directory()).removed == 1
    await sees(petrov, office.contact("ivanov"), type="unavailable", status="Больше нет в списке сотрудников")
    await petrov.next_roster_push(lambda item: item.jid == office.contact("ivanov") and item.subscription == "remove")
    await office.rosters_ready(begin)
    assert set(await contacts(office, "petrov")) == {office.contact("novikov")}
    assert await office.server.roster(office.id("ivanov")) == []
    with pytest.raises(PanelError) as refused:
        await panel.set_status("online")
    assert (refused.value.type, refused.value.condition) == ("auth", "forbidden")


async def test_deleted_by_hand_stays_deleted_until_it_is_added_by_hand(office: Office) -> None:
    petrov, contact = await office.client("petrov"), office.contact("ivanov")
    await sees(petrov, contact)
    await petrov.remove_roster_item(contact)
    await sees(petrov, contact, type="unavailable")
    begin = len(office.component.lines)
    await office.component.restart()
    await office.rosters_ready(begin)
    assert await contacts(office, "petrov") == {}
    panel = await office.panel("ivanov")
    await panel.set_status("dnd")
    await petrov.subscribe(contact)
    await sees(petrov, contact, type="subscribed")
    await sees(petrov, contact, show="dnd")
    assert (await contacts(office, "petrov"))[contact][0] == "to"
    await panel.set_status("busy")
    await sees(petrov, contact, status="Занят")


async def test_deleted_by_hand_while_the_component_was_down(office: Office) -> None:
    office.people["orlov"] = Person("Орлов Олег", "Продажи")
    await office.register("orlov")
    begin = len(office.component.lines)
    await office.import_directory()
    await office.rosters_ready(begin)
    petrov = await office.client("petrov")
    await office.component.kill()
    await petrov.remove_roster_item(office.contact("ivanov"))
    begin = len(office.component.lines)
    await office.component.start()
    await office.rosters_ready(begin)
    assert set(await contacts(office, "petrov")) == {office.contact("orlov")}
    await office.server.delete_roster_item(office.id("petrov"), office.contact("orlov"))
    await office.server.delete_roster_item(office.id("petrov"), office.server.component_domain)
    begin = len(office.component.lines)
    await office.component.restart()
    await office.rosters_ready(begin)
    domain = [item for item in await office.server.roster(office.id("petrov")) if "@" not in item.jid]
    assert [item.subscription for item in domain] == ["from"], "the domain's item is always repaired"
