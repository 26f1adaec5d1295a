"""Faults on purpose: what colleagues believe while the component, the server, the link or the store fails."""
