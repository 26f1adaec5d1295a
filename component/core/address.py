"""Addresses: JIDs as strings, and the escaping of employee ids into localparts (XEP-0106).

Normalisation (RFC 7622) is slixmpp's; this is the only module of the core that asks it.
"""

import re

from slixmpp import JID, InvalidJID

RESOURCE = "panel"
"""The only resource of a contact; clients show it to people, so it is a word and never changes."""

_CODES = {" ": "20", '"': "22", "&": "26", "'": "27", "/": "2f", ":": "3a", "<": "3c", ">": "3e", "@": "40"}
_CHARACTERS = {code: character for character, code in _CODES.items()} | {"5c": "\\"}
_ESCAPED = re.compile(r"\\(20|22|26|27|2f|3a|3c|3e|40|5c)")
# In upper case too: the localpart's normalisation makes it lower.
_TO_ESCAPE = re.compile(r"""[ "&'/:<>@]|\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)""", re.IGNORECASE)


def escape(text: str) -> str:
    r"""Escape an employee id into a localpart: `o'neil` -> `o\27neil` (XEP-0106 section 4.2)."""
    return _TO_ESCAPE.sub(lambda match: "\\" + _CODES.get(match[0], "5c"), text)


def unescape(localpart: str) -> str:
    r"""Undo `escape`: `o\27neil` -> `o'neil` (XEP-0106 section 4.3)."""
    return _ESCAPED.sub(lambda match: _CHARACTERS[match[1]], localpart)


def localpart_of(employee_id: str) -> str:
    """Return the normalised, escaped localpart of an employee id.

    Raises ValueError for an id that no localpart can carry (empty, spaces at an end, prohibited characters).
    """
    try:
        localpart = JID(f"{escape(employee_id.strip())}@example").local
    except InvalidJID:
        raise ValueError("not possible as the localpart of a JID") from None
    # asked after the normalisation, which makes an escape of a fullwidth backslash
    normalised = unescape(localpart)
    if employee_id != employee_id.strip() or normalised != normalised.strip():
        raise ValueError("with a space at an end, which no localpart may have")
    if escape(normalised) != localpart:
        raise ValueError("not possible as the localpart of a JID")
    return localpart


def normalize(text: str) -> str:
    """Return a JID in its normal form; raises ValueError for a text that is none."""
    try:
        return JID(text).full
    except InvalidJID:
        raise ValueError("not a JID") from None


def normalize_account(text: str) -> str:
    """Return the normalised bare JID of an account; raises ValueError for anything else."""
    account = normalize(text)
    localpart, _, resource = split(account)
    if not localpart or resource:
        raise ValueError("not a bare JID like ivanov@example.test")
    return account


def split(jid: str) -> tuple[str, str, str]:
    """Split a JID as a server stamps it into localpart, domain and resource (RFC 7622 section 3.1)."""
    bare_jid, _, resource = jid.partition("/")
    local, at, domain = bare_jid.partition("@")
    return (local, domain, resource) if at else ("", bare_jid, resource)


def bare(jid: str) -> str:
    """Return the bare JID of a full or bare one."""
    return jid.partition("/")[0]
