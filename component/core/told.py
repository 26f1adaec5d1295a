"""What watchers were told of a contact, as a digest that survives restarts."""

from hashlib import blake2b

from component.core.presence import Presence


def digest(presence: Presence) -> str:
    """Return 16 hexadecimal digits that differ for different presences; seconds and stamps of answers are not in it."""
    return blake2b(repr(presence).encode(), digest_size=8).hexdigest()
