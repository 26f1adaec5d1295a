"""The component's own iq requests: each with an id of its own, told apart by it and by who answers."""

import asyncio
import secrets
from collections.abc import Callable
from xml.etree.ElementTree import Element

from component.services.ports import NoAnswer


class Requests:
    """Waits for the answers. `send` sends a stanza and returns False for one that may not leave."""

    def __init__(self, send: Callable[[Element], bool]) -> None:
        self._send = send
        self._waiting: dict[str, tuple[str, asyncio.Future[Element]]] = {}

    async def request(self, iq: Element, within: float) -> Element:
        """Send an iq get or set under an id of its own; return the result or the error (RFC 6120 section 8.2.3).

        `within` is in seconds. Raises NoAnswer when none came in time, when the link went down, or when the iq
        may not leave.
        """
        identifier, to = "own-" + secrets.token_hex(8), iq.get("to", "")
        answer: asyncio.Future[Element] = asyncio.get_running_loop().create_future()
        self._waiting[identifier] = (to, answer)
        iq.set("id", identifier)
        try:
            if not self._send(iq):
                raise NoAnswer(f"a request to {to} may not leave: the log says why")
            async with asyncio.timeout(within):
                return await answer
        except TimeoutError:
            raise NoAnswer(f"{to} did not answer within {within:g} s; see whether the server is overloaded") from None
        finally:
            del self._waiting[identifier]

    def answered(self, iq: Element) -> None:
        """An iq result or error came; one that nobody waits for, a second one or somebody else's harms nobody."""
        to, answer = self._waiting.get(iq.get("id", ""), ("", None))
        if answer and not answer.done() and iq.get("from") == to:
            answer.set_result(iq)

    def drop(self, why: str) -> None:
        """Fail all that is waited for: the link went down, and no answer comes over the next one."""
        for _, answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(NoAnswer(why))
