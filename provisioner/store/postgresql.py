"""The database for more than one machine: PostgreSQL through psycopg 3.

Each connection is asked whether it still lives before it is used, so that a restarted server is found again without
a restart of ours, and no statement, lock or dead line keeps a request waiting for more than five seconds.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from zlib import crc32

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from provisioner.errors import ConfigurationError, StoreProblem

_SECONDS = 5
_WAIT_SECONDS = 4  # for a connection that another thread uses
# Connections of one process. A server takes 100 in all unless it is set otherwise (20.3.1, max_connections), and each
# is needed for a few milliseconds at a time: the threads of a process take turns.
_KEPT_OPEN = 8
_MORE_AT_PEAKS = 8
_SCHEMA_LOCK = 0x70726F7669  # any number that no other program on this database uses

# PostgreSQL documentation, appendix A: by the class (the first two characters), or by the whole SQLSTATE.
_PROBLEMS: Mapping[str, StoreProblem] = {
    "08": "unreachable",
    "57P01": "unreachable",  # the administrator shuts it down
    "57P02": "unreachable",
    "57P03": "unreachable",  # it starts
    "53300": "overloaded",  # too many connections
    "53100": "full",
    "25006": "read-only",
    "0A000": "read-only",  # a standby, asked to begin a transaction that may write
    "55P03": "locked",
    "40P01": "locked",
    "57014": "locked",  # statement_timeout: ours are short, and only somebody's lock holds them up
    "3D000": "missing",
    "3F000": "missing",
    "42P01": "missing",
}


class PostgreSQL:
    """One PostgreSQL database. Raises ConfigurationError where its driver is not installed."""

    def __init__(self, url: URL) -> None:
        if find_spec("psycopg") is None:
            raise ConfigurationError(
                "PostgreSQL needs its driver, which is not installed. Install it with: "
                "pip install 'provisioner[postgres]'"
            )
        self.engine: Engine = create_engine(
            _with_limits(url.set(drivername="postgresql+psycopg")),
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=_KEPT_OPEN,
            max_overflow=_MORE_AT_PEAKS,
            pool_timeout=_WAIT_SECONDS,
        )
        event.listen(self.engine, "checkin", _forget_who_read)
        self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def prepare(self) -> None:
        """Nothing to do: the database is made by its administrator."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction whose statements all see the same moment of the database."""
        return self._reading.begin()

    def writing(self, *, patiently: bool) -> AbstractContextManager[Connection]:  # noqa: ARG002
        """A transaction that writes; the server keeps only those apart that change the same row."""
        return self.engine.begin()

    @contextmanager
    def joining(self, task: str, *, alone: Callable[[], None]) -> Iterator[None]:
        """A lock of a session of its own, which the server gives up with its connection (PostgreSQL 13.3.5)."""
        key = {"key": crc32(task.encode())}
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
            session.detach()  # closed at the end, and not kept for others with the lock
            if session.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one():
                alone()
                session.execute(text("SELECT pg_advisory_lock_shared(:key)"), key)
                session.execute(text("SELECT pg_advisory_unlock(:key)"), key)
            else:
                session.execute(text("SELECT pg_advisory_lock_shared(:key)"), key)
            yield

    def problem(self, failure: DBAPIError) -> StoreProblem:
        """What the failure's SQLSTATE means; without one, the server could not be asked."""
        state = getattr(failure.orig, "sqlstate", None)
        if state is None:
            return "unreachable" if isinstance(failure, (OperationalError, InterfaceError)) else "failed"
        return _PROBLEMS.get(state) or _PROBLEMS.get(state[:2], "failed")

    def lock_schema(self, connection: Connection) -> None:
        """Wait for other processes that migrate, and take the time a migration needs."""
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})


def _forget_who_read(
    connection: DBAPIConnection | None,
    entry: ConnectionPoolEntry,  # noqa: ARG001  # SQLAlchemy's PoolEvents.checkin
) -> None:
    # After a reading transaction SQLAlchemy has the connection ask for READ WRITE, which would go over the head of an
    # administrator who has set default_transaction_read_only.
    if connection is not None:
        connection.read_only = None


def _with_limits(url: URL) -> URL:
    """``url`` with limits in milliseconds and seconds; what the administrator's URL says of them stands.

    Source: PostgreSQL documentation, sections 34.1.2 (connection parameters) and 20.11.1 (statement_timeout).
    """
    theirs = url.query.get("options", "")
    limits = {
        "connect_timeout": str(_SECONDS),
        "tcp_user_timeout": str(_SECONDS * 1000),
        "keepalives_idle": str(_SECONDS),
        "application_name": "provisioner",
        **url.query,
        "options": f"-c statement_timeout={_SECONDS * 1000} {theirs}",  # of two the server takes the last
    }
    return url.set(query=limits)
