"""``provisioner identity``: an administrator learns before anybody's phone whether and how profiles are signed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner.cli import main
from provisioner.cli.identity import trust_sentence
from provisioner.signing import Trust
from tests.pki import (
    SIGNER,
    content_openssl_verified,
    load_without_public_roots,
    make_signer,
    replace_file,
    write_identity,
)

DAY = timedelta(days=1)

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs ``provisioner identity`` with the data directory in ``tmp_path``."""

    def run(*arguments: str, **environ: str) -> Result:
        where = {"PROVISIONER_DATA_DIR": str(tmp_path), **environ}
        return CliRunner().invoke(main, ["identity", *arguments], env=where)

    return run


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "identity"


# check


def test_check_says_that_all_is_well_and_what_a_phone_shows_and_why(run: Run, directory: Path) -> None:
    write_identity(directory, make_signer())
    result = run("check")
    assert 0 == result.exit_code
    assert f"Profiles can be signed by {SIGNER} until 2049-12-31 00:00 UTC." in result.stdout
    assert "A phone shows: Not Verified. The chain ends in 'Contoso test root'" in result.stdout
    assert "Warning" not in result.stdout


@pytest.mark.parametrize("by_option", [True, False])
def test_check_knows_the_roots_that_the_organisations_devices_trust(
    run: Run, directory: Path, *, by_option: bool
) -> None:
    root = str(write_identity(directory, make_signer()))
    result = run("check", "--trusted-roots", root) if by_option else run("check", PROVISIONER_TRUSTED_ROOTS=root)
    assert 0 == result.exit_code
    assert "A phone shows: Verified where 'Contoso test root' is installed and trusted" in result.stdout


def test_check_is_a_finding_where_there_is_no_identity(run: Run, directory: Path) -> None:
    result = run("check")
    assert 1 == result.exit_code
    assert result.stdout.startswith(f"Nothing can be signed. There is no signing identity in {directory}:")


def test_check_is_a_finding_where_the_certificate_expired(run: Run, directory: Path) -> None:
    write_identity(directory, make_signer(not_after=datetime(2026, 1, 1, tzinfo=UTC)))
    result = run("check")
    assert 1 == result.exit_code
    assert "'Contoso mail setup' expired on 2026-01-01 00:00 UTC" in result.stdout


@pytest.mark.parametrize(("days", "warned"), [(20, True), (22, False)])
def test_check_warns_three_weeks_before_the_end(run: Run, directory: Path, days: int, *, warned: bool) -> None:
    write_identity(directory, make_signer(not_after=datetime.now(UTC) + (days + 0.5) * DAY))
    result = run("check")
    assert 0 == result.exit_code
    assert warned == (f"Warning: 'Contoso mail setup' expires in {days} days" in result.stdout)


def test_check_warns_of_a_key_that_everybody_can_read(run: Run, directory: Path) -> None:
    write_identity(directory, make_signer())
    (directory / "key.pem").chmod(0o644)
    result = run("check")
    assert 0 == result.exit_code
    assert "Warning: Every user of this machine can read key.pem; restrict it with 'chmod 600" in result.stdout


def test_check_writes_nothing_but_json_when_asked(run: Run, directory: Path) -> None:
    missing = run("check", "--json")
    assert 1 == missing.exit_code
    assert {"usable": False, "kind": "NoIdentity"}.items() <= json.loads(missing.stdout).items()
    root = write_identity(directory, make_signer())
    found = run("check", "--json", "--trusted-roots", str(root))
    assert 0 == found.exit_code
    answer = json.loads(found.stdout)
    assert {"usable": True, "trust": "organisation", "warnings": []}.items() <= answer.items()
    assert answer["phone_shows"].startswith("Verified where 'Contoso test root'")


def test_the_passphrase_comes_from_the_settings(run: Run, directory: Path, tmp_path: Path) -> None:
    write_identity(directory, make_signer(), passphrase="correct horse")
    assert 1 == run("check").exit_code
    replace_file(tmp_path / "secret", b"correct horse\n")
    assert 0 == run("check", PROVISIONER_IDENTITY_PASSPHRASE_FILE=str(tmp_path / "secret")).exit_code


@pytest.mark.parametrize(("trust", "shown"), [(Trust.PUBLIC, "Verified. "), (Trust.UNKNOWN, "Not Verified. ")])
def test_the_sentence_about_phones_follows_from_the_root(directory: Path, trust: Trust, shown: str) -> None:
    write_identity(directory, make_signer())
    sentence = trust_sentence(replace(load_without_public_roots(directory), trust=trust))
    assert sentence.startswith(f"{shown}The chain ends in 'Contoso test root', ")


# show


def test_show_prints_the_signer_and_the_chain_with_its_dates(run: Run, directory: Path) -> None:
    write_identity(directory, make_signer())
    result = run("show")
    assert 0 == result.exit_code
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "signer Contoso mail setup" in lines
    assert "key P-256" in lines
    assert "trust unknown" in lines
    assert "Contoso test intermediate 1 2020-01-01 2049-12-31" in lines
    assert "Contoso test root 2020-01-01 2049-12-31" in lines


def test_show_as_json_names_every_certificate(run: Run, directory: Path) -> None:
    write_identity(directory, make_signer())
    answer = json.loads(run("show", "--json").stdout)
    assert [SIGNER, "Contoso test intermediate 1", "Contoso test root"] == [each["name"] for each in answer["chain"]]
    assert "2049-12-31T00:00:00+00:00" == answer["not_after"]
    assert (datetime(2049, 12, 31, tzinfo=UTC) - datetime.now(UTC)).days == answer["days_left"]


def test_show_says_in_one_line_why_there_is_nothing_to_show(run: Run, tmp_path: Path) -> None:
    result = run("show", "--identity", str(tmp_path / "elsewhere"))
    assert (1, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith(f"Error: There is no signing identity in {tmp_path / 'elsewhere'}")
    assert 1 == result.stderr.count("\n")


# create-demo


def test_create_demo_makes_an_identity_that_check_accepts(run: Run, directory: Path) -> None:
    made = run("create-demo", "--json", "--organisation", "Contoso")
    assert 0 == made.exit_code
    answer = json.loads(made.stdout)
    assert str(directory) == answer["directory"]
    assert "A phone shows: Not Verified. The chain ends in 'Provisioner demo CA'" in run("check").stdout
    identity = load_without_public_roots(directory, now=datetime.now(UTC))
    assert "Contoso (demo)" == identity.subject_name
    assert b"content" == content_openssl_verified(identity.sign(b"content"), root=Path(answer["ca_certificate"]))


def test_create_demo_says_what_a_phone_will_show(run: Run, tmp_path: Path) -> None:
    result = run("create-demo", "--identity", str(tmp_path / "certs"))
    assert 0 == result.exit_code
    assert f"Its authority's certificate is {tmp_path / 'certs' / 'ca.pem'}." in result.stdout
    assert "profiles show Not Verified until" in result.stdout


def test_create_demo_leaves_an_identity_alone_that_is_there(run: Run, directory: Path) -> None:
    write_identity(directory, make_signer())
    result = run("create-demo")
    assert 1 == result.exit_code
    assert "holds certificate.pem already" in result.stderr
    assert SIGNER == load_without_public_roots(directory).subject_name


def test_create_demo_refuses_a_name_that_no_certificate_holds(run: Run) -> None:
    result = run("create-demo", "--organisation", " ")
    assert 2 == result.exit_code
    assert "The organisation name is empty" in result.stderr


def test_create_demo_says_why_it_cannot_write(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("create-demo", "--identity", str(tmp_path / "file" / "identity"))
    assert 1 == result.exit_code
    assert "could not be written into" in result.stderr
