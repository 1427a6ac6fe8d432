"""The store: one suite over SQLite and PostgreSQL, and the faults that each of them has to survive."""

import multiprocessing
import os
import resource
import shutil
import sqlite3
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, func, insert, inspect, make_url, select, text
from sqlalchemy.exc import StatementError
from structlog.testing import capture_logs

from provisioner.errors import ConfigurationError, ProvisionerError, StoreUnavailable
from provisioner.organisation import Organisation
from provisioner.store import Store, audit, domains, organisations, sqlite_url, tables
from tests.samples import NOW, contoso_domain

CONTOSO = Organisation(id="contoso", name="Contoso")
FABRIKAM = Organisation(id="fabrikam", name="Fabrikam")


def _record(connection: Connection, *, subject: str = "contoso", at: datetime = NOW) -> None:
    audit.record(connection, at=at, actor="admin", action="organisation.add", subject=subject, details={"name": "ä"})


def _ids(store: Store) -> list[str]:
    with store.read() as connection:
        return [organisation.id for organisation in organisations.all_organisations(connection).whole()]


# Both databases: the schema


def test_the_migrations_make_exactly_the_tables_that_the_queries_use(store: Store) -> None:
    with store.read() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), tables.metadata)


def test_upgrading_an_up_to_date_database_changes_nothing(store: Store) -> None:
    with store.write() as connection:
        organisations.add(connection, CONTOSO)
    store.upgrade()
    assert ["contoso"] == _ids(store)


def _upgrade_each(database_urls: list[str], start: Barrier) -> None:
    try:
        for database_url in database_urls:
            with closing(Store.open(database_url)) as store:
                start.wait(60)
                store.upgrade()
                assert [] == _ids(store)
    except ProvisionerError:
        start.abort()  # so that the others do not wait for this one
        raise


def _upgrade_at_once(database_urls: list[str]) -> list[int | None]:
    """The exit codes of four processes that upgrade each of these databases at the same moment."""
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(4)
    processes = [spawn.Process(target=_upgrade_each, args=(database_urls, start)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


def test_several_processes_that_start_at_once_make_the_tables_once(empty_database_url: str) -> None:
    assert [0, 0, 0, 0] == _upgrade_at_once([empty_database_url])


def test_a_database_that_a_newer_version_has_migrated_is_refused_by_name(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '2099_later'"))
    with pytest.raises(ConfigurationError, match=r"2099_later.*newer"):
        store.upgrade()


def test_a_migration_that_fails_halfway_leaves_nothing_behind_and_runs_when_the_cause_is_gone(
    empty_database_url: str,
) -> None:
    server = create_engine(make_url(empty_database_url))
    with server.begin() as connection:
        connection.execute(text("CREATE TABLE audit (id INTEGER)"))  # the last one that the migration makes
    with closing(Store.open(empty_database_url)) as store:
        with pytest.raises(StoreUnavailable, match="audit"):
            store.upgrade()
        with server.begin() as connection:
            assert ["audit"] == inspect(connection).get_table_names()
            connection.execute(text("DROP TABLE audit"))
        store.upgrade()
        assert [] == _ids(store)
    server.dispose()


def test_a_store_whose_tables_were_never_made_does_not_answer(empty_database_url: str) -> None:
    with closing(Store.open(empty_database_url)) as store, pytest.raises(StoreUnavailable):
        _ids(store)


# Both databases: transactions


def test_what_was_written_is_there_for_every_later_reader(store: Store, database_url: str) -> None:
    with store.write() as connection:
        organisations.add(connection, CONTOSO)
    with closing(Store.open(database_url)) as other:
        assert ["contoso"] == _ids(other)


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as connection:
            organisations.add(connection, CONTOSO)
            _record(connection)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert [] == _ids(store)
    with store.read() as connection:
        assert 0 == connection.execute(select(func.count()).select_from(tables.audit)).scalar_one()


def test_a_reader_sees_one_moment_of_the_store_however_long_it_reads(store: Store) -> None:
    with store.read() as reader:
        assert [] == organisations.all_organisations(reader).whole()
        with store.write() as writer:
            organisations.add(writer, CONTOSO)
        assert [] == organisations.all_organisations(reader).whole()
    assert ["contoso"] == _ids(store)


def test_a_moment_comes_back_in_utc_whatever_zone_it_was_given_in(store: Store) -> None:
    moment = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with store.write() as connection:
        _record(connection, at=moment)
        found = connection.execute(select(tables.audit.c.at)).scalar_one()
    assert moment == found
    assert UTC == found.tzinfo


def test_a_moment_without_a_zone_is_a_mistake_and_no_failure_of_the_store(store: Store) -> None:
    with pytest.raises(StatementError, match="aware"), store.write() as connection:
        _record(connection, at=NOW.replace(tzinfo=None))


@pytest.mark.parametrize("deed", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
def test_the_audit_trail_can_only_be_added_to(store: Store, deed: str) -> None:
    with store.write() as connection:
        _record(connection)
    with pytest.raises(StoreUnavailable, match="append-only"), store.write() as connection:
        connection.execute(text(deed))
    with store.read() as connection:
        (row,) = connection.execute(select(tables.audit)).mappings()
    assert ("admin", "organisation.add", "contoso", {"name": "ä"}) == (
        row["actor"],
        row["action"],
        row["subject"],
        row["details"],
    )


def test_a_domain_of_an_organisation_that_is_not_there_is_refused_by_the_database_too(store: Store) -> None:
    with pytest.raises(StoreUnavailable), store.write() as connection:
        domains.add(connection, contoso_domain())


def test_a_failure_never_tells_the_values_that_were_written(store: Store) -> None:
    person = {
        "address_key": "anna.secret@contoso.example",
        "address": "anna.secret@contoso.example",
        "username": "anna.secret@contoso.example",
        "display_name": "",
        "domain": "contoso.example",
        "created_at": NOW,
    }
    with pytest.raises(StoreUnavailable) as failure, store.write() as connection:
        connection.execute(insert(tables.invitations), [person, person])
    assert "anna.secret" not in str(failure.value)
    assert "anna.secret" not in str(failure.value.__cause__).partition("DETAIL")[0]


# Both databases: rows that cannot be read


@pytest.fixture
def kept(store: Store) -> Store:
    """A store with two organisations, and a domain of one of them."""
    with store.write() as connection:
        organisations.add(connection, CONTOSO)
        organisations.add(connection, FABRIKAM)
        domains.add(connection, contoso_domain())
    return store


def test_a_setting_that_only_a_newer_version_knows_is_told_and_not_guessed(kept: Store) -> None:
    with kept.write() as connection:
        connection.execute(text("UPDATE domains SET autodiscover = 'telepathy'"))
    with pytest.raises(StoreUnavailable, match=r"contoso\.example.*telepathy") as refusal, kept.read() as connection:
        domains.all_domains(connection).whole()
    assert "unreadable" == refusal.value.reason


@pytest.mark.parametrize("value", ["", "x" * 101, "a\nb"])
def test_an_organisation_that_cannot_be_read_is_named_and_the_others_are_read(kept: Store, value: str) -> None:
    with kept.write() as connection:
        connection.execute(text("UPDATE organisations SET name = :name WHERE id = 'contoso'"), {"name": value})
    with kept.read() as connection:
        rows = organisations.all_organisations(connection)
    assert [FABRIKAM] == rows.readable
    (fault,) = rows.faults
    assert fault.startswith("The row 'contoso' of the table organisations cannot be read: The organisation name ")
    with pytest.raises(StoreUnavailable, match="'contoso' of the table organisations"):
        rows.whole()


@pytest.mark.parametrize("value", ["5", "null", '{"a": 1}', '["telepathy"]', "[]", "[[1]]"])
def test_a_domain_whose_kinds_are_none_is_named(kept: Store, value: str) -> None:
    with kept.write() as connection:
        connection.execute(text("UPDATE domains SET account_kinds = :value"), {"value": value})
    with pytest.raises(StoreUnavailable, match=r"'contoso\.example' of the table domains"), kept.write() as connection:
        domains.find(connection, "contoso.example")


@pytest.mark.parametrize("value", ["nojson", b"\xff", "["])
def test_a_domain_whose_kinds_are_rubbish_is_named(sqlite_store: Store, value: object) -> None:
    names = ("contoso.example", "contoso.test", "contoso.zzz")
    with sqlite_store.write() as connection:
        organisations.add(connection, CONTOSO)
        for name in names:
            domains.add(connection, replace(contoso_domain(), name=name))
        bad = text("UPDATE domains SET account_kinds = :value WHERE name = 'contoso.test'")
        connection.execute(bad, {"value": value})
    with sqlite_store.read() as connection:
        rows = domains.all_domains(connection)
    assert ["contoso.example", "contoso.zzz"] == [domain.name for domain in rows.readable]
    (fault,) = rows.faults
    assert fault.startswith("The row 'contoso.test' of the table domains cannot be read: ")


def test_a_row_that_cannot_be_read_is_logged_once(kept: Store) -> None:
    with kept.write() as connection:
        connection.execute(text("UPDATE organisations SET name = ''"))
    with capture_logs() as log:
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                _ids(kept)
    assert [("row_unreadable", "error")] == [(line["event"], line["log_level"]) for line in log]


def test_many_threads_share_one_store(store: Store) -> None:
    def add(number: int) -> None:
        with store.write() as connection:
            organisations.add(connection, Organisation(id=f"o{number:02}", name="x"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [f"o{number:02}" for number in range(12)] == _ids(store)


def test_a_forked_process_and_its_parent_both_go_on_with_the_store(store: Store) -> None:
    with store.write() as connection:
        organisations.add(connection, CONTOSO)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with store.write() as connection:
                organisations.add(connection, FABRIKAM)
            code = 0
        finally:
            os._exit(code)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ["contoso", "fabrikam"] == _ids(store)


def test_more_threads_than_connections_are_all_served(store: Store) -> None:
    def record(number: int) -> None:
        with store.write() as connection:
            _record(connection, subject=str(number))

    with ThreadPoolExecutor(48) as threads:
        list(threads.map(record, range(96)))
    with store.read() as connection:
        assert 96 == connection.execute(select(func.count()).select_from(tables.audit)).scalar_one()


# Both databases: whether writing works


def test_asking_whether_a_store_can_be_written_changes_nothing(kept: Store) -> None:
    kept.require_writable()
    with kept.read() as connection:
        assert [CONTOSO, FABRIKAM] == organisations.all_organisations(connection).whole()


def test_a_store_without_tables_cannot_be_written(empty_database_url: str) -> None:
    with closing(Store.open(empty_database_url)) as store, pytest.raises(StoreUnavailable):
        store.require_writable()


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "",
        "provisioner.sqlite3",
        "mysql://anna:hunter2@db.example/x",
        "postgresql+asyncpg://anna:hunter2@db.example/x",
        "postgresql://anna:hunter2@db.example:port/x",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite:////tmp/x?mode=memory",
        "sqlite:////tmp/\0",
    ],
)
def test_a_url_that_names_no_database_of_ours_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"was expected") as refusal:
        Store.open(url)
    assert "hunter2" not in str(refusal.value)


def test_postgresql_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as where it is not installed
    with pytest.raises(ConfigurationError, match=r"provisioner\[postgres\]"):
        Store.open("postgresql://db.example/x")


def test_a_server_that_is_not_there_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="does not answer") as failure, capture_logs() as log:
        Store.open(f"postgresql://anna:hunter2@/x?host={tmp_path}").upgrade()
    assert "unreachable" == failure.value.reason
    assert [("store_unavailable", "unreachable")] == [(line["event"], line["reason"]) for line in log]
    assert "hunter2" not in str(log)


# PostgreSQL


@pytest.fixture
def postgresql_url(make_postgresql_database: Callable[[], str]) -> str:
    url = make_postgresql_database()
    store = Store.open(url)
    store.upgrade()
    store.close()
    return url


def test_connections_that_the_server_closed_are_replaced_without_a_failed_request(postgresql_url: str) -> None:
    close_all = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'closed'")
    with (
        closing(Store.open(f"{postgresql_url}&application_name=closed")) as store,
        closing(Store.open(postgresql_url)) as other,
    ):
        for _ in range(3):
            assert [] == _ids(store)
            with other.write() as connection:
                assert [True] == connection.execute(close_all).scalars().all()


def test_a_connection_that_breaks_in_a_transaction_is_one_failure_and_no_more(postgresql_url: str) -> None:
    def add_while_the_server_closes(store: Store) -> None:
        with store.write() as connection:
            own = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with other.write() as closer:
                closer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
            organisations.add(connection, CONTOSO)

    with closing(Store.open(postgresql_url)) as store, closing(Store.open(postgresql_url)) as other:
        with pytest.raises(StoreUnavailable):
            add_while_the_server_closes(store)
        assert [] == _ids(store)


def test_a_lock_that_is_not_released_is_a_failure_and_no_endless_wait(postgresql_url: str) -> None:
    # What the administrator's URL says of limits stands; here it keeps the test short.
    url = make_url(postgresql_url)
    url = url.update_query_dict({"options": f"{url.query['options']} -c statement_timeout=200"})
    store = Store.open(url.render_as_string(hide_password=False))
    with store.write() as connection:
        organisations.add(connection, CONTOSO)
    with store.write() as holder:
        assert organisations.find(holder, "contoso")
        with pytest.raises(StoreUnavailable, match="timeout"), store.write() as waiting:
            organisations.find(waiting, "contoso")
    store.close()


def test_no_statement_on_postgresql_takes_longer_than_five_seconds(postgresql_url: str) -> None:
    store = Store.open(postgresql_url)
    with store.read() as connection:
        assert "5s" == connection.execute(text("SHOW statement_timeout")).scalar_one()
    store.close()


def test_a_reading_transaction_on_postgresql_cannot_write(postgresql_url: str) -> None:
    store = Store.open(postgresql_url)
    with pytest.raises(StoreUnavailable, match="read-only"), store.read() as connection:
        organisations.add(connection, CONTOSO)
    store.close()


def test_a_postgresql_that_only_answers_readers_is_told_as_such(postgresql_url: str) -> None:
    url = make_url(postgresql_url)  # as on a standby, or after an administrator has set it so
    url = url.update_query_dict({"options": f"{url.query['options']} -c default_transaction_read_only=on"})
    with closing(Store.open(url.render_as_string(hide_password=False))) as store:
        assert [] == _ids(store)
        with pytest.raises(StoreUnavailable, match="read-only") as failure:
            store.require_writable()
        with pytest.raises(StoreUnavailable, match="read-only"), store.write() as connection:
            organisations.add(connection, CONTOSO)
    assert "read-only" == failure.value.reason


def test_a_process_takes_sixteen_connections_of_postgresql_and_no_more(postgresql_url: str) -> None:
    with closing(Store.open(postgresql_url)) as store, ExitStack() as held:
        for _ in range(16):
            held.enter_context(store.read())
        began = datetime.now(UTC)
        with pytest.raises(StoreUnavailable, match="connection") as failure:
            _ids(store)
        assert datetime.now(UTC) - began < timedelta(seconds=5)
    assert "overloaded" == failure.value.reason


# SQLite


def _file(directory: Path) -> Path:
    return directory / "provisioner.sqlite3"


def test_the_database_file_is_its_owners_alone(sqlite_store: Store, tmp_path: Path) -> None:
    assert [] == _ids(sqlite_store)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("provisioner.sqlite3*")}
    assert {0o600} == modes


def test_the_data_directory_is_made_where_it_is_missing(tmp_path: Path) -> None:
    store = Store.open(sqlite_url(tmp_path / "a" / "b c%20d?e"))
    store.upgrade()
    assert [] == _ids(store)
    assert _file(tmp_path / "a" / "b c%20d?e").is_file()
    store.close()


def test_several_processes_that_make_the_same_file_at_once_do_not_refuse_each_other(tmp_path: Path) -> None:
    # Without a lock around it, one such moment in six fails: SQLite does not wait to switch to the write-ahead log.
    assert [0, 0, 0, 0] == _upgrade_at_once([sqlite_url(tmp_path / str(number)) for number in range(15)])


def test_a_commit_is_synced_to_the_disk_and_readers_do_not_wait_for_it(sqlite_store: Store) -> None:
    with sqlite_store.read() as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one()
            for pragma in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert ["wal", 2, 1] == settings


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """Another program holds the database."""
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_while_another_program_holds_the_database_everybody_is_refused_within_five_seconds(
    sqlite_store: Store, tmp_path: Path
) -> None:
    began = time.monotonic()

    def refused_after(_: int) -> float:
        with pytest.raises(StoreUnavailable, match="locked") as failure, sqlite_store.write():
            pass
        assert "locked" == failure.value.reason
        return time.monotonic() - began

    with capture_logs() as log, _held(_file(tmp_path)), ThreadPoolExecutor(4) as threads:
        refusals = list(threads.map(refused_after, range(16)))  # twelve of them wait for a thread first
        assert [] == _ids(sqlite_store)
    assert 3.5 < min(refusals) < max(refusals) < 5
    assert [("store_unavailable", "writing", "locked")] == [
        (line["event"], line["access"], line["reason"]) for line in log
    ]
    with capture_logs() as log, sqlite_store.write() as connection:
        organisations.add(connection, CONTOSO)
    assert [("store_available", "writing")] == [(line["event"], line["access"]) for line in log]
    with ThreadPoolExecutor(1) as thread:
        with _held(_file(tmp_path)):
            waiting = thread.submit(_write_nothing, sqlite_store)
            time.sleep(0.3)  # a writer waits again, and gets its turn
        waiting.result()


def _write_nothing(store: Store) -> None:
    with store.write():
        pass


def test_a_store_that_cannot_be_written_now_says_so_in_less_than_a_second(sqlite_store: Store, tmp_path: Path) -> None:
    with _held(_file(tmp_path)):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="locked") as failure:
            sqlite_store.require_writable()
        assert time.monotonic() - began < 1
    assert "locked" == failure.value.reason
    sqlite_store.require_writable()


def test_a_database_file_that_is_gone_is_a_failure_until_it_is_back(sqlite_store: Store, tmp_path: Path) -> None:
    with sqlite_store.write() as connection:
        organisations.add(connection, CONTOSO)
    sqlite_store.close()  # so that the write-ahead log is in the file
    file, aside = _file(tmp_path), tmp_path / "aside"
    assert ["contoso"] == _ids(sqlite_store)
    file.rename(aside)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="unable to open") as failure:
            _ids(sqlite_store)
        assert "missing" == failure.value.reason
        with pytest.raises(StoreUnavailable, match="unable to open"), sqlite_store.write() as connection:
            organisations.add(connection, FABRIKAM)
    assert not file.exists()
    aside.rename(file)
    assert ["contoso"] == _ids(sqlite_store)


def test_a_restored_database_file_is_used_from_the_next_request(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.close()
    backup = shutil.copy(_file(tmp_path), tmp_path / "backup")
    with sqlite_store.write() as connection:
        organisations.add(connection, CONTOSO)
    for log in tmp_path.glob("provisioner.sqlite3-*"):
        log.unlink()
    Path(backup).rename(_file(tmp_path))
    assert [] == _ids(sqlite_store)


@contextmanager
def _read_only(file: Path) -> Iterator[None]:
    """As root nothing is read-only, but SQLite heeds its header (File Format, section 1.3.3: write version)."""
    with file.open("r+b") as database:
        database.seek(18)
        database.write(b"\x03")
    yield
    with file.open("r+b") as database:
        database.seek(18)
        database.write(b"\x02")


def test_a_read_only_database_is_read_and_every_write_fails(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.close()
    with _read_only(_file(tmp_path)):
        assert [] == _ids(sqlite_store)
        with pytest.raises(StoreUnavailable, match="readonly"), sqlite_store.write() as connection:
            organisations.add(connection, CONTOSO)
        with pytest.raises(StoreUnavailable, match="readonly") as failure:
            sqlite_store.require_writable()
        assert "read-only" == failure.value.reason
        sqlite_store.close()
    with sqlite_store.write() as connection:
        organisations.add(connection, CONTOSO)
    assert ["contoso"] == _ids(sqlite_store)


def test_a_file_that_is_no_database_stops_the_start_with_its_name(tmp_path: Path) -> None:
    _file(tmp_path).write_bytes(b"this is a letter to the editor, " * 200)
    with pytest.raises(StoreUnavailable, match=r"provisioner\.sqlite3.*not a database"):
        Store.open(sqlite_url(tmp_path)).upgrade()


def test_a_file_that_turns_into_rubbish_is_a_failure_until_it_is_restored(sqlite_store: Store, tmp_path: Path) -> None:
    assert [] == _ids(sqlite_store)
    sqlite_store.close()
    good = _file(tmp_path).read_bytes()
    _file(tmp_path).write_bytes(b"this is a letter to the editor, " * 200)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="not a database"):
            _ids(sqlite_store)
    _file(tmp_path).write_bytes(good)
    assert [] == _ids(sqlite_store)


def test_a_directory_that_cannot_be_made_stops_the_start_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StoreUnavailable, match=r"data/provisioner\.sqlite3 cannot be opened"):
        Store.open(sqlite_url(tmp_path / "data")).upgrade()


def _record_for_ever(store: Store) -> None:
    while True:
        with store.write() as connection:
            _record(connection)


def _fill_the_disk(database_url: str) -> None:
    store = Store.open(database_url)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    with pytest.raises(StoreUnavailable):
        _record_for_ever(store)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with store.write() as connection:
        _record(connection, subject="after")


def test_a_full_disk_is_a_failure_until_there_is_room_again(sqlite_store: Store, tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_fill_the_disk, args=(sqlite_url(tmp_path),))
    process.start()
    process.join(60)
    assert 0 == process.exitcode
    with sqlite_store.read() as connection:
        last = select(tables.audit.c.subject).order_by(tables.audit.c.id.desc()).limit(1)
        assert "after" == connection.execute(last).scalar_one()
