"""What goes wrong with a database, in words that say what to do."""

from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

# What SQLite says (its result codes, https://www.sqlite.org/rescode.html) -> what it means for who runs this.
_SQLITE = (
    (
        "locked",
        "is locked by another process: end the backup, the sqlite3 shell or the second instance that holds it",
    ),
    (
        "not a database",
        "is not an SQLite database: correct store.url, or move the file away and start with a new one",
    ),
    ("malformed", "is damaged: stop the component and restore the file from a backup"),
    ("disk is full", "cannot grow, the disk is full: make room"),
    ("readonly", "is read-only: give the file, its folder and the -wal and -shm files to the component's user"),
    ("unable to open", "cannot be opened: the component's user must be able to write the file and its folder"),
    ("disk I/O error", "cannot be read or written, the disk reports an error: look into the system's log"),
)


def without_secrets(url: URL) -> str:
    """Return a URL without its password, and without its options, which may hold another one."""
    return url.set(query={}).render_as_string(hide_password=True)


def name(url: URL) -> str:
    """Return the file of an SQLite URL, or the URL of another database without its secrets."""
    if url.get_backend_name() == "sqlite":
        return url.database or "the database in memory"
    return without_secrets(url)


def explain(error: BaseException, url: URL) -> str:
    """Return what a failure means and what to do about it, in one line that names the database."""
    said = str(error.orig if isinstance(error, StatementError) else error) or type(error).__name__
    if url.get_backend_name() == "sqlite":
        for fragment, meaning in _SQLITE:
            if fragment in said:
                return f"{name(url)} {meaning}"
        return f"{name(url)} could not be used: {said}"
    return f"{name(url)} could not be used: {said}. See that the server runs, and that store.url is right"


def refuses_row(error: BaseException) -> bool:
    """Say whether a failure is the fault of a value or row, so that trying again cannot help."""
    if isinstance(error, DBAPIError):
        return isinstance(error, (IntegrityError, DataError))
    return isinstance(error, (StatementError, UnicodeError))
