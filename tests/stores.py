"""A clock and databases for tests: an empty SQLite file and an empty PostgreSQL database, new for each test.

A test that takes ``store`` or ``database_url`` runs on both. PostgreSQL is the database named by TEST_DATABASE_URL, in
which the tests make schemas of their own, or one that is started for this test run on a socket of its own; where
neither is possible those tests are skipped.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from provisioner.store import Store, sqlite_url
from tests.capabilities import require_program


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    make: Callable[[], str] = request.getfixturevalue("make_postgresql_database")
    return make()


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """The URL of a database with the present tables and nothing in them."""
    store = Store.open(empty_database_url)
    store.upgrade()
    store.close()
    return empty_database_url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store with nothing in it."""
    store = Store.open(database_url)
    yield store
    store.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """A store in a SQLite file of ``tmp_path``, for what only a file can suffer."""
    store = Store.open(sqlite_url(tmp_path))
    store.upgrade()
    yield store
    store.close()


@pytest.fixture(scope="session")
def make_postgresql_database() -> Iterator[Callable[[], str]]:
    """Makes an empty database and returns its URL; all of them are gone at the end of the run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield from _databases_on(given)
    else:
        with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as directory:
            yield from _databases_in(Path(directory))


def _databases_on(server_url: str) -> Iterator[Callable[[], str]]:
    """Each a schema of its own in one database, since making a database takes a third of a second."""
    server = make_url(server_url).set(drivername="postgresql+psycopg")
    engine = create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    made: list[str] = []

    def make() -> str:
        name = f"provisioner_test_{os.getpid()}_{len(made)}"
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
        made.append(name)
        return server.update_query_dict({"options": f"-c search_path={name}"}).render_as_string(hide_password=False)

    yield make
    with engine.connect() as connection:
        for name in made:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))


def _databases_in(directory: Path) -> Iterator[Callable[[], str]]:
    initdb = require_program(
        "postgresql", package="postgresql", binaries=["/usr/lib/postgresql/*/bin/initdb", "initdb"]
    )
    data = directory / "data"
    owner = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if owner:
        shutil.chown(directory, owner)
    # Without the syncs that make it durable, and on a socket only.
    setup = [initdb, f"--pgdata={data}", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]
    subprocess.run([*setup, "--no-sync"], check=True, cwd="/", user=owner, stdout=subprocess.DEVNULL)
    settings = (f"unix_socket_directories={directory}", "listen_addresses=", "fsync=off", "full_page_writes=off")
    serve = [str(Path(initdb).with_name("postgres")), "-D", str(data), *(f"--{setting}" for setting in settings)]
    with (directory / "log").open("wb") as log, subprocess.Popen(serve, cwd="/", user=owner, stderr=log) as server:
        try:
            _wait_for(data / "postmaster.pid", server)
            yield from _databases_on(f"postgresql://postgres@/postgres?host={directory}")
        finally:
            server.send_signal(signal.SIGQUIT)  # at once; nothing in it is needed any more


def _wait_for(pid_file: Path, server: subprocess.Popen[bytes]) -> None:
    """Until the server's pid file says ready in its eighth line, as pg_ctl waits for it."""
    for _ in range(600):
        assert server.poll() is None, "PostgreSQL did not start"
        if pid_file.exists() and pid_file.read_text().splitlines()[7:8] == ["ready   "]:
            return
        time.sleep(0.05)
    raise TimeoutError("PostgreSQL was not ready after 30 seconds")


@dataclass
class Clock:
    """A clock that stands still until it is turned."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        """Forward by days, hours, minutes, seconds; back where they are negative."""
        self.now += timedelta(**by)
