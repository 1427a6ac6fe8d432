"""The directory: served from memory, changed with its audit record, and fresh without being asked."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from provisioner.directory import Directory, Snapshot
from provisioner.errors import (
    AlreadyExists,
    ConfigurationError,
    InvalidDomain,
    InvalidSetting,
    ProvisionerError,
    StillInUse,
    StoreUnavailable,
    UnknownDomain,
    UnknownOrganisation,
    UnknownProvider,
)
from provisioner.links import Links
from provisioner.model import Account
from provisioner.organisation import AutodiscoverPolicy, Kind, Organisation, SignInUrls
from provisioner.store import Store, domains, sqlite_url, tables
from tests.samples import NOW, PROVIDERS, contoso_domain
from tests.stores import Clock

CONTOSO = Organisation(
    id="contoso", name="Contoso & Töchter", support_contact="help desk, 555-0100", consent_text="Yes?"
)
DOMAIN = replace(contoso_domain(), sign_in_urls=SignInUrls.ALWAYS, smtp_password=True)


class BreakableClock(Clock):
    """A clock that somebody has dropped."""

    broken = False
    asked_in_vain = 0

    def __call__(self) -> datetime:
        if self.broken:
            self.asked_in_vain += 1
            raise RuntimeError
        return super().__call__()


@pytest.fixture
def clock() -> BreakableClock:
    return BreakableClock(NOW)


@pytest.fixture
def directory(store: Store, clock: Clock) -> Directory:
    """An empty directory."""
    return Directory(store, PROVIDERS, clock=clock)


@pytest.fixture
def contoso(directory: Directory) -> Directory:
    """A directory with one organisation and its domain."""
    directory.add_organisation(CONTOSO, actor="admin")
    directory.add_domain(DOMAIN, actor="admin")
    return directory


@pytest.fixture
def links(store: Store, clock: Clock) -> Links:
    return Links(store, key=bytes(32), clock=clock)


def _trail(store: Store) -> list[tuple[str, str, str]]:
    columns = (tables.audit.c.actor, tables.audit.c.action, tables.audit.c.subject)
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(tables.audit.c.id))]


def _last_details(store: Store) -> object:
    with store.read() as connection:
        query = select(tables.audit.c.details).order_by(tables.audit.c.id.desc()).limit(1)
        return connection.execute(query).scalar_one()


# Organisations and domains


def test_a_new_directory_is_empty(directory: Directory) -> None:
    assert Snapshot(organisations={}, domains={}) == directory.snapshot()


def test_what_was_added_is_found_as_it_was_given(contoso: Directory, store: Store) -> None:
    for directory in (contoso, Directory(store, PROVIDERS, clock=Clock(NOW))):
        assert {"contoso": CONTOSO} == dict(directory.snapshot().organisations)
        assert {"contoso.example": DOMAIN} == dict(directory.snapshot().domains)
        assert CONTOSO == directory.snapshot().organisation("contoso")
        assert DOMAIN == directory.snapshot().domain("contoso.example")


def test_a_domain_is_found_in_any_spelling(contoso: Directory) -> None:
    assert DOMAIN == contoso.snapshot().domain("Contoso.Example.")


def test_what_is_not_configured_is_refused_by_name(contoso: Directory) -> None:
    with pytest.raises(UnknownDomain, match=r"fabrikam\.example"):
        contoso.snapshot().domain("fabrikam.example")
    with pytest.raises(UnknownDomain):
        contoso.snapshot().domain("sub.contoso.example")
    with pytest.raises(InvalidDomain):
        contoso.snapshot().domain("contoso")
    with pytest.raises(UnknownOrganisation, match="Did you mean 'contoso'"):
        contoso.snapshot().organisation("contosso")


def test_an_id_or_a_domain_that_is_taken_is_refused_and_nothing_is_overwritten(
    contoso: Directory, store: Store
) -> None:
    trail = _trail(store)
    with pytest.raises(AlreadyExists, match="'contoso' is there already"):
        contoso.add_organisation(Organisation(id="contoso", name="Somebody else"), actor="admin")
    with pytest.raises(AlreadyExists, match=r"contoso\.example is there already"):
        contoso.add_domain(contoso_domain("office365-dod"), actor="admin")
    assert CONTOSO == contoso.snapshot().organisation("contoso")
    assert DOMAIN == contoso.snapshot().domain("contoso.example")
    assert trail == _trail(store)


def test_a_domain_of_private_customers_is_refused_with_the_reason(contoso: Directory) -> None:
    with pytest.raises(InvalidSetting, match=r"outlook\.com belongs to the private customers of Outlook\.com"):
        contoso.add_domain(replace(DOMAIN, name="OUTLOOK.com."), actor="admin")


@pytest.mark.parametrize("name", ["sub.outlook.com", "a.b.hotmail.com"])
def test_a_domain_below_one_of_private_customers_is_refused_too(contoso: Directory, name: str) -> None:
    with pytest.raises(InvalidSetting, match=f"{name} belongs to the private customers"):
        contoso.add_domain(replace(DOMAIN, name=name), actor="admin")


def test_a_domain_that_only_ends_like_one_of_private_customers_is_taken(contoso: Directory) -> None:
    contoso.add_domain(replace(DOMAIN, name="myoutlook.com"), actor="admin")
    assert "myoutlook.com" in contoso.snapshot().domains


def test_a_domain_of_private_customers_that_an_older_version_took_cannot_be_changed(
    contoso: Directory, store: Store
) -> None:
    taken = replace(DOMAIN, name="hotmail.com")
    with store.write() as connection:
        domains.add(connection, taken)
    with pytest.raises(InvalidSetting, match="private customers"):
        contoso.change_domain(replace(taken, smtp_password=False), actor="admin")
    contoso.remove_domain("hotmail.com", actor="admin")


def test_a_provider_of_private_customers_is_refused_for_an_organisation(contoso: Directory) -> None:
    for give in (contoso.add_domain, contoso.change_domain):
        with pytest.raises(InvalidSetting, match=r"private customers; no organisation owns.*provisioner render"):
            give(replace(DOMAIN, provider_id="outlook-com"), actor="admin")
    assert DOMAIN == contoso.snapshot().domain("contoso.example")


def test_a_change_that_changes_nothing_leaves_no_trace(contoso: Directory, store: Store) -> None:
    trail = _trail(store)
    contoso.change_organisation(CONTOSO, actor="berta")
    contoso.change_domain(DOMAIN, actor="berta")
    assert trail == _trail(store)


def test_a_domain_needs_a_provider_and_an_organisation_that_exist(directory: Directory) -> None:
    with pytest.raises(UnknownOrganisation):
        directory.add_domain(DOMAIN, actor="admin")
    directory.add_organisation(CONTOSO, actor="admin")
    with pytest.raises(UnknownProvider, match="Did you mean 'office365'"):
        directory.add_domain(replace(DOMAIN, provider_id="ofice365"), actor="admin")
    directory.add_domain(DOMAIN, actor="admin")
    with pytest.raises(UnknownProvider):
        directory.change_domain(replace(DOMAIN, provider_id="google"), actor="admin")
    with pytest.raises(UnknownOrganisation):
        directory.change_domain(replace(DOMAIN, organisation_id="fabrikam"), actor="admin")
    assert DOMAIN == directory.snapshot().domain("contoso.example")


def test_a_change_replaces_the_settings_and_the_trail_says_what_they_were(contoso: Directory, store: Store) -> None:
    contoso.change_organisation(replace(CONTOSO, name="Contoso", consent_text=""), actor="berta")
    assert {"name": ["Contoso & Töchter", "Contoso"], "consent_text": ["Yes?", ""]} == _last_details(store)
    changed = replace(DOMAIN, autodiscover=AutodiscoverPolicy.REDIRECT, account_kinds=(Kind.EXCHANGE, Kind.IMAP))
    contoso.change_domain(changed, actor="berta")
    assert {
        "autodiscover": ["auto", "redirect"],
        "account_kinds": [["exchange", "imap", "pop"], ["exchange", "imap"]],
    } == _last_details(store)
    assert "Contoso" == contoso.snapshot().organisation("contoso").name
    assert changed == contoso.snapshot().domain("contoso.example")


def test_a_change_of_something_that_is_not_there_is_refused(directory: Directory, store: Store) -> None:
    with pytest.raises(UnknownOrganisation):
        directory.change_organisation(CONTOSO, actor="admin")
    with pytest.raises(UnknownDomain):
        directory.change_domain(DOMAIN, actor="admin")
    with pytest.raises(UnknownOrganisation):
        directory.remove_organisation("contoso\udcff\x00", actor="admin")
    with pytest.raises(UnknownDomain):
        directory.remove_domain("contoso.example", actor="admin")
    assert [] == _trail(store)


def test_every_change_stands_in_the_audit_trail_with_its_actor(contoso: Directory, store: Store) -> None:
    contoso.change_organisation(replace(CONTOSO, name="Contoso"), actor="berta")
    contoso.change_domain(contoso_domain(), actor="berta")
    contoso.remove_domain("Contoso.example", actor="carl")
    contoso.remove_organisation("contoso", actor="carl")
    assert [
        ("admin", "organisation.add", "contoso"),
        ("admin", "domain.add", "contoso.example"),
        ("berta", "organisation.change", "contoso"),
        ("berta", "domain.change", "contoso.example"),
        ("carl", "domain.remove", "contoso.example"),
        ("carl", "organisation.remove", "contoso"),
    ] == _trail(store)
    assert Snapshot(organisations={}, domains={}) == contoso.snapshot()


def test_nothing_changes_where_its_audit_record_cannot_be_written(contoso: Directory, store: Store) -> None:
    with store.write() as connection:
        tables.audit.drop(connection)
    with pytest.raises(StoreUnavailable):
        contoso.add_organisation(Organisation(id="fabrikam", name="Fabrikam"), actor="admin")
    with pytest.raises(StoreUnavailable):
        contoso.remove_domain("contoso.example", actor="admin")
    contoso.refresh()
    assert ["contoso"] == list(contoso.snapshot().organisations)
    assert ["contoso.example"] == list(contoso.snapshot().domains)


def test_an_organisation_is_not_removed_while_it_has_domains(contoso: Directory) -> None:
    contoso.add_domain(replace(DOMAIN, name="contoso.test"), actor="admin")
    with pytest.raises(StillInUse, match="still has 2 domains"):
        contoso.remove_organisation("contoso", actor="admin")
    contoso.remove_domain("contoso.test", actor="admin")
    with pytest.raises(StillInUse, match=r"still has 1 domain\."):
        contoso.remove_organisation("contoso", actor="admin")


def test_a_domain_is_not_removed_while_links_of_its_people_open(contoso: Directory, links: Links, clock: Clock) -> None:
    expiring = links.create(Account("anna@contoso.example"), lifetime=timedelta(days=1), devices=1, actor="admin")
    revoked = links.create(Account("berta@contoso.example"), lifetime=timedelta(days=2), devices=1, actor="admin")
    with pytest.raises(StillInUse, match=r"still has 2 open setup links.*link revoke --domain contoso\.example"):
        contoso.remove_domain("contoso.example", actor="admin")
    links.revoke(revoked.id, actor="admin")
    with pytest.raises(StillInUse, match="still has 1 open setup link"):
        contoso.remove_domain("contoso.example", actor="admin")
    clock.now = expiring.expires_at
    contoso.remove_domain("contoso.example", actor="admin")
    assert {} == dict(contoso.snapshot().domains)


def test_two_administrators_who_add_the_same_domain_at_once_add_it_once(store: Store) -> None:
    Directory(store, PROVIDERS, clock=Clock(NOW)).add_organisation(CONTOSO, actor="admin")
    outcomes: list[str] = []

    def add() -> None:
        try:
            Directory(store, PROVIDERS, clock=Clock(NOW)).add_domain(DOMAIN, actor="admin")
        except ProvisionerError as refusal:
            outcomes.append(type(refusal).__name__)
        else:
            outcomes.append("added")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ["AlreadyExists"] * 3 + ["added"] == sorted(outcomes)


# The snapshot


def test_a_snapshot_is_what_it_was_when_it_was_taken(contoso: Directory) -> None:
    before = contoso.snapshot()
    contoso.remove_domain("contoso.example", actor="admin")
    assert DOMAIN == before.domain("contoso.example")


def test_a_change_made_elsewhere_is_seen_after_a_refresh(contoso: Directory, store: Store) -> None:
    elsewhere = Directory(store, PROVIDERS, clock=Clock(NOW))
    elsewhere.remove_domain("contoso.example", actor="admin")
    assert ["contoso.example"] == list(contoso.snapshot().domains)
    contoso.refresh()
    assert [] == list(contoso.snapshot().domains)


def test_the_first_snapshot_needs_the_store(empty_database_url: str) -> None:
    with closing(Store.open(empty_database_url)) as store:
        directory = Directory(store, PROVIDERS, clock=Clock(NOW))
        with pytest.raises(StoreUnavailable):
            directory.snapshot()
        store.upgrade()
        assert {} == dict(directory.snapshot().domains)


@pytest.fixture
def on_sqlite(sqlite_store: Store, clock: Clock) -> Directory:
    """A directory in a SQLite file, with one organisation and its domain."""
    directory = Directory(sqlite_store, PROVIDERS, clock=clock)
    directory.add_organisation(CONTOSO, actor="admin")
    directory.add_domain(DOMAIN, actor="admin")
    return directory


def test_while_the_store_is_gone_the_last_snapshot_serves_and_one_line_says_so(
    on_sqlite: Directory, sqlite_store: Store, clock: Clock, tmp_path: Path
) -> None:
    assert on_sqlite.read_at() == NOW
    sqlite_store.close()
    file = tmp_path / "provisioner.sqlite3"
    file.rename(tmp_path / "aside")
    with capture_logs() as log:
        for _ in range(3):
            clock.turn(seconds=5)
            on_sqlite.refresh()
    assert ["store_unavailable", "directory_stale"] == [line["event"] for line in log]
    assert DOMAIN == on_sqlite.snapshot().domain("contoso.example")
    assert on_sqlite.read_at() == NOW
    (tmp_path / "aside").rename(file)
    with capture_logs() as log:
        on_sqlite.refresh()
        on_sqlite.refresh()
    assert ["store_available", "directory_fresh"] == [line["event"] for line in log]
    assert on_sqlite.read_at() == clock.now


# What cannot be served

FABRIKAM = replace(DOMAIN, name="fabrikam.example")

_FAULTS = [
    ("UPDATE organisations SET name = '' WHERE id = 'fabrikam'", "row 'fabrikam' of the table organisations"),
    (
        "UPDATE domains SET autodiscover = 'x' WHERE name = 'fabrikam.example'",
        "'fabrikam.example' of the table domains",
    ),
    ("UPDATE domains SET provider = 'x' WHERE name = 'fabrikam.example'", "fabrikam.example has the mail provider 'x'"),
]


@pytest.fixture
def both(contoso: Directory) -> Directory:
    """A directory with two organisations and a domain of each."""
    contoso.add_organisation(Organisation(id="fabrikam", name="Fabrikam"), actor="admin")
    contoso.add_domain(replace(FABRIKAM, organisation_id="fabrikam"), actor="admin")
    return contoso


@pytest.mark.parametrize(("deed", "told"), _FAULTS)
def test_what_cannot_be_served_leaves_the_last_snapshot_and_is_told_once(
    both: Directory, store: Store, clock: Clock, deed: str, told: str
) -> None:
    before = both.snapshot()
    _do(store, deed)
    with capture_logs() as log:
        for _ in range(3):
            clock.turn(seconds=2)
            both.refresh()
    (line,) = log
    assert ("directory_stale", "error") == (line["event"], line["log_level"])
    assert told in line["reason"]
    assert before == both.snapshot()
    assert both.read_at() == NOW
    _do(store, "UPDATE organisations SET name = 'Fabrikam' WHERE id = 'fabrikam'")
    _do(store, "UPDATE domains SET provider = 'office365', autodiscover = 'auto'")
    both.refresh()
    assert both.read_at() == clock.now


def _do(store: Store, deed: str) -> None:
    with store.write() as connection:
        connection.execute(text(deed))


@pytest.mark.parametrize(("deed", "told"), _FAULTS)
def test_a_process_that_starts_with_what_cannot_be_served_serves_the_rest(
    both: Directory, store: Store, deed: str, told: str
) -> None:
    both.check()
    _do(store, deed)
    new = Directory(store, PROVIDERS, clock=Clock(NOW))
    with capture_logs() as log:
        assert ["contoso.example"] == list(new.snapshot().domains)
    assert [True] == [told in line["reason"] for line in log]
    assert new.read_at() is None
    with pytest.raises(ConfigurationError, match=told):
        new.check()


def test_administrators_see_a_domain_that_cannot_be_served_and_can_mend_it(both: Directory, store: Store) -> None:
    _do(store, _FAULTS[2][0])
    mended = replace(both.read().domain("fabrikam.example"), provider_id="office365")
    both.change_domain(mended, actor="admin")
    assert mended == both.snapshot().domain("fabrikam.example")


# In the background


def _comes_true(claim: Callable[[], bool]) -> bool:
    """Whether ``claim`` comes true while a thread works in the background: within ten seconds, for slow machines."""
    pause = threading.Event()
    for _ in range(1000):
        if claim():
            return True
        pause.wait(0.01)
    return False


@pytest.fixture
def fresh(on_sqlite: Directory) -> Iterator[Directory]:
    """A directory that is kept fresh in the background."""
    on_sqlite.keep_fresh(timedelta(milliseconds=5))
    yield on_sqlite
    on_sqlite.close()


def test_a_running_service_sees_a_change_made_elsewhere_by_itself(fresh: Directory, sqlite_store: Store) -> None:
    Directory(sqlite_store, PROVIDERS, clock=Clock(NOW)).remove_domain("contoso.example", actor="admin")
    assert _comes_true(lambda: not fresh.snapshot().domains)


def test_the_refreshing_survives_a_store_that_is_gone_for_a_while(
    fresh: Directory, sqlite_store: Store, clock: Clock, tmp_path: Path
) -> None:
    sqlite_store.close()
    file = tmp_path / "provisioner.sqlite3"
    file.rename(tmp_path / "aside")
    clock.turn(seconds=1)
    assert DOMAIN == fresh.snapshot().domain("contoso.example")
    (tmp_path / "aside").rename(file)
    assert _comes_true(lambda: fresh.read_at() == clock.now)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_refreshing_survives_what_nobody_expected(
    fresh: Directory, sqlite_store: Store, clock: BreakableClock
) -> None:
    clock.broken = True
    assert _comes_true(lambda: clock.asked_in_vain > 2)
    clock.broken = False
    clock.turn(seconds=1)
    Directory(sqlite_store, PROVIDERS, clock=Clock(NOW)).remove_domain("contoso.example", actor="admin")
    assert _comes_true(lambda: not fresh.snapshot().domains and fresh.read_at() == clock.now)


def test_keeping_fresh_twice_is_keeping_fresh_once_and_closing_ends_it(on_sqlite: Directory) -> None:
    others = set(threading.enumerate())
    for _ in range(3):
        on_sqlite.keep_fresh(timedelta(milliseconds=5))
    assert ["directory"] == [thread.name for thread in threading.enumerate() if thread not in others]
    on_sqlite.close()
    assert _comes_true(lambda: others.issuperset(threading.enumerate()))


def _serve_in_a_fork(database_url: str, ready: Event) -> None:
    """As a server does that has kept the directory fresh before it forks; ends with 0 where the fork sees a change."""
    directory = Directory(Store.open(database_url), PROVIDERS, clock=Clock(NOW))
    directory.snapshot()
    directory.keep_fresh(timedelta(hours=1))  # its thread does nothing yet: a fork copies no lock that is held
    if worker := os.fork():
        os._exit(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
    directory.keep_fresh(timedelta(milliseconds=5))
    ready.set()
    os._exit(0 if _comes_true(lambda: not directory.snapshot().domains) else 1)


def test_a_forked_worker_keeps_its_own_snapshot_fresh(on_sqlite: Directory, tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    server = spawn.Process(target=_serve_in_a_fork, args=(sqlite_url(tmp_path), ready))
    server.start()
    assert ready.wait(60)
    on_sqlite.remove_domain("contoso.example", actor="admin")
    server.join(60)
    assert 0 == server.exitcode
