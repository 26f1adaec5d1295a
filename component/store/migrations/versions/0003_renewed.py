"""Which items of a roster may still have an old name: their contacts are shown on until they have the new one."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("rosters", sa.Column("renewed", sa.JSON, nullable=False, server_default=sa.text("'[]'")))
