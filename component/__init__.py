"""Panel Presence: the statuses of a telephony panel as standard XMPP presence (XEP-0114 component)."""

from importlib.metadata import version

__version__ = version("panel-presence")
