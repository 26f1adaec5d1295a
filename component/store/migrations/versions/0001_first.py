"""The first schema: employees, states, sessions, rosters, subscriptions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _employee(name: str = "employee") -> sa.Column[str]:
    return sa.Column(name, sa.Text, sa.ForeignKey("employees.id", ondelete="CASCADE"), primary_key=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "employees",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("localpart", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("extension", sa.Text, nullable=False),
        sa.Column("groups", sa.JSON, nullable=False),
        sa.Column("mode", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("timezone", sa.Text),
    )
    op.create_table(
        "states",
        _employee(),
        sa.Column("choice_status", sa.Text),
        sa.Column("choice_at", sa.DateTime),
        sa.Column("choice_text", sa.Text),
        sa.Column("choice_until", sa.DateTime),
        sa.Column("launched_at", sa.DateTime),
        sa.Column("last_activity", sa.DateTime),
        sa.Column("panel_mode", sa.Text),
        sa.Column("panel_ended_at", sa.DateTime),
        sa.Column("report_phone", sa.Text),
        sa.Column("report_at", sa.DateTime),
        sa.Column("report_pbx", sa.Text),
        sa.Column("report_expires", sa.DateTime),
    )
    op.create_table(
        "sessions",
        _employee(),
        sa.Column("jid", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("idle_since", sa.DateTime),
        sa.Column("tracks_idle", sa.Boolean, nullable=False),
        sa.Column("panel_mode", sa.Text),
        sa.Column("panel_phone", sa.Text),
        sa.Column("panel_since", sa.DateTime),
    )
    op.create_table(
        "rosters",
        _employee(),
        sa.Column("provisioned", sa.Boolean, nullable=False),
        sa.Column("pending", sa.JSON, nullable=False),
        sa.Column("removing", sa.JSON, nullable=False),
        sa.Column("domain_item", sa.Boolean, nullable=False),
        sa.Column("asked_at", sa.DateTime),
    )
    op.create_table(
        "subscriptions",
        _employee(),
        _employee("contact"),
        sa.Column("exception", sa.Text, nullable=False),
    )
    op.create_index("ix_subscriptions_contact", "subscriptions", ["contact"])
