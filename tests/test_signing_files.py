"""Reading an identity directory: whatever an administrator puts there is used, or refused with one clear sentence."""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, pkcs12
from cryptography.x509 import load_der_x509_certificate

from provisioner.errors import IdentityError, NoIdentity
from provisioner.signing import Identity, exposed_secrets
from tests.pki import (
    SIGNER,
    Certified,
    certificates_pem,
    content_openssl_verified,
    key_pem,
    load_without_public_roots,
    make_root,
    make_signer,
    p256_key,
    replace_file,
    rsa_key,
    with_unreadable_name,
    write_identity,
    write_pkcs12,
)

SECRET = "correct horse"
_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")  # RFC 5480: id-ecPublicKey
_NO_KNOWN_KEY = bytes.fromhex("06072a8648ce3d027f")


class Write(Protocol):
    """One of the ways in which an identity can lie in its directory."""

    def __call__(self, directory: Path, signer: Certified, *, passphrase: str) -> Path: ...


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "identity"
    path.mkdir()
    return path


@pytest.fixture
def signer() -> Certified:
    return make_signer("Contoso mail setup")


def _refusal(directory: Path, *, passphrase: str | None = None) -> str:
    with pytest.raises(IdentityError) as refusal:
        load_without_public_roots(directory, passphrase=passphrase)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def _verifies(identity: Identity, root: Path) -> bool:
    return b"content" == content_openssl_verified(identity.sign(b"content"), root=root)


# What is there


def test_a_missing_directory_is_no_identity_and_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NoIdentity, match=r"expected certificate\.pem and key\.pem.*identity create-demo"):
        load_without_public_roots(tmp_path / "missing")


def test_an_empty_directory_is_no_identity(directory: Path) -> None:
    with pytest.raises(NoIdentity, match="There is no signing identity in"):
        load_without_public_roots(directory)


def test_a_key_that_waits_for_its_certificate_is_no_identity_yet(directory: Path, signer: Certified) -> None:
    replace_file(directory / "key.pem", key_pem(signer.key))
    with pytest.raises(NoIdentity):
        load_without_public_roots(directory)


def test_a_certificate_without_its_key_is_refused(directory: Path, signer: Certified) -> None:
    replace_file(directory / "certificate.pem", certificates_pem(signer.certificate, *signer.issuers))
    assert "its private key key.pem is missing" in _refusal(directory)


def test_pem_and_pkcs12_together_are_refused_as_ambiguous(directory: Path, signer: Certified) -> None:
    write_identity(directory, signer)
    write_pkcs12(directory, signer)
    assert "holds both identity.p12 and PEM files" in _refusal(directory)


def test_a_file_that_cannot_be_read_is_named(directory: Path, signer: Certified) -> None:
    write_identity(directory, signer)
    (directory / "key.pem").unlink()
    (directory / "key.pem").mkdir()
    assert "key.pem cannot be read: Is a directory" in _refusal(directory)


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "identity").touch()
    assert "cannot be read: Not a directory" in _refusal(tmp_path / "identity")


# PEM


@pytest.mark.parametrize("chain_file", [True, False])
def test_the_chain_may_follow_the_certificate_or_lie_beside_it(
    directory: Path, signer: Certified, *, chain_file: bool
) -> None:
    root = write_identity(directory, signer)
    if chain_file:
        replace_file(directory / "certificate.pem", certificates_pem(signer.certificate))
        replace_file(directory / "chain.pem", certificates_pem(*signer.issuers))
    assert _verifies(load_without_public_roots(directory), root)


def test_the_order_of_the_certificates_does_not_matter(directory: Path, signer: Certified) -> None:
    root = write_identity(directory, signer)
    replace_file(directory / "certificate.pem", certificates_pem(*reversed((signer.certificate, *signer.issuers))))
    assert _verifies(load_without_public_roots(directory), root)


def test_unrelated_certificates_stay_out_of_the_signature(directory: Path, signer: Certified) -> None:
    write_identity(directory, signer)
    expected = len(load_without_public_roots(directory).sign(b""))
    stranger = make_signer("Somebody else")
    replace_file(directory / "chain.pem", certificates_pem(stranger.certificate, *stranger.issuers))
    assert abs(expected - len(load_without_public_roots(directory).sign(b""))) < 4  # an ECDSA signature's length varies


def test_a_certificate_with_an_unheard_of_kind_of_key_is_passed_over(directory: Path, signer: Certified) -> None:
    write_identity(directory, signer)
    encoded = make_root().certificate.public_bytes(Encoding.DER).replace(_EC_PUBLIC_KEY, _NO_KNOWN_KEY)
    strange = load_der_x509_certificate(encoded)
    replace_file(directory / "certificate.pem", certificates_pem(strange, signer.certificate, *signer.issuers))
    assert SIGNER == load_without_public_roots(directory).subject_name


def test_a_key_that_belongs_to_another_certificate_is_refused(directory: Path, signer: Certified) -> None:
    write_identity(directory, signer)
    replace_file(directory / "key.pem", key_pem(p256_key()))
    assert "belongs to none of the certificates" in _refusal(directory)


@pytest.mark.parametrize("file", ["certificate.pem", "chain.pem"])
@pytest.mark.parametrize("kept", [0, 200, -30])
def test_a_damaged_or_cut_off_certificate_file_is_named(
    directory: Path, signer: Certified, file: str, kept: int
) -> None:
    write_identity(directory, signer)
    replace_file(directory / file, certificates_pem(signer.certificate, *signer.issuers)[:kept])
    assert _refusal(directory).startswith(f"{file} should hold certificates as PEM")


def test_a_certificate_whose_name_is_no_text_is_refused(directory: Path, signer: Certified) -> None:
    unreadable = replace(signer, certificate=with_unreadable_name(signer.certificate, SIGNER))
    write_identity(directory, unreadable)
    assert _refusal(directory).startswith("certificate.pem should hold certificates as PEM")
    (directory / "certificate.pem").unlink()
    (directory / "key.pem").unlink()
    write_pkcs12(directory, unreadable)
    assert "or it is damaged" in _refusal(directory)


def test_a_certificate_in_der_is_refused(directory: Path, signer: Certified) -> None:
    write_identity(directory, signer)
    replace_file(directory / "certificate.pem", signer.certificate.public_bytes(Encoding.DER))
    assert "or in another form" in _refusal(directory)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN ", b"\x00\xff"])
def test_a_damaged_key_is_refused(directory: Path, signer: Certified, content: bytes) -> None:
    write_identity(directory, signer)
    replace_file(directory / "key.pem", content)
    assert "key.pem cannot be opened: it is damaged" in _refusal(directory)


# Passphrases


@pytest.mark.parametrize("write", [write_identity, write_pkcs12])
def test_the_passphrase_comes_from_the_caller_or_from_its_file(
    directory: Path, signer: Certified, write: Write
) -> None:
    root = write(directory, signer, passphrase=SECRET)
    assert _verifies(load_without_public_roots(directory, passphrase=SECRET), root)
    (directory / "passphrase.txt").write_text(f"{SECRET}\r\n")
    assert _verifies(load_without_public_roots(directory), root)


def test_the_callers_passphrase_goes_before_the_file(directory: Path, signer: Certified) -> None:
    write_identity(directory, signer, passphrase=SECRET)
    (directory / "passphrase.txt").write_text("an older one")
    assert SIGNER == load_without_public_roots(directory, passphrase=SECRET).subject_name


def test_a_traditionally_encrypted_key_is_read(directory: Path, signer: Certified) -> None:
    write_identity(directory, signer)
    encrypted = signer.key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(SECRET.encode())
    )
    replace_file(directory / "key.pem", encrypted)
    assert SIGNER == load_without_public_roots(directory, passphrase=SECRET).subject_name
    assert "key.pem is encrypted, and there is no passphrase" in _refusal(directory)


def test_a_passphrase_that_is_not_needed_does_no_harm(directory: Path, signer: Certified) -> None:
    write_identity(directory, signer)
    (directory / "passphrase.txt").write_text("\n")
    assert SIGNER == load_without_public_roots(directory).subject_name
    assert SIGNER == load_without_public_roots(directory, passphrase=SECRET).subject_name


def test_a_wrong_or_missing_passphrase_is_told_and_not_repeated(directory: Path, signer: Certified) -> None:
    write_identity(directory, signer, passphrase=SECRET)
    assert "key.pem is encrypted, and there is no passphrase" in _refusal(directory)
    wrong = _refusal(directory, passphrase="battery staple")
    assert "key.pem cannot be opened: the passphrase is wrong" in wrong
    assert "battery" not in wrong


# PKCS#12


def test_a_pkcs12_file_with_its_chain_signs(directory: Path) -> None:
    root = write_pkcs12(directory, make_signer(key=rsa_key(), intermediates=2), passphrase=SECRET)
    assert _verifies(load_without_public_roots(directory, passphrase=SECRET), root)


def test_a_pkcs12_file_may_have_its_chain_beside_it(directory: Path, signer: Certified) -> None:
    write_pkcs12(directory, signer, with_issuers=False)
    assert "incomplete" in _refusal(directory)
    replace_file(directory / "chain.pem", certificates_pem(*signer.issuers))
    assert SIGNER == load_without_public_roots(directory).subject_name


def test_a_pkcs12_file_that_cannot_be_opened_says_why(directory: Path, signer: Certified) -> None:
    write_pkcs12(directory, signer, passphrase=SECRET)
    assert "there is no passphrase in passphrase.txt" in _refusal(directory)
    assert "identity.p12 cannot be opened: the passphrase is wrong" in _refusal(directory, passphrase="wrong")
    content = (directory / "identity.p12").read_bytes()
    replace_file(directory / "identity.p12", content[:500])
    assert "damaged" in _refusal(directory, passphrase=SECRET)


def test_a_pkcs12_file_without_a_key_or_without_its_certificate_is_refused(directory: Path, signer: Certified) -> None:
    encryption = BestAvailableEncryption(SECRET.encode())
    certificates = (signer.certificate, *signer.issuers)
    only_certificates = pkcs12.serialize_key_and_certificates(None, None, None, certificates, encryption)
    replace_file(directory / "identity.p12", only_certificates)
    assert "holds no private key" in _refusal(directory, passphrase=SECRET)
    assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
    only_key = pkcs12.serialize_key_and_certificates(None, signer.key, None, None, encryption)
    replace_file(directory / "identity.p12", only_key)
    assert "belongs to none of the certificates" in _refusal(directory, passphrase=SECRET)


# Permissions


def test_secret_files_that_everybody_can_read_are_named(directory: Path, signer: Certified) -> None:
    write_identity(directory, signer)
    assert () == exposed_secrets(directory)
    (directory / "key.pem").chmod(0o640)
    assert () == exposed_secrets(directory)
    (directory / "key.pem").chmod(0o644)
    (directory / "passphrase.txt").touch(mode=0o644)
    assert ("key.pem", "passphrase.txt") == exposed_secrets(directory)
