"""The examples of the RFCs and XEPs, and of docs/protocol.md, as elements on a component's stream."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

from component.xmpp.namespaces import COMPONENT

FOLDER = Path(__file__).parent
PROTOCOL = FOLDER.parents[1] / "docs" / "protocol.md"


def examples() -> list[tuple[str, Element]]:
    """Every stanza, beside where it is from."""
    found = []
    for file in sorted(FOLDER.glob("*.xml")):
        root = fromstring(file.read_text(encoding="utf-8"))
        for section in root:
            found += [(f"{root.get('of')}, {section.get('name')}", stanza) for stanza in section]
    blocks = re.findall(r"^```xml\n(.*?)^```$", PROTOCOL.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return found + [("docs/protocol.md", one) for one in fromstring(f"<s xmlns='{COMPONENT}'>{''.join(blocks)}</s>")]
