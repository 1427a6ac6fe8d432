"""The throw-away identity: it works at once, says what it is, and never takes the place of a real one."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates

from provisioner.errors import AlreadyExists
from provisioner.signing import Trust, create_demo_identity, exposed_secrets
from tests.pki import content_openssl_verified, key_pem, load_without_public_roots, p256_key

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ORGANISATION = "Contoso & Töchter"


def test_a_demo_identity_signs_what_openssl_verifies_against_its_authority(tmp_path: Path) -> None:
    # Judged by openssl at the machine's own time, so it is made at that time.
    now = datetime.now(UTC)
    authority = create_demo_identity(tmp_path / "identity", now=now, organisation=ORGANISATION)
    identity = load_without_public_roots(tmp_path / "identity", now=now)
    assert b"content" == content_openssl_verified(identity.sign(b"content"), root=authority)


def test_its_names_say_that_it_is_a_demo_and_it_lasts_a_year(tmp_path: Path) -> None:
    create_demo_identity(tmp_path / "identity", now=NOW, organisation=ORGANISATION)
    identity = load_without_public_roots(tmp_path / "identity", now=NOW)
    names = [each.name for each in identity.certificates]
    assert ["Contoso & Töchter (demo)", "Provisioner demo intermediate CA", "Provisioner demo CA"] == names
    assert (NOW - timedelta(hours=1), NOW + timedelta(days=365)) == (identity.not_before, identity.not_after)
    assert ("RSA 2048", Trust.UNKNOWN) == (identity.key_type, identity.trust)


def test_the_authoritys_file_makes_it_trusted(tmp_path: Path) -> None:
    authority = create_demo_identity(tmp_path / "identity", now=NOW, organisation=ORGANISATION)
    identity = load_without_public_roots(tmp_path / "identity", now=NOW, trusted_roots=authority)
    assert Trust.ORGANISATION is identity.trust


def test_only_the_signers_key_is_kept_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    directory = tmp_path / "identity"
    authority = create_demo_identity(directory, now=NOW, organisation=ORGANISATION)
    assert ["ca.pem", "certificate.pem", "chain.pem", "key.pem"] == sorted(path.name for path in directory.iterdir())
    assert 0o600 == (directory / "key.pem").stat().st_mode & 0o777
    assert () == exposed_secrets(directory)
    assert [True, False, False, False] == [b"PRIVATE" in path.read_bytes() for path in _key_first(directory)]
    root = load_pem_x509_certificate(authority.read_bytes())
    assert root == load_pem_x509_certificates((directory / "chain.pem").read_bytes())[-1]


def test_it_goes_into_a_directory_that_is_there_already(tmp_path: Path) -> None:
    (tmp_path / "README.md").touch()
    create_demo_identity(tmp_path, now=NOW, organisation=ORGANISATION)
    assert "RSA 2048" == load_without_public_roots(tmp_path, now=NOW).key_type
    assert ["README.md", "ca.pem", "certificate.pem", "chain.pem", "key.pem"] == sorted(
        path.name for path in tmp_path.iterdir()
    )


def test_the_directories_it_makes_are_nobody_elses(tmp_path: Path) -> None:
    create_demo_identity(tmp_path / "data" / "identity", now=NOW, organisation=ORGANISATION)
    for made in (tmp_path / "data", tmp_path / "data" / "identity"):
        assert 0o700 == made.stat().st_mode & 0o777


@pytest.mark.parametrize("name", ["certificate.pem", "key.pem", "chain.pem", "identity.p12", "ca.pem"])
def test_it_does_not_overwrite_anything(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(key_pem(p256_key()))
    before = (tmp_path / name).read_bytes()
    with pytest.raises(AlreadyExists, match=f"holds {name} already"):
        create_demo_identity(tmp_path, now=NOW, organisation=ORGANISATION)
    assert before == (tmp_path / name).read_bytes()
    assert [name] == [path.name for path in tmp_path.iterdir()]


def test_a_long_organisation_name_is_cut_to_what_a_certificate_holds(tmp_path: Path) -> None:
    create_demo_identity(tmp_path / "identity", now=NOW, organisation="x" * 100)
    assert "x" * 57 + " (demo)" == load_without_public_roots(tmp_path / "identity", now=NOW).subject_name


def test_a_directory_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="File exists"):
        create_demo_identity(tmp_path / "file" / "identity", now=NOW, organisation=ORGANISATION)
    assert ["file"] == [path.name for path in tmp_path.iterdir()]


def test_a_killed_process_leaves_a_whole_identity_or_none(tmp_path: Path) -> None:
    make_many = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from provisioner.signing import create_demo_identity\n"
        "for number in range(1000):\n"
        "    where = Path(sys.argv[1], str(number))\n"
        "    create_demo_identity(where, now=datetime(2026, 11, 23, tzinfo=UTC), organisation='Contoso')\n"
        "    print(number, flush=True)\n"
    )
    command = [sys.executable, "-c", make_many, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as maker:
        assert maker.stdout is not None
        assert b"0\n" == maker.stdout.readline()
        maker.send_signal(signal.SIGKILL)
    made = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    assert made
    assert {"Contoso (demo)"} == {load_without_public_roots(path, now=NOW).subject_name for path in made}


def _key_first(directory: Path) -> list[Path]:
    return sorted(directory.iterdir(), key=lambda path: (path.name != "key.pem", path.name))
