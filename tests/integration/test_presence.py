"""What colleagues see, from the watching client's side: every row of the table and every rule."""

from tests.integration.office import Office, sees


async def test_a_contact_never_launched_is_online(office: Office) -> None:
    petrov = await office.client("petrov")
    seen = await sees(petrov, office.contact("ivanov"), show="")
    assert seen.status == ""


async def test_busy(office: Office) -> None:
    petrov = await office.client("petrov")
    ivanov = await office.panel("ivanov")
    answer = await ivanov.set_status("busy", "На совещании")
    assert answer.value == "busy"
    seen = await sees(petrov, office.contact("ivanov"), show="dnd", status="Занят — На совещании")
    print(seen)
