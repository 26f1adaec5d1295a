"""The XMPP side: the only place that knows slixmpp, stanzas and bytes."""
