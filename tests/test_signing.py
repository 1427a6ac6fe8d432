"""The signature on a profile, judged by openssl: one flipped byte or a missing certificate, and a phone refuses it."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.signing import Identity
from tests.capabilities import require_program
from tests.pki import (
    Certified,
    content_openssl_verified,
    load_without_public_roots,
    make_signer,
    p256_key,
    rsa_key,
    write_identity,
)

PROFILE = b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">\n<dict/>\n</plist>\n'


@pytest.fixture(scope="module")
def signer() -> Certified:
    return make_signer("Contoso mail setup", intermediates=1)


@pytest.fixture(scope="module")
def directory(signer: Certified, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An identity directory; its root lies beside it."""
    path = tmp_path_factory.mktemp("signing") / "identity"
    write_identity(path, signer)
    return path


@pytest.fixture(scope="module")
def identity(directory: Path) -> Identity:
    return load_without_public_roots(directory)


@pytest.mark.parametrize("intermediates", [0, 1, 2])
@pytest.mark.parametrize("key_type", ["RSA 2048", "RSA 3072", "P-256"])
def test_openssl_verifies_what_every_kind_of_key_and_chain_signs(
    tmp_path: Path, key_type: str, intermediates: int
) -> None:
    key = p256_key() if key_type == "P-256" else rsa_key(int(key_type[4:]))
    root = write_identity(tmp_path / "identity", make_signer(intermediates=intermediates, key=key))
    identity = load_without_public_roots(tmp_path / "identity")
    assert PROFILE == content_openssl_verified(identity.sign(PROFILE), root=root)
    assert key_type == identity.key_type


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | st.text("\r\n ab", max_size=40).map(str.encode))
def test_the_content_comes_out_byte_for_byte(identity: Identity, directory: Path, content: bytes) -> None:
    root = directory.with_name("identity-root.pem")
    assert content == content_openssl_verified(identity.sign(content), root=root)


def test_a_changed_byte_of_content_is_noticed(identity: Identity, directory: Path) -> None:
    changed = identity.sign(PROFILE).replace(b"plist", b"qlist", 1)
    with pytest.raises(AssertionError, match="CMS Verification failure"):
        content_openssl_verified(changed, root=directory.with_name("identity-root.pem"))


def test_every_intermediate_travels_along_and_the_root_stays_out(tmp_path: Path) -> None:
    signer = make_signer(intermediates=2)
    write_identity(tmp_path / "identity", signer)
    sent = load_der_pkcs7_certificates(load_without_public_roots(tmp_path / "identity").sign(PROFILE))
    assert {signer.certificate, *signer.issuers[:2]} == set(sent)
    assert 3 == len(sent)


def test_there_is_one_signer_with_sha_256_and_a_signing_time_and_no_smime_capabilities(identity: Identity) -> None:
    printed = _printed(identity.sign(PROFILE))
    signer_info = printed.partition("signerInfos:")[2]
    assert 1 == signer_info.count("digestAlgorithm:")
    assert "sha256" in signer_info.partition("digestAlgorithm:")[2].partition("signedAttrs:")[0]
    assert 1 == printed.count("object: signingTime")
    assert "S/MIME Capabilities" not in printed
    assert "eContentType: pkcs7-data" in printed


def test_the_signing_time_is_now(identity: Identity) -> None:
    printed = _printed(identity.sign(PROFILE))
    stated = printed.partition("object: signingTime")[2].partition("UTCTIME:")[2].splitlines()[0]
    signed_at = datetime.strptime(stated, "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - signed_at) < timedelta(minutes=5)


def test_the_signature_is_raw_der_of_definite_length(identity: Identity) -> None:
    signed = identity.sign(PROFILE)
    assert b"\x30\x82" == signed[:2]  # BER's indefinite length would be 30 80, which Apple's own profiles never use
    assert len(signed) == 4 + int.from_bytes(signed[2:4])


def test_an_identity_shows_no_key_when_it_is_printed(identity: Identity) -> None:
    assert "PrivateKey" not in repr(identity)
    assert "PrivateKey" not in repr(replace(identity, subject_name="Other"))


def _printed(signed: bytes) -> str:
    openssl = require_program("openssl", package="openssl", binaries=["openssl"])
    command = [openssl, "cms", "-cmsout", "-print", "-inform", "DER"]
    return subprocess.run(command, input=signed, capture_output=True, check=True).stdout.decode()
