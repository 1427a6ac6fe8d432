"""What a signing certificate and its key must be, and how its name is told: phones refuse what we would let pass."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509 import BasicConstraints, UnrecognizedExtension

from provisioner.errors import IdentityUnusable
from tests.pki import (
    SIGNER,
    key_usage,
    load_without_public_roots,
    make_root,
    make_signer,
    rsa_key,
    rsa_pss_identity,
    write_identity,
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "identity"
    path.mkdir()
    return path


def _refusal(directory: Path) -> str:
    with pytest.raises(IdentityUnusable) as refusal:
        load_without_public_roots(directory)
    return str(refusal.value)


# Keys and usages


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (rsa_key(1024), "RSA 1024"),
        (ec.generate_private_key(ec.SECP384R1()), "secp384r1"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        (dsa.generate_private_key(2048), "DSA"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_key_that_phones_are_not_known_to_accept_is_refused_by_name(
    directory: Path, key: PrivateKeyTypes, kind: str
) -> None:
    write_identity(directory, make_signer(key=key))
    assert _refusal(directory).startswith(f"The signing key is {kind}, and phones are known to accept RSA")


def test_a_certificate_for_rsassa_pss_alone_is_refused(directory: Path) -> None:
    rsa_pss_identity(directory)
    assert "The signing key is RSASSA-PSS" in _refusal(directory)


def test_an_authority_does_not_sign_profiles(directory: Path) -> None:
    write_identity(directory, make_root().issue("Contoso CA", ca=True))
    assert "is an authority's (basicConstraints CA)" in _refusal(directory)


def test_a_self_signed_certificate_is_refused(directory: Path) -> None:
    write_identity(directory, make_root("Contoso alone", extensions=[]))
    assert "'Contoso alone' is self-signed" in _refusal(directory)


def test_key_usage_must_allow_signatures_where_it_is_stated(directory: Path) -> None:
    write_identity(directory, make_root().issue("Contoso", extensions=[key_usage("key_encipherment")]))
    assert "its key usage lacks digitalSignature" in _refusal(directory)
    write_identity(directory, make_root().issue(SIGNER, extensions=[]))
    assert SIGNER == load_without_public_roots(directory).subject_name


def test_a_malformed_extension_is_refused(directory: Path) -> None:
    junk = UnrecognizedExtension(BasicConstraints.oid, b"junk")
    write_identity(directory, make_root().issue("Contoso", extensions=[junk]))
    assert "'Contoso' holds a malformed extension" in _refusal(directory)


# Names


def test_an_address_in_a_certificates_name_is_not_told(directory: Path) -> None:
    write_identity(directory, make_root().issue("anna@contoso.example", ca=True))
    refusal = _refusal(directory)
    assert "'…@contoso.example'" in refusal
    assert "anna" not in refusal


def test_an_organisation_stands_in_for_a_missing_common_name(directory: Path) -> None:
    write_identity(directory, make_root().issue("", organisation="Contoso GmbH"))
    assert "Contoso GmbH" == load_without_public_roots(directory).subject_name
    write_identity(directory, make_root().issue(""))
    assert "without a name" == load_without_public_roots(directory).subject_name


def test_unprintable_characters_in_a_name_do_not_reach_a_terminal(directory: Path) -> None:
    write_identity(directory, make_root().issue("Contoso\x1b[31m\u202e"))
    assert "Contoso\ufffd[31m\ufffd" == load_without_public_roots(directory).subject_name
