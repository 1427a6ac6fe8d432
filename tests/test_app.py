"""The pieces put together: what is ready, what is not, and that a broken store stops no process from starting."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from provisioner import app
from provisioner.app import Services, build, clock, create_app, database_url, require_public_url, templates
from provisioner.config import Settings
from provisioner.errors import ConfigurationError, UnknownDomain
from provisioner.formats import find_format
from provisioner.model import Account
from provisioner.organisation import Domain, Organisation
from provisioner.signing import create_demo_identity
from provisioner.store import sqlite_url
from provisioner.store.tables import audit

ANNA = Account("anna@contoso.example")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", public_url="https://setup.contoso.example")


@pytest.fixture
def services(settings: Settings) -> Services:
    built = build(settings)
    built.store.upgrade()
    return built


def test_the_store_is_sqlite_in_the_data_directory_unless_it_is_set(settings: Settings) -> None:
    assert sqlite_url(settings.data_dir) == database_url(settings)
    assert "sqlite:////x" == database_url(Settings.model_validate({"database_url": "sqlite:////x"}))


def test_everything_is_ready_with_a_store_and_an_identity(services: Services) -> None:
    create_demo_identity(services.settings.identity_dir, now=clock(), organisation="Contoso")
    assert {"store": "ok", "directory": "ok", "identity": "ok"} == services.ready()


def test_what_is_not_ready_is_told_in_a_word_that_names_no_path(services: Services) -> None:
    assert "missing" == services.ready()["identity"]
    services.settings.identity_dir.mkdir()
    (services.settings.identity_dir / "certificate.pem").write_text("x")
    assert "unusable" == services.ready()["identity"]
    _database(services).unlink()
    services.directory.refresh()
    later = replace(services, clock=lambda: clock() + timedelta(seconds=11))
    assert {"store": "unavailable", "directory": "stale", "identity": "unusable"} == later.ready()


def _database(services: Services) -> Path:
    return services.settings.data_dir / "provisioner.sqlite3"


def test_a_directory_is_fresh_for_a_few_seconds_after_it_was_read(services: Services) -> None:
    assert "ok" == services.ready()["directory"]
    later = replace(services, clock=lambda: clock() + timedelta(seconds=11))  # nobody has refreshed it meanwhile
    assert "stale" == later.ready()["directory"]
    later.directory.refresh()
    assert "ok" == services.ready()["directory"]


def test_a_directory_that_was_never_read_is_not_ready(settings: Settings) -> None:
    assert "stale" == build(settings).ready()["directory"]


def test_a_store_that_answers_readers_only_is_told_as_such(services: Services) -> None:
    with closing(sqlite3.connect(_database(services), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "locked" == services.ready()["store"]
        other.execute("ROLLBACK")
    assert "ok" == services.ready()["store"]
    services.store.close()
    with _database(services).open("r+b") as file:
        file.seek(18)
        file.write(b"\x03")  # the file format's mark for read-only: as root, permissions are none
    assert "read-only" == services.ready()["store"]


def test_while_new_identity_files_are_refused_it_is_told_that_the_last_good_one_signs(services: Services) -> None:
    directory = services.settings.identity_dir
    create_demo_identity(directory, now=clock(), organisation="Contoso")
    assert "ok" == services.ready()["identity"]
    (directory / "key.pem").write_text("junk")
    assert "ok, but new files are refused: the last good identity is in use" == services.ready()["identity"]


def test_a_store_whose_tables_are_not_there_yet_is_not_ready(settings: Settings) -> None:
    built = build(settings)
    built.store._database.prepare()  # as if another process were about to upgrade it
    assert "not upgraded" == built.ready()["store"]


def test_an_expired_identity_is_not_ready(services: Services) -> None:
    create_demo_identity(services.settings.identity_dir, now=clock().replace(year=2001), organisation="Contoso")
    assert "not in date" == services.ready()["identity"]


def test_each_signature_has_its_row_in_the_audit_trail(services: Services) -> None:
    create_demo_identity(services.settings.identity_dir, now=clock(), organisation="Contoso")
    services.directory.add_organisation(Organisation("contoso", "Contoso"), actor="test")
    services.directory.add_domain(Domain("contoso.example", "contoso", "office365"), actor="test")
    services.provisioner.issue(ANNA, find_format("ios-exchange"))
    with services.store.read() as connection:
        row = connection.execute(select(audit).where(audit.c.action == "profile.sign")).one()
    assert "service" == row.actor
    assert {"format": "ios-exchange", "domain": "contoso.example", "signer": "Contoso (demo)"} == row.details
    assert "anna" not in str(row)


def test_nothing_is_signed_for_a_domain_that_is_not_ours(services: Services) -> None:
    with pytest.raises(UnknownDomain):
        services.provisioner.draft(ANNA, find_format("ios-exchange"))


def test_a_service_without_a_public_url_does_not_start(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="There is no public URL"):
        require_public_url(Settings(data_dir=settings.data_dir))
    with pytest.raises(ConfigurationError, match="There is no public URL"):
        create_app(Settings(data_dir=settings.data_dir))


def test_a_worker_starts_while_the_store_is_down_and_says_so(settings: Settings) -> None:
    web = create_app(settings)  # nothing has made the store
    browser = web.test_client()
    assert 200 == browser.get("/healthz").status_code
    assert 503 == browser.get("/readyz").status_code
    link = browser.get(f"/s/{'a' * 26}", base_url=settings.public_url)
    assert 503 == link.status_code
    assert "Retry-After" in link.headers


def test_the_templates_are_where_the_product_is() -> None:
    assert (templates() / "base.html").is_file()
    assert templates() in (Path(app.__file__).parent / "templates", Path(app.__file__).parents[1] / "templates")
