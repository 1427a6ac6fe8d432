"""The database behind its door: opened by URL, brought to the present schema, used in transactions.

Whatever the database refuses or fails at becomes StoreUnavailable, so that a page can say 503 with Retry-After; what
is expected to happen (something exists already) is asked for in the query and never guessed from such a failure.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from sqlalchemy import URL, Connection, Engine, false, make_url, update
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from provisioner.errors import ConfigurationError, StoreProblem, StoreUnavailable, printable
from provisioner.store import schema
from provisioner.store.condition import Condition
from provisioner.store.postgresql import PostgreSQL
from provisioner.store.sqlite import SQLite
from provisioner.store.tables import organisations

_FILE_NAME = "provisioner.sqlite3"


class _Database(Protocol):
    """What SQLite and PostgreSQL do differently."""

    engine: Engine

    def prepare(self) -> None:
        """Make what must exist before the first connection."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one moment of the store and changes nothing."""

    def writing(self, *, patiently: bool) -> AbstractContextManager[Connection]:
        """A transaction that changes the store; if not ``patiently``, it waits for a second at most."""

    def joining(self, task: str, *, alone: Callable[[], None]) -> AbstractContextManager[None]:
        """As ``Store.joining``."""

    def problem(self, failure: DBAPIError) -> StoreProblem:
        """What the failure means."""

    def lock_schema(self, connection: Connection) -> None:
        """Wait until no other process changes the schema, and keep the others out until the transaction ends."""


class Store:
    """One database. Safe to share between threads; a process that forks closes what is idle before."""

    def __init__(self, database: _Database) -> None:
        self._database = database
        self._reading = Condition("reading")
        self._writing = Condition("writing")
        _open_stores.add(self)

    @classmethod
    def open(cls, database_url: str) -> "Store":
        """The store at ``sqlite:///path`` or ``postgresql://user@host/name``; contacts nothing yet.

        Raises ConfigurationError where the URL names no such database; its text never shows the URL.
        """
        try:
            url = make_url(database_url)
        except (ArgumentError, ValueError):  # ValueError: the port is no number
            raise ConfigurationError(f"The database URL is no URL. {_EXPECTED}") from None
        return cls(_database(url))

    def upgrade(self) -> None:
        """Bring the schema to the present version, making the database's tables where there are none.

        Safe when several processes start at once: one does the work, the others wait for it. Raises
        ConfigurationError where the database was made by a newer version, StoreUnavailable where it does not answer.
        """
        self._database.prepare()
        with self.read() as connection:
            if schema.is_present(connection):
                return
        with self.write() as connection:
            self._database.lock_schema(connection)
            if not schema.is_present(connection):
                schema.upgrade(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the store and changes nothing. Raises StoreUnavailable."""
        with self._failures_named(self._reading), self._database.reading() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed when the block ends and undone where it raises. Raises StoreUnavailable.

        When this returns, the changes outlive the process and the machine.
        """
        with self._failures_named(self._writing), self._database.writing(patiently=True) as connection:
            yield connection

    def require_writable(self) -> None:
        """Raise StoreUnavailable where writing fails now, within a second; changes nothing."""
        with self._failures_named(self._writing), self._database.writing(patiently=False) as connection:
            connection.execute(_NO_CHANGE)

    @contextmanager
    def joining(self, task: str, *, alone: Callable[[], None]) -> Iterator[None]:
        """Be known as one of those who are at ``task`` while the block runs, however this process ends.

        Calls ``alone`` first where nobody else is at it, and keeps the others out until that returns: what is found
        half done then was left by somebody who is gone. Raises StoreUnavailable.
        """
        with self._failures_named(self._writing), self._database.joining(task, alone=alone):
            yield

    def close(self) -> None:
        """Close the connections that are idle; one that is still needed opens again."""
        self._database.engine.dispose()

    @contextmanager
    def _failures_named(self, condition: Condition) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable as failure:
            condition.failed(failure)
            raise
        except (DBAPIError, NoConnection) as failure:
            unavailable = self._unavailable(failure)
            condition.failed(unavailable)
            raise unavailable from failure
        condition.worked()

    def _unavailable(self, failure: DBAPIError | NoConnection) -> StoreUnavailable:
        if isinstance(failure, NoConnection):
            return StoreUnavailable(
                f"Every connection of this process to the database is in use. {_ADVICE}", reason="overloaded"
            )
        problem = self._database.problem(failure)
        return StoreUnavailable(f"The database does not answer: {_reason(failure)}. {_ADVICE}", reason=problem)


def sqlite_url(data_dir: Path) -> str:
    """The URL of the embedded store in ``data_dir``."""
    return URL.create("sqlite", database=str(data_dir.absolute() / _FILE_NAME)).render_as_string()


_EXPECTED = "sqlite:////path/of/file or postgresql://user@host/name was expected."


def _database(url: URL) -> _Database:
    match url.get_backend_name(), url.drivername.partition("+")[2]:
        case "sqlite", "" | "pysqlite":
            return SQLite(url)
        case "postgresql", "" | "psycopg":
            return PostgreSQL(url)
    raise ConfigurationError(f"The database URL begins with {printable(url.drivername)}. {_EXPECTED}")


# Needs all that a write needs, and touches no row.
_NO_CHANGE = update(organisations).where(false()).values(name="")
_ADVICE = "Try again in a moment; if it stays so, see that it is there, writable and not locked by another program."


def _reason(failure: DBAPIError) -> str:
    """The driver's first line; the lines after it can hold values, such as an address."""
    lines = str(failure.orig).strip().splitlines()
    return printable(lines[0], 160) if lines else type(failure.orig).__name__


_open_stores: WeakSet[Store] = WeakSet()


def _close_before_fork() -> None:
    # Neither database allows a connection to be used on both sides of a fork (SQLite: "How To Corrupt", section 2.6).
    for store in list(_open_stores):
        store.close()


def _begin_anew_in_child() -> None:
    # A thread of the parent may have been at a connection, and may have left the pool's lock closed for ever.
    for store in list(_open_stores):
        store._database.engine.dispose(close=False)


os.register_at_fork(before=_close_before_fork, after_in_child=_begin_anew_in_child)
