"""The embedded database: one SQLite file in the data directory, used by all processes of one machine.

Write-ahead log: readers never wait for the writer (sqlite.org/wal.html). Every writing transaction begins with BEGIN
IMMEDIATE: a transaction that reads first and asks for the write lock later is refused at once, whatever the busy
timeout. The log is synced at each commit (synchronous FULL): a printed link must outlive a power cut, not only the
process, and of all requests only new links, signatures and counted devices write.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from provisioner.errors import ConfigurationError, StoreUnavailable

_BUSY_SECONDS = 4.5  # somebody waiting for a page has their answer, or a 503, within five
_KEPT_OPEN = 20  # connections
_BEGIN = "provisioner_begin"
_FILE = "provisioner_file"


class SQLite:
    """One SQLite file. Raises ConfigurationError where ``url`` names none or carries parameters."""

    def __init__(self, url: URL) -> None:
        self._path = _path(url)
        self.reading: Engine = self._engine()
        self.writing: Engine = self.reading.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

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
        event.listen(engine, "begin", _begin)
        return engine

    def _set_up(self, connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions are begun by _begin, not guessed by the driver
        for pragma in ("foreign_keys = ON", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")
        entry.info[_FILE] = self._file()

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


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Keep other starting processes out: two that switch one file to the write-ahead log refuse each other."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
