"""Opening a store: migrations, and every way in which it cannot be opened."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, make_url
from sqlalchemy.schema import CreateTable

from component.services.ports import Snapshot, StoreError
from component.store.database import Database
from component.store.errors import explain, name, without_secrets
from component.store.schema import metadata, rosters, sessions
from component.store.statements import upsert


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


async def made(path: Path) -> None:
    database = await Database.open(url_of(path))
    await database.close()


async def test_a_new_store_is_empty_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "a %s folder" / "store.db"
    path.parent.mkdir()
    database = await Database.open(url_of(path))
    assert await database.load() == Snapshot(employees=[])
    assert make_url(database.url).database == str(path)
    assert (database.failing, database.pending) == (None, 0)
    await database.close()
    assert path.stat().st_mode & 0o777 == 0o600


async def test_an_empty_file_and_memory_are_migrated(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch()
    for url in (url_of(path), "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"):
        database = await Database.open(url)
        assert await database.load() == Snapshot(employees=[])
        await database.close()


async def test_the_migrations_make_what_the_schema_says(tmp_path: Path) -> None:
    await made(tmp_path / "store.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'store.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


async def test_a_migration_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """Another program's table in the way: nothing of ours is left behind."""
    path = tmp_path / "store.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE rosters (id)")
    other.commit()
    with pytest.raises(StoreError, match="table rosters already exists"):
        await Database.open(url_of(path))
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("rosters",)]
    other.close()


def test_postgresql_understands_the_schema_and_the_statements() -> None:
    dialect = make_url("postgresql://").get_dialect()()
    tables = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    assert any("TIMESTAMP WITHOUT TIME ZONE" in table for table in tables)
    assert "ON CONFLICT (employee, jid) DO UPDATE" in str(upsert(sessions, "postgresql"))
    assert "ON CONFLICT (employee) DO UPDATE" in str(upsert(rosters, "sqlite"))


def test_a_password_is_never_shown() -> None:
    url = make_url("postgresql+asyncpg://panel:secret@db.example.test/panel?password=secret2")
    for text in (name(url), without_secrets(url), explain(OSError("refused"), url)):
        assert "secret" not in text
        assert "db.example.test/panel" in text


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "store.url is not a database URL"),
        ("panel-presence.db", "store.url is not a database URL"),
        ("sqlite+aiosqlite//a:b@", "store.url is not a database URL"),
        ("oracle://host/db", "oracle is not supported, only sqlite and postgresql"),
        ("nonsense://host/db", "nonsense is not supported"),
        ("sqlite:////store.db", "sqlite needs an asyncio driver"),
        ("sqlite+nonsense:////store.db", r"the driver sqlite\+nonsense is not known"),
    ],
)
async def test_a_bad_url_is_explained(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said):
        await Database.open(url)


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"the folder {tmp_path / 'missing'} does not exist: make it"):
        await Database.open(url_of(tmp_path / "missing" / "store.db"))


async def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"{tmp_path} is a folder: store.url must name a file"):
        await Database.open(url_of(tmp_path))


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_text("id;account;name\n" * 500)
    with pytest.raises(StoreError, match=r"store\.db is not an SQLite database: correct store\.url"):
        await Database.open(url_of(path))
    assert path.read_text() == "id;account;name\n" * 500


async def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await made(path)
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 40960)
    with pytest.raises(StoreError, match=r"store\.db is damaged: .*backup"):
        await Database.open(url_of(path))


async def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await made(path)
    other = sqlite3.connect(path)
    with other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"store\.db was written by a newer version .*9999.*: install that version"):
        await Database.open(url_of(path))
    assert other.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    other.close()


async def test_a_locked_store_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await made(path)
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked by another process"):
        await Database.open(url_of(path), busy_timeout=0.05)
    other.close()


async def test_a_path_that_the_system_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        await Database.open(url_of(tmp_path / ("x" * 300) / "store.db"))
