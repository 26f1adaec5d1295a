"""What watchers were told, which instance serves the company, and who blocks whom."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _employee(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, sa.ForeignKey("employees.id", ondelete="CASCADE"), primary_key=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table("told", _employee("contact"), sa.Column("digest", sa.Text))
    op.create_table("blocks", _employee("employee"), _employee("blocked"))
    op.create_index("ix_blocks_blocked", "blocks", ["blocked"])
    op.create_table(
        "lease",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("renewed_at", sa.DateTime, nullable=False),
        sa.Column("linked_at", sa.DateTime),
    )
