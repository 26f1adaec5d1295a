"""Opening a database: the engine, what SQLite needs for every connection, and the migrations."""

import logging
import os
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InvalidRequestError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from component.services.ports import StoreError
from component.store.errors import name
from component.store.statements import DIALECTS

_log = logging.getLogger(__name__)
logging.getLogger("alembic").setLevel(logging.WARNING)  # its info lines say nothing to who runs the component

_EXAMPLE = "sqlite+aiosqlite:////var/lib/panel-presence/panel-presence.db"


def parse(text: str) -> URL:
    """Return the URL of a database; raises StoreError for a malformed one or an unsupported kind of database."""
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"store.url is not a database URL; write it like {_EXAMPLE}") from error
    if backend not in DIALECTS:
        raise StoreError(f"store.url: {backend} is not supported, only {' and '.join(DIALECTS)}")
    return url


def make_engine(url: URL, busy_timeout: float) -> AsyncEngine:
    """Return the engine; `busy_timeout` is how many seconds SQLite waits for a lock. Raises StoreError."""
    try:
        engine = create_async_engine(url)
    except NoSuchModuleError as error:
        raise StoreError(f"store.url: the driver {url.drivername} is not known; write it like {_EXAMPLE}") from error
    except InvalidRequestError as error:
        raise StoreError(
            f"store.url: {url.drivername} needs an asyncio driver: sqlite+aiosqlite or postgresql+asyncpg"
        ) from error
    except ModuleNotFoundError as error:
        raise StoreError(f"store.url: the driver of {url.drivername} is not installed ({error.name})") from error
    if url.get_backend_name() == "sqlite":
        _prepare_sqlite(engine, busy_timeout)
    return engine


def _prepare_sqlite(engine: AsyncEngine, busy_timeout: float) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        # The driver's own transaction control would leave the schema's changes outside of any transaction.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(busy_timeout * 1000)}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads before it writes would fail at once beside another writer, without waiting.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _file(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:") or url.query.get("uri"):
        return None
    return Path(str(url.database)).absolute()


def identity(url: URL) -> tuple[int, int] | None:
    """Return what tells the file of an SQLite URL from another one of that name; None when there is no file."""
    path = _file(url)
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def prepare_file(url: URL) -> None:
    """Make the file of an SQLite URL, for its owner alone; raises StoreError when it cannot be used."""
    path = _file(url)
    if path is None:
        return
    try:
        _prepare(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}): correct store.url, or the disk") from error


def _prepare(path: Path) -> None:
    if path.is_dir():
        raise StoreError(f"{path} is a folder: store.url must name a file in it")
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} does not exist: make it, or correct store.url")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StoreError(f"the folder {path.parent} is not writable: give it to the component's user")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise StoreError(f"{path} cannot be read and written: give it to the component's user")
    path.touch(mode=0o600)


def migrate(connection: Connection) -> None:
    """Bring the schema to this version, within the caller's transaction; raises StoreError for a newer one."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    present = MigrationContext.configure(connection).get_current_heads()
    known = {script.revision for script in scripts.walk_revisions()}
    if newer := set(present) - known:
        raise StoreError(
            f"{name(connection.engine.url)} was written by a newer version of the component"
            f" (revision {', '.join(sorted(newer))}): install that version, or restore the backup made before it"
        )
    if set(present) != set(scripts.get_heads()):
        command.upgrade(config, "head")
        _log.info("the store %s has the schema %s now", name(connection.engine.url), scripts.get_current_head())
