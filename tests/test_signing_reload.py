"""The identity while the service runs: renewals are taken at once, mistakes are not, and nothing expired ever signs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates
from structlog.testing import capture_logs

from provisioner.errors import IdentityNotInDate, IdentityUnusable, NoIdentity
from provisioner.signing import IdentityFiles, Trust
from tests.pki import (
    NO_PUBLIC_ROOTS,
    SIGNER,
    certificates_pem,
    content_openssl_verified,
    key_pem,
    make_root,
    make_signer,
    replace_file,
    write_identity,
    write_root,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "identity"


@pytest.fixture
def files(directory: Path, clock: Clock) -> IdentityFiles:
    return IdentityFiles(directory, clock=clock, public_roots=NO_PUBLIC_ROOTS)


# Renewal


def test_the_key_is_read_once_while_nothing_changes(files: IdentityFiles, directory: Path, clock: Clock) -> None:
    write_identity(directory, make_signer())
    first = files.current()
    clock.now += DAY
    assert first is files.current()


def test_a_renewed_identity_is_taken_without_a_restart(files: IdentityFiles, directory: Path) -> None:
    write_identity(directory, make_signer("Before"))
    assert "Before" == files.current().subject_name
    write_identity(directory, make_signer("After"))
    assert "After" == files.current().subject_name


def test_an_identity_that_arrives_later_is_taken(files: IdentityFiles, directory: Path) -> None:
    with pytest.raises(NoIdentity):
        files.current()
    write_identity(directory, make_signer())
    assert SIGNER == files.current().subject_name


def test_roots_that_are_named_as_trusted_later_change_the_trust(directory: Path, clock: Clock) -> None:
    signer = make_signer()
    write_identity(directory, signer)
    trusted = write_root(directory.with_name("trusted.pem"), make_root())
    files = IdentityFiles(directory, clock=clock, trusted_roots=trusted, public_roots=NO_PUBLIC_ROOTS)
    assert Trust.UNKNOWN is files.current().trust
    write_root(trusted, signer)
    assert Trust.ORGANISATION is files.current().trust


# Mistakes


def test_files_that_are_replaced_one_after_the_other_never_break_the_service(
    files: IdentityFiles, directory: Path
) -> None:
    write_identity(directory, make_signer("Before"))
    before, after = files.current(), make_signer("After")
    replace_file(directory / "certificate.pem", certificates_pem(after.certificate, *after.issuers))
    assert before is files.current()
    assert "belongs to none of the certificates" in str(files.problem())
    replace_file(directory / "key.pem", key_pem(after.key))
    assert "After" == files.current().subject_name
    assert files.problem() is None


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nMII"], ids=["empty", "cut off"])
def test_the_last_good_identity_stays_when_the_new_one_is_bad(
    files: IdentityFiles, directory: Path, clock: Clock, content: bytes
) -> None:
    write_identity(directory, make_signer())
    good = files.current()
    replace_file(directory / "certificate.pem", content)
    for _ in range(3):
        assert good is files.current()
        clock.now += MINUTE


def test_a_bad_change_is_logged_once_however_often_somebody_asks(
    files: IdentityFiles, directory: Path, clock: Clock
) -> None:
    write_identity(directory, make_signer())
    files.current()
    replace_file(directory / "key.pem", b"junk")
    with capture_logs() as logs:
        for _ in range(5):
            files.current()
            clock.now += MINUTE
    (event,) = logs
    assert ("identity_refused", "error", True) == (event["event"], event["log_level"], event["keeps_last_good"])
    assert "key.pem cannot be opened" in event["reason"]


def test_without_a_good_identity_each_caller_is_told_why(files: IdentityFiles, directory: Path) -> None:
    write_identity(directory, make_signer())
    replace_file(directory / "key.pem", b"junk")
    with pytest.raises(IdentityUnusable) as first:
        files.current()
    with pytest.raises(IdentityUnusable) as second:
        files.current()
    assert str(first.value) == str(second.value)
    assert first.value is not second.value  # a shared exception would collect every caller's traceback


def test_a_file_that_becomes_readable_is_noticed_although_its_content_is_as_before(
    files: IdentityFiles, directory: Path
) -> None:
    signer = make_signer()
    write_identity(directory, signer)
    (directory / "key.pem").rename(directory / "elsewhere.pem")
    with pytest.raises(IdentityUnusable, match=r"key\.pem is missing"):
        files.current()
    (directory / "key.pem").symlink_to("elsewhere.pem")
    assert SIGNER == files.current().subject_name


def test_a_secret_that_everybody_can_read_is_logged(files: IdentityFiles, directory: Path) -> None:
    write_identity(directory, make_signer())
    (directory / "key.pem").chmod(0o644)
    with capture_logs() as logs:
        files.current()
    assert ["identity_loaded", "identity_readable_by_every_user"] == [event["event"] for event in logs]
    assert "key.pem" == logs[1]["files"]


# Removal


def _remove(directory: Path) -> None:
    for file in directory.iterdir():
        file.unlink()


def test_an_identity_that_was_taken_away_stops_signing_within_seconds(
    files: IdentityFiles, directory: Path, clock: Clock
) -> None:
    write_identity(directory, make_signer())
    good = files.current()
    _remove(directory)
    with capture_logs() as logs:
        for _ in range(5):
            assert good is files.current()
            assert isinstance(files.problem(), NoIdentity)
            clock.now += SECOND
        for _ in range(5):
            with pytest.raises(NoIdentity, match="There is no signing identity"):
                files.current()
            clock.now += MINUTE
    assert [("identity_refused", True), ("identity_refused", False)] == [
        (event["event"], event["keeps_last_good"]) for event in logs
    ]
    write_identity(directory, make_signer("After"))
    assert "After" == files.current().subject_name


def test_a_replacement_with_a_moment_of_nothing_does_not_interrupt(
    files: IdentityFiles, directory: Path, clock: Clock
) -> None:
    write_identity(directory, make_signer("Before"))
    before = files.current()
    for name in ("Between", "After"):
        _remove(directory)
        for _ in range(4):
            assert before is files.current()
            clock.now += SECOND
        write_identity(directory, make_signer(name))
        assert name == files.current().subject_name
        before = files.current()


def test_an_identity_that_was_taken_away_does_not_come_back_with_bad_files(
    files: IdentityFiles, directory: Path, clock: Clock
) -> None:
    write_identity(directory, make_signer())
    files.current()
    _remove(directory)
    files.current()
    clock.now += MINUTE
    (directory / "certificate.pem").write_bytes(b"junk")
    with pytest.raises(IdentityUnusable):
        files.current()


def test_a_clock_that_is_set_back_does_not_let_a_removed_identity_sign_on(
    files: IdentityFiles, directory: Path, clock: Clock
) -> None:
    write_identity(directory, make_signer(not_before=NOW - DAY))
    files.current()
    _remove(directory)
    files.current()
    clock.now -= MINUTE
    with pytest.raises(NoIdentity):
        files.current()


# Dates


def test_an_identity_stops_signing_the_moment_it_expires(files: IdentityFiles, directory: Path, clock: Clock) -> None:
    write_identity(directory, make_signer(not_after=NOW + DAY))
    clock.now = NOW + DAY
    assert SIGNER == files.current().subject_name
    clock.now += timedelta(seconds=1)
    with pytest.raises(IdentityNotInDate, match=r"expired on 2026-11-24 09:00 UTC\. Put a renewed one"):
        files.current()


def test_an_expiry_is_logged_once(files: IdentityFiles, directory: Path, clock: Clock) -> None:
    write_identity(directory, make_signer(not_after=NOW + DAY))
    files.current()
    clock.now += 2 * DAY
    with capture_logs() as logs:
        for _ in range(5):
            with pytest.raises(IdentityNotInDate):
                files.current()
            clock.now += MINUTE
    assert ["identity_refused"] == [event["event"] for event in logs]


def test_an_expired_identity_is_not_kept_and_the_newer_files_fault_is_told_too(
    files: IdentityFiles, directory: Path, clock: Clock
) -> None:
    write_identity(directory, make_signer(not_after=NOW + DAY))
    files.current()
    replace_file(directory / "key.pem", b"junk")
    assert SIGNER == files.current().subject_name
    clock.now += 2 * DAY
    with pytest.raises(IdentityNotInDate, match=r"expired on 2026-11-24.*The files there now are not used: key\.pem"):
        files.current()


def test_a_renewal_that_is_not_valid_yet_is_taken_when_it_is(
    files: IdentityFiles, directory: Path, clock: Clock
) -> None:
    write_identity(directory, make_signer("Before"))
    files.current()
    write_identity(directory, make_signer("After", not_before=NOW + MINUTE))
    assert "Before" == files.current().subject_name
    clock.now = NOW + MINUTE
    assert "After" == files.current().subject_name


def test_a_certificate_from_the_future_is_used_once_its_time_has_come(
    files: IdentityFiles, directory: Path, clock: Clock
) -> None:
    write_identity(directory, make_signer(not_before=NOW + DAY))
    with pytest.raises(IdentityNotInDate, match="is not valid before 2026-11-24"):
        files.current()
    clock.now += DAY
    assert SIGNER == files.current().subject_name


def test_a_clock_that_is_set_back_before_the_certificate_stops_the_signing(
    files: IdentityFiles, directory: Path, clock: Clock
) -> None:
    write_identity(directory, make_signer(not_before=NOW))
    files.current()
    clock.now -= DAY
    with pytest.raises(IdentityNotInDate, match="is not valid before"):
        files.current()


# Threads


def test_fifty_renewals_under_load_lose_nothing_and_never_mix_two_identities(
    files: IdentityFiles, directory: Path, tmp_path: Path
) -> None:
    signers = [make_signer(f"Signer {number}") for number in range(2)]
    write_identity(directory, signers[0])
    finished = Event()

    def sign_until_finished() -> list[bytes]:
        signed = []
        while not finished.is_set():
            signed.append(files.current().sign(b"content"))
        return signed

    with ThreadPoolExecutor(4) as threads:
        work = [threads.submit(sign_until_finished) for _ in range(4)]
        for number in range(50):
            write_identity(directory, signers[number % 2])
            files.current()
        finished.set()
        signed = [message for thread in work for message in thread.result()]
    by_certificate = {signer.certificate: signer for signer in signers}
    seen = {}
    for message in signed:
        certificates = load_der_pkcs7_certificates(message)
        signer = next(by_certificate[each] for each in certificates if each in by_certificate)
        assert {signer.certificate, signer.issuers[0]} == set(certificates)
        seen[signer.certificate] = message
    for certificate, message in seen.items():
        root = write_root(tmp_path / "root.pem", by_certificate[certificate])
        assert b"content" == content_openssl_verified(message, root=root)
    assert 2 == len(seen)
