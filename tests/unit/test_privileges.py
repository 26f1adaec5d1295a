"""Privileges as the server advertises them (XEP-0356), and who hears them while only a check is running."""

import asyncio
from xml.etree.ElementTree import Element, fromstring

import pytest

from component.services.ports import Grant
from component.xmpp.namespaces import COMPONENT, ERROR, IQ
from component.xmpp.outbound import Outbound
from component.xmpp.privileges import MOST_DOMAINS, Privileges
from component.xmpp.stand_in import StandIn
from tests.unit.fake_privileges import V1, V2
from tests.unit.fakes import DOMAIN, FakeClock
from tests.unit.stanza_rig import PETROV, FakeLink, StanzaRig, error_of

PERMS = (
    "<perm type='both' access='roster'/><perm type='managed_entity' access='presence'/>"
    "<perm access='iq'><namespace ns='http://jabber.org/protocol/pubsub' type='both'/></perm>"
)
TYPES = {"roster": "both", "presence": "managed_entity", "iq": ""}


def message(perms: str = PERMS, sender: str = "example.test", namespace: str = V2, kind: str = "") -> Element:
    attributes = f"from='{sender}' to='{DOMAIN}'" + (f" type='{kind}'" if kind else "")
    privilege = f"<privilege xmlns='{namespace}'>{perms}</privilege>"
    (stanza,) = fromstring(f"<s xmlns='{COMPONENT}'><message {attributes}>{privilege}</message></s>")
    return stanza


@pytest.mark.parametrize("namespace", [V1, V2])
async def test_both_versions_are_understood(namespace: str) -> None:
    privileges = Privileges()
    assert privileges.take(message(namespace=namespace))
    assert await privileges.of("example.test", 0) == Grant(namespace, TYPES)
    assert privileges.take(message("", namespace=namespace))
    assert await privileges.of("example.test", 0) == Grant(namespace, {})
    assert privileges.take(message("<perm/><other/>", namespace=namespace))
    assert await privileges.of("example.test", 0) == Grant(namespace, {"": ""})


@pytest.mark.parametrize("sender", [PETROV, "petrov@example.test", "example.test/x", "@example.test", ""])
async def test_only_a_domain_grants_and_only_for_itself(sender: str) -> None:
    privileges = Privileges()
    assert not privileges.take(message(sender=sender))
    assert not privileges.take(message(kind="error"))
    assert not privileges.take(message(namespace="urn:xmpp:privilege:0"))
    assert privileges.take(message(sender="elsewhere.test"))
    assert await privileges.of("example.test", 0) is None


async def test_what_comes_later_is_waited_for_and_forgotten_with_the_link() -> None:
    privileges = Privileges()
    waiting = [asyncio.create_task(privileges.of("example.test", 5)) for _ in range(2)]
    await asyncio.sleep(0)
    privileges.take(message(sender="other.test"))
    await asyncio.sleep(0)
    privileges.take(message())
    assert await asyncio.gather(*waiting) == [Grant(V2, TYPES)] * 2
    privileges.forget()
    assert await privileges.of("example.test", 0.001) is None


async def test_strangers_cannot_fill_the_memory() -> None:
    privileges = Privileges()
    privileges.take(message())
    for number in range(2 * MOST_DOMAINS):
        assert privileges.take(message(sender=f"x{number}.test"))
    assert await privileges.of(f"x{MOST_DOMAINS}.test", 0) is None
    privileges.take(message(""))
    assert await privileges.of("example.test", 0) == Grant(V2, {})


async def test_the_component_hears_them_and_answers_only_others() -> None:
    rig = StanzaRig()
    assert await rig.comes(message()) == []
    assert await rig.privileges.of("example.test", 0) == Grant(V2, TYPES)
    (refused,) = await rig.comes(message("", sender=PETROV))
    assert error_of(refused)[1] == "service-unavailable"
    assert await rig.comes(message(kind="error")) == []
    assert await rig.privileges.of("example.test", 0) == Grant(V2, TYPES)


async def test_who_only_checks_takes_its_answers_and_sends_messages_back() -> None:
    link, privileges = FakeLink(), Privileges()
    outbound = Outbound(link, FakeClock(), "ru", "<c/>", "<c/>")
    stand_in = StandIn(outbound, privileges, "ru")
    asking = asyncio.create_task(outbound.ping("example.test"))
    await asyncio.sleep(0)
    (ping,) = link.left
    link.left.clear()
    stand_in.stanza(message())
    stand_in.stanza(Element(IQ, {"type": "result", "id": ping.get("id", ""), "from": "example.test", "to": DOMAIN}))
    assert await asking == "pong"
    assert await privileges.of("example.test", 0) == Grant(V2, TYPES)
    chat = f"<message id='m1' type='%s' from='{PETROV}' to='ivanov@{DOMAIN}'><body>x</body></message><presence/><iq/>"
    for kind in ("chat", "error"):
        for stanza in fromstring(f"<s xmlns='{COMPONENT}'>{chat % kind}</s>"):
            stand_in.stanza(stanza)
    (bounce,) = link.left
    assert (bounce.get("id"), bounce.get("to"), bounce.get("from")) == ("m1", PETROV, f"ivanov@{DOMAIN}")
    assert bounce.find(ERROR) is not None
    assert error_of(bounce)[:2] == ("wait", "recipient-unavailable")
