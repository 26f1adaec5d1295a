"""Large stanzas arrive at once, on servers too whose parser puts off a tag that came in pieces (CVE-2023-52425)."""

import pytest

from tests.integration.office import Office
from tests.integration.wire import Wire

LARGE = "x" * 100_000


@pytest.mark.parametrize(
    "payload",
    [f"<body>{LARGE}</body>", f"<body>x</body><extra xmlns='urn:example:extra' value='{LARGE}'/>"],
    ids=["text", "attribute"],
)
async def test_a_large_message_is_relayed_at_once(office: Office, payload: str) -> None:
    petrov, ivanov = await Wire.open(office, "petrov"), await Wire.open(office, "ivanov")
    petrov.write(f"<message to='{office.contact('ivanov')}' type='chat' id='large'>{payload}</message>")
    message = await ivanov.next(lambda one: one.get("id") == "large", within=2.0)
    assert any(LARGE in (one.text, one.get("value")) for one in message)
