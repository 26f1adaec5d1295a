"""Alembic's entry: runs the migrations on the connection, and in the transaction, that the caller hands over."""

from alembic import context

from component.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
