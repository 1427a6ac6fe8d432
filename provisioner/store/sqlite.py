"""The embedded database: one SQLite file in the data directory, used by all processes of one machine.

Write-ahead log: readers never wait for the writer (sqlite.org/wal.html). Every writing transaction begins with BEGIN
IMMEDIATE: a transaction that reads first and asks for the write lock later is refused at once, whatever the busy
timeout. The log is synced at each commit (synchronous FULL): a printed link must outlive a power cut, not only the
process, and of all requests only new links, signatures and counted devices write.

The threads of one process take turns at writing: left to SQLite, all of them ask again and again, and the unlucky one
never gets through. Who waits for another program that holds the database waits for four seconds; who comes after such a
wait was in vain hardly waits, until somebody gets through: else requests that queue for a thread would wait twice.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from provisioner.errors import ConfigurationError, StoreProblem, StoreUnavailable

_BUSY_SECONDS = 4.0  # somebody waiting for a page has their answer, or a 503, within five
_HOPELESS_SECONDS = 0.1  # while the database is held by another program
_PROBE_SECONDS = 0.5
_KEPT_OPEN = 20  # connections
_BEGIN = "provisioner_begin"
_LONGEST_WAIT = "provisioner_longest_wait"
_FILE = "provisioner_file"
_IMMEDIATE = {_BEGIN: "BEGIN IMMEDIATE"}

# sqlite.org/rescode.html; of an extended code the last octet is the primary one.
_PROBLEMS: Mapping[int, StoreProblem] = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_CANTOPEN: "missing",
    sqlite3.SQLITE_FULL: "full",
}


class SQLite:
    """One SQLite file. Raises ConfigurationError where ``url`` names none or carries parameters."""

    def __init__(self, url: URL) -> None:
        self._path = _path(url)
        self._patience = _BUSY_SECONDS
        self._turn = Lock()
        self.engine: Engine = self._engine()
        self._writing = self.engine.execution_options(**_IMMEDIATE)
        self._probing = self._writing.execution_options(**{_LONGEST_WAIT: _PROBE_SECONDS})

    def prepare(self) -> None:
        """Make the file, readable by nobody else, where there is none. Raises StoreUnavailable."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone_in(self._path.parent):
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
                with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as connection:
                    connection.execute("PRAGMA journal_mode = WAL")
        except (OSError, sqlite3.Error) as failure:
            reason = failure.strerror if isinstance(failure, OSError) else str(failure)
            raise StoreUnavailable(
                f"The database file {self._path} cannot be opened: {reason}. See that it is a database of this "
                "product, and that this user may write to it and to its directory."
            ) from failure

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one moment of the file."""
        return self.engine.begin()

    @contextmanager
    def writing(self, *, patiently: bool) -> Iterator[Connection]:
        """A transaction that writes, begun after those of this process's other threads and of other programs."""
        engine, longest = (self._writing, _BUSY_SECONDS) if patiently else (self._probing, _PROBE_SECONDS)
        if not self._turn.acquire(timeout=min(self._patience, longest)):
            raise StoreUnavailable(
                "The database is locked: those who write now have not ended in time. Try again in a moment; if it "
                "stays so, see that no other program holds it.",
                reason="locked",
            )
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            self._turn.release()

    @contextmanager
    def joining(self, task: str, *, alone: Callable[[], None]) -> Iterator[None]:
        """A lock on a file beside the database, which the kernel gives up with the process (flock(2))."""
        file = self._path.with_name(f"{self._path.name}-{task}")
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as failure:
            raise StoreUnavailable(f"The file {file} cannot be opened: {failure.strerror}.") from failure
        try:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone()
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    def problem(self, failure: DBAPIError) -> StoreProblem:
        """What the failure's code means."""
        return _PROBLEMS.get(getattr(failure.orig, "sqlite_errorcode", 0) & 0xFF, "failed")

    def lock_schema(self, connection: Connection) -> None:
        """Nothing to do: BEGIN IMMEDIATE lets one writer in at a time."""

    def _engine(self) -> Engine:
        # mode=rw: a file that is gone is a failure, never a new and empty database.
        url = URL.create(
            "sqlite+pysqlite",
            database=f"file:{quote(str(self._path))}",
            query={"uri": "true", "mode": "rw", "timeout": str(_BUSY_SECONDS)},
        )
        # No limit of our own on connections: each thread of the server needs one, and those are limited.
        engine = create_engine(url, hide_parameters=True, pool_size=_KEPT_OPEN, max_overflow=-1)
        event.listen(engine, "connect", self._set_up)
        event.listen(engine, "checkout", self._refuse_moved_file)
        event.listen(engine, "begin", self._begin)
        return engine

    def _set_up(self, connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions are begun by _begin, not guessed by the driver
        for pragma in ("foreign_keys = ON", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")
        entry.info[_FILE] = self._file()

    def _begin(self, connection: Connection) -> None:
        options = connection.get_execution_options()
        seconds = min(self._patience, options.get(_LONGEST_WAIT, _BUSY_SECONDS))
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
        if _BEGIN not in options:
            connection.exec_driver_sql("BEGIN")
            return
        try:
            connection.exec_driver_sql(options[_BEGIN])
        except DBAPIError as failure:
            if self.problem(failure) == "locked" and seconds == _BUSY_SECONDS:
                self._patience = _HOPELESS_SECONDS
            raise
        self._patience = _BUSY_SECONDS

    def _refuse_moved_file(
        self,
        connection: DBAPIConnection,  # noqa: ARG002  # SQLAlchemy's PoolEvents.checkout
        entry: ConnectionPoolEntry,
        proxy: PoolProxiedConnection,  # noqa: ARG002
    ) -> None:
        # SQLite goes on writing to a file that was removed or replaced; what is written there is lost.
        file = self._file()
        if file is None or file != entry.info[_FILE]:
            raise DisconnectionError("the database file was moved or replaced")

    def _file(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _path(url: URL) -> Path:
    if not url.database or url.database.startswith((":memory:", "file:")) or "\0" in url.database or url.query:
        raise ConfigurationError(
            "The SQLite URL must name a file and nothing else: sqlite:////path/of/file was expected. A database in "
            "memory would not be shared by the service's processes."
        )
    return Path(url.database).absolute()


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Keep other starting processes out: two that switch one file to the write-ahead log refuse each other."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
