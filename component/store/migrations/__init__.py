"""Alembic's migrations of the store; run by `component.store.opening` whenever the store is opened."""
