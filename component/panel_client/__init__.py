"""A panel's side of the panel protocol (`docs/protocol.md`): an asyncio client for authors of panels.

```python
panel = PanelClient("ivanov@example.test", password, component="panel.example.test")
await panel.connect()
await panel.launch("softphone", phone="online")
await panel.set_status("busy", text="На совещании")
...
await panel.close()
```

It needs nothing but slixmpp and may be used without the rest of the component, which in turn never imports
it: slixmpp keeps settings that are global to an interpreter.
"""

from .client import PanelClient
from .connection import PanelClientError, PanelError
from .events import Event, EventLog
from .stanzas import ContactStatus, PanelStatus, ReceivedMessage, RosterItem, Seen, StanzaError, read_presence

__all__ = [
    "ContactStatus",
    "Event",
    "EventLog",
    "PanelClient",
    "PanelClientError",
    "PanelError",
    "PanelStatus",
    "ReceivedMessage",
    "RosterItem",
    "Seen",
    "StanzaError",
    "read_presence",
]
