"""The database for more than one machine: PostgreSQL through psycopg 3.

Each connection is asked whether it still lives before it is used, so that a restarted server is found again without
a restart of ours, and no statement, lock or dead line keeps a request waiting for more than five seconds.
"""

from importlib.util import find_spec

from sqlalchemy import URL, Connection, Engine, create_engine, text

from provisioner.errors import ConfigurationError

_SECONDS = 5
_KEPT_OPEN = 20  # connections
_SCHEMA_LOCK = 0x70726F7669  # any number that no other program on this database uses


class PostgreSQL:
    """One PostgreSQL database. Raises ConfigurationError where its driver is not installed."""

    def __init__(self, url: URL) -> None:
        if find_spec("psycopg") is None:
            raise ConfigurationError(
                "PostgreSQL needs its driver, which is not installed. Install it with: "
                "pip install 'provisioner[postgres]'"
            )
        self.writing: Engine = create_engine(
            _with_limits(url.set(drivername="postgresql+psycopg")),
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=_KEPT_OPEN,
            max_overflow=-1,  # no limit of our own: each thread of the server needs one, and those are limited
        )
        # One moment of the store for all statements of a reading transaction.
        self.reading: Engine = self.writing.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def prepare(self) -> None:
        """Nothing to do: the database is made by its administrator."""

    def lock_schema(self, connection: Connection) -> None:
        """Wait for other processes that migrate, and take the time a migration needs."""
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})


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
