"""The tables of the store, for SQLite and PostgreSQL alike; `migrations` makes them."""

from datetime import UTC, datetime

from sqlalchemy import JSON, Boolean, Column, DateTime, ForeignKey, Integer, MetaData, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, kept as naive UTC with microseconds; takes and returns aware datetimes, refuses naive ones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return naive UTC for the database; raises ValueError for a naive datetime."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"a datetime without a time zone cannot be stored: {value.isoformat()}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant, aware, in UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    },
)


def _employee(name: str = "employee", *, index: bool = False) -> Column[str]:
    return Column(name, Text, ForeignKey("employees.id", ondelete="CASCADE"), primary_key=True, index=index)


# account and localpart are not unique here: an import may swap them between two employees, and SQLite checks
# uniqueness at every row; the import itself refuses what collides.
employees = Table(
    "employees",
    metadata,
    Column("id", Text, primary_key=True),
    Column("localpart", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("extension", Text, nullable=False),
    Column("groups", JSON, nullable=False),
    Column("mode", Text),
    Column("language", Text),
    Column("timezone", Text),
)

states = Table(
    "states",
    metadata,
    _employee(),
    Column("choice_status", Text),
    Column("choice_at", UtcDateTime),
    Column("choice_text", Text),
    Column("choice_until", UtcDateTime),
    Column("launched_at", UtcDateTime),
    Column("last_activity", UtcDateTime),
    Column("panel_mode", Text),
    Column("panel_ended_at", UtcDateTime),
    Column("report_phone", Text),
    Column("report_at", UtcDateTime),
    Column("report_pbx", Text),
    Column("report_expires", UtcDateTime),
)

# The key has the employee in it: an account that an import gives to another employee may bring the same full JID
# to both for a while, and a collision would stop everything that is committed together with it.
sessions = Table(
    "sessions",
    metadata,
    _employee(),
    Column("jid", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("idle_since", UtcDateTime),
    Column("tracks_idle", Boolean, nullable=False),
    Column("panel_mode", Text),
    Column("panel_phone", Text),
    Column("panel_since", UtcDateTime),
)

rosters = Table(
    "rosters",
    metadata,
    _employee(),
    Column("provisioned", Boolean, nullable=False),
    Column("pending", JSON, nullable=False),
    Column("removing", JSON, nullable=False),
    Column("domain_item", Boolean, nullable=False),
    Column("asked_at", UtcDateTime),
    Column("renewed", JSON, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    _employee(),
    _employee("contact", index=True),
    Column("exception", Text, nullable=False),
)

# One row a contact: the digest of the presence that its watchers hold; none while that is in doubt.
told = Table("told", metadata, _employee("contact"), Column("digest", Text))

blocks = Table("blocks", metadata, _employee(), _employee("blocked", index=True))

# One row at most.
lease = Table(
    "lease",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("instance", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("renewed_at", UtcDateTime, nullable=False),
    Column("linked_at", UtcDateTime),
)
