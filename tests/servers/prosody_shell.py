"""Calls into a running Prosody, over the socket of `prosodyctl shell` (mod_admin_shell).

`prosodyctl shell` itself is a program that needs a quarter of a second for each call.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from xml.etree.ElementTree import Element, XMLPullParser
from xml.sax.saxutils import escape

from component.panel_client.whole_tags import WholeTags
from tests.servers.process import ServerError

_SCRIPT = Path(__file__).with_name("prosody_admin.lua")
_NAMESPACE = "xmpp:prosody.im/admin"
_HEADER = f"<stream:stream xmlns='{_NAMESPACE}' xmlns:stream='http://etherx.jabber.org/streams'>"
_RESULT = "Result: "
_TIMEOUT = 30.0


async def call(socket: Path, function: str, **arguments: object) -> Any:
    """Call a function of prosody_admin.lua; returns its decoded answer. Raises ServerError with what Prosody said."""
    given = quoted(json.dumps(arguments, ensure_ascii=False))
    # `>` is the shell's own mark for the server's environment.
    lua = f"> dofile({quoted(str(_SCRIPT))})({quoted(function)}, {given})"
    try:
        async with asyncio.timeout(_TIMEOUT):
            answer = await _evaluate(socket, lua)
    except (OSError, TimeoutError) as error:
        raise ServerError(f"{socket} does not answer: {error!r}") from error
    if not answer.startswith(_RESULT):
        raise ServerError(f"{function}: Prosody says: {answer}")
    return json.loads(answer.removeprefix(_RESULT))


def quoted(text: str) -> str:
    """A Lua string literal; its escapes are JSON's for all but control characters, which are not in what is sent."""
    return json.dumps(text, ensure_ascii=False)


async def _evaluate(socket: Path, lua: str) -> str:
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        question = f"{_HEADER}<repl-input>{escape(lua)}</repl-input>"
        # Debian's expat puts a large element off until more has come (CVE-2023-52425), on both sides.
        writer.write((question + " " * len(question)).encode())
        whole_tags = WholeTags()
        parser: XMLPullParser[Element] = XMLPullParser(("end",))
        while data := await reader.read(65536):
            parser.feed(whole_tags(data))
            for _, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
                if element.tag == f"{{{_NAMESPACE}}}repl-result":
                    return element.text or ""
    finally:
        writer.close()
    raise ServerError("Prosody closed its shell without an answer")
