"""A signing identity to try everything out with: its own small authority, made on the spot and named a demo.

Nobody's phone knows this authority, so a real phone shows Not Verified until its owner installs the authority's
certificate. The authority's keys are thrown away as soon as the signer's certificate is made.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    Certificate,
    CertificateBuilder,
    KeyUsage,
    Name,
    NameAttribute,
    SubjectKeyIdentifier,
    load_pem_x509_certificate,
    load_pem_x509_certificates,
    random_serial_number,
)
from cryptography.x509.oid import NameOID

from provisioner.errors import AlreadyExists
from provisioner.signing.certificate import subject_name
from provisioner.signing.files import CERTIFICATE, CHAIN, KEY, PKCS12

AUTHORITY = "ca.pem"
_FILES = (CERTIFICATE, KEY, CHAIN, AUTHORITY)
_AUTHORITY_NAME = "Provisioner demo CA"
LIFETIME = timedelta(days=365)
_CLOCK_SKEW = timedelta(hours=1)  # a phone's clock may be behind
_MAX_NAME = 64  # characters; X.520 ub-common-name and ub-organization-name

_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class _Issuer:
    name: Name
    key: _Key


def create_demo_identity(directory: Path, *, now: datetime, organisation: str) -> Path:
    """Make a demo identity in ``directory``, valid for a year from ``now``; returns the authority's PEM file there.

    The directory appears with all its files or not at all; in one that exists already the certificate comes last.
    Raises AlreadyExists where an identity is there, and OSError where the directory cannot be written.
    """
    for name in (*_FILES, PKCS12):
        if (directory / name).exists():
            raise _already_there(directory, name)
    is_new = not directory.exists()
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging = Path(mkdtemp(prefix=".demo-identity-", dir=directory.parent if is_new else directory))
    try:
        files = _demo_files(now=now, organisation=organisation)
        for name, content in files.items():
            _write(staging / name, content, mode=0o600 if name == KEY else 0o644)
        if is_new:
            staging.rename(directory)
        else:
            for name in files:
                (staging / name).rename(directory / name)
    finally:
        rmtree(staging, ignore_errors=True)
    return directory / AUTHORITY


def remove_demo_identity(directory: Path) -> bool:
    """Remove a demo identity's own files from ``directory``; False where another one is there, which stays as it is.

    Raises OSError where they cannot be removed.
    """
    if not _is_demo(directory):
        return False
    for name in _FILES:
        (directory / name).unlink()
    return True


def _is_demo(directory: Path) -> bool:
    """Whether the certificate was issued below a demo's authority, whose keys nobody has."""
    try:
        authority = load_pem_x509_certificate((directory / AUTHORITY).read_bytes())
        intermediate, root = load_pem_x509_certificates((directory / CHAIN).read_bytes())
        certificate = load_pem_x509_certificate((directory / CERTIFICATE).read_bytes())
        certificate.verify_directly_issued_by(intermediate)
        intermediate.verify_directly_issued_by(root)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    return root == authority and subject_name(authority) == _AUTHORITY_NAME


def _already_there(directory: Path, name: str) -> AlreadyExists:
    return AlreadyExists(
        f"{directory} holds {name} already, and a demo identity does not overwrite what is there. Use it, take it "
        "away, or choose another directory."
    )


def _write(path: Path, content: bytes, *, mode: int) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:  # noqa: PTH123
        file.write(content)


def _demo_files(*, now: datetime, organisation: str) -> dict[str, bytes]:
    """Name and content of every file, in the order in which they may appear."""
    period = (now - _CLOCK_SKEW, now + LIFETIME)
    root_key, intermediate_key = _authority_key(), _authority_key()
    signer_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    root = _Issuer(_name(_AUTHORITY_NAME, "Provisioner demo"), root_key)
    intermediate = _Issuer(_name("Provisioner demo intermediate CA", "Provisioner demo"), intermediate_key)
    signer = _name(f"{organisation[: _MAX_NAME - 7]} (demo)", organisation[:_MAX_NAME])
    root_certificate = _certify(root.name, root_key, root, period, path_length=1)
    intermediate_certificate = _certify(intermediate.name, intermediate_key, root, period, path_length=0)
    certificate = _certify(signer, signer_key, intermediate, period)
    return {
        AUTHORITY: _pem(root_certificate),
        CHAIN: _pem(intermediate_certificate) + _pem(root_certificate),
        KEY: signer_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        CERTIFICATE: _pem(certificate),
    }


def _authority_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(certificate: Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _name(common_name: str, organisation: str) -> Name:
    return Name(
        [NameAttribute(NameOID.COMMON_NAME, common_name), NameAttribute(NameOID.ORGANIZATION_NAME, organisation)]
    )


def _certify(
    subject: Name, key: _Key, issuer: _Issuer, period: tuple[datetime, datetime], *, path_length: int | None = None
) -> Certificate:
    """A certificate by ``issuer``: an authority's where there is a path length, else a signer's (RFC 5280, 4.2.1)."""
    is_authority = path_length is not None
    usage = KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.name)
        .public_key(key.public_key())
        .serial_number(random_serial_number())
        .not_valid_before(period[0])
        .not_valid_after(period[1])
        .add_extension(BasicConstraints(ca=is_authority, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
        .sign(issuer.key, SHA256())
    )
