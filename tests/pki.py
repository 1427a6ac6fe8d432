"""Throw-away authorities, signers and identity directories for tests, and openssl as the judge of what they sign.

Nothing here is ever committed: every key is made when a test asks for it. Certificates are valid from 2020 to 2049
unless a test says otherwise, so that openssl, which reads the machine's clock, agrees with a test's fixed one.
"""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    CertificateBuilder,
    ExtensionType,
    KeyUsage,
    Name,
    NameAttribute,
    load_der_x509_certificate,
    random_serial_number,
)
from cryptography.x509.oid import NameOID

from provisioner.signing import Identity, PublicRoots, load_identity
from tests.capabilities import require_program

VALID_FROM = datetime(2020, 1, 1, tzinfo=UTC)
VALID_UNTIL = datetime(2049, 12, 31, tzinfo=UTC)

SIGNER = "Contoso mail setup"  # the signer's name where a test does not choose one
NO_PUBLIC_ROOTS = PublicRoots(bundle=Path("/nonexistent"), local_additions=Path("/nonexistent"))

_CA_USAGE = ("key_cert_sign", "crl_sign")
_SIGNER_USAGE = ("digital_signature",)


@cache
def rsa_key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """An RSA key, made once in a test run; another ``number`` is another key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def p256_key() -> ec.EllipticCurvePrivateKey:
    """A new P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_usage(*allowed: str) -> KeyUsage:
    """The key usage extension with only these uses, in cryptography's names."""
    every = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return KeyUsage(**{use: use in allowed for use in every})


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A certificate with its key and whoever issued it: an authority, or a signer at the end of a chain."""

    certificate: Certificate
    key: PrivateKeyTypes
    issuer: "Certified | None" = None

    @property
    def issuers(self) -> tuple[Certificate, ...]:
        """The certificates above this one, from its issuer to the root."""
        return () if self.issuer is None else (self.issuer.certificate, *self.issuer.issuers)

    @property
    def root(self) -> Certificate:
        """The self-signed certificate at the top."""
        return (self.certificate, *self.issuers)[-1]

    def issue(
        self,
        name: str,
        *,
        organisation: str = "",
        ca: bool = False,
        key: PrivateKeyTypes | None = None,
        not_before: datetime = VALID_FROM,
        not_after: datetime = VALID_UNTIL,
        extensions: Iterable[ExtensionType] | None = None,
    ) -> "Certified":
        """A certificate by this authority. ``extensions`` replaces the usual basic constraints and key usage."""
        own_key = key or p256_key()
        certificate = certify(
            _name(name, organisation),
            issuer=self.certificate.subject,
            issuer_key=self.key,
            key=own_key,
            period=(not_before, not_after),
            extensions=usual_extensions(ca=ca) if extensions is None else extensions,
        )
        return Certified(certificate=certificate, key=own_key, issuer=self)


def certify(
    subject: Name,
    *,
    issuer: Name,
    issuer_key: PrivateKeyTypes,
    key: PrivateKeyTypes,
    period: tuple[datetime, datetime],
    extensions: Iterable[ExtensionType],
) -> Certificate:
    """Any certificate at all, good or bad; ``period`` is its first and last second."""
    builder = (
        CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())  # type: ignore[arg-type]  # tests also certify keys that no certificate should have
        .serial_number(random_serial_number())
        .not_valid_before(period[0])
        .not_valid_after(period[1])
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(issuer_key, SHA256())  # type: ignore[arg-type]  # as above


def with_unreadable_name(certificate: Certificate, name: str) -> Certificate:
    """The certificate with ``name`` in it overwritten by bytes that are no text, which also breaks its signature."""
    encoded = certificate.public_bytes(Encoding.DER)
    return load_der_x509_certificate(encoded.replace(name.encode(), b"\xff" * len(name)))


def usual_extensions(*, ca: bool) -> tuple[ExtensionType, ...]:
    """What a certificate has: RFC 5280 basic constraints and key usage of an authority or of a signer."""
    return (
        BasicConstraints(ca=ca, path_length=None),
        key_usage(*(_CA_USAGE if ca else _SIGNER_USAGE)),
    )


def make_root(
    name: str = "Contoso test root",
    *,
    key: PrivateKeyTypes | None = None,
    not_before: datetime = VALID_FROM,
    not_after: datetime = VALID_UNTIL,
    extensions: Iterable[ExtensionType] | None = None,
) -> Certified:
    """A self-signed authority."""
    own_key = key or p256_key()
    certificate = certify(
        _name(name),
        issuer=_name(name),
        issuer_key=own_key,
        key=own_key,
        period=(not_before, not_after),
        extensions=usual_extensions(ca=True) if extensions is None else extensions,
    )
    return Certified(certificate=certificate, key=own_key)


def make_signer(
    name: str = SIGNER,
    *,
    intermediates: int = 1,
    key: PrivateKeyTypes | None = None,
    not_before: datetime = VALID_FROM,
    not_after: datetime = VALID_UNTIL,
) -> Certified:
    """A signer under a new root and as many intermediates as asked for; its key is P-256 unless given."""
    authority = make_root()
    for number in range(intermediates):
        authority = authority.issue(f"Contoso test intermediate {number + 1}", ca=True)
    return authority.issue(name, key=key, not_before=not_before, not_after=not_after)


def certificates_pem(*certificates: Certificate) -> bytes:
    """The certificates one after the other, as PEM."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def key_pem(key: PrivateKeyTypes, *, passphrase: str | None = None) -> bytes:
    """The key as PKCS#8 PEM, encrypted where there is a passphrase."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption(passphrase))


def write_identity(directory: Path, signer: Certified, *, passphrase: str | None = None) -> Path:
    """``certificate.pem`` with every issuer and ``key.pem`` (0600) in ``directory``; returns the root's PEM file.

    The root's file lies beside the directory, as ``<directory>-root.pem``.
    """
    directory.mkdir(parents=True, exist_ok=True)
    replace_file(directory / "key.pem", key_pem(signer.key, passphrase=passphrase))
    replace_file(directory / "certificate.pem", certificates_pem(signer.certificate, *signer.issuers))
    return write_root(directory.with_name(f"{directory.name}-root.pem"), signer)


def write_pkcs12(
    directory: Path, signer: Certified, *, passphrase: str | None = None, with_issuers: bool = True
) -> Path:
    """``identity.p12`` with every issuer in ``directory``; returns the root's PEM file as write_identity does."""
    directory.mkdir(parents=True, exist_ok=True)
    key = signer.key
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    issuers = signer.issuers if with_issuers else ()
    content = pkcs12.serialize_key_and_certificates(
        b"signer", key, signer.certificate, issuers, _encryption(passphrase)
    )
    replace_file(directory / "identity.p12", content)
    return write_root(directory.with_name(f"{directory.name}-root.pem"), signer)


def rsa_pss_identity(directory: Path) -> None:
    """A signing certificate whose key is for RSASSA-PSS alone, made by openssl, since cryptography makes none."""
    openssl = require_program("openssl", package="openssl", binaries=["openssl"])
    make = [openssl, "req", "-x509", "-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048", "-nodes"]
    files = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "certificate.pem")]
    subprocess.run([*make, *files, "-subj", "/CN=PSS", "-days", "3650"], capture_output=True, check=True)


def write_root(path: Path, signer: Certified) -> Path:
    """The signer's root as a PEM file; returns ``path``."""
    path.write_bytes(certificates_pem(signer.root))
    return path


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` there in one step, readable by its owner alone, as careful renewal tools do."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(content)
    fresh.replace(path)


def load_without_public_roots(
    directory: Path,
    *,
    passphrase: str | None = None,
    trusted_roots: Path | None = None,
    now: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
) -> Identity:
    """``load_identity``, whatever public roots the machine that runs the tests knows."""
    return load_identity(
        directory,
        passphrase=passphrase,
        trusted_roots=trusted_roots,
        now=now,
        public_roots=NO_PUBLIC_ROOTS,
    )


def content_openssl_verified(signed: bytes, *, root: Path) -> bytes:
    """The content of a CMS message in DER whose signature and chain up to ``root`` ``openssl cms`` accepts.

    Skips the test where openssl is not installed; raises AssertionError with openssl's words where it refuses.
    """
    openssl = require_program("openssl", package="openssl", binaries=["openssl"])
    verify = [openssl, "cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any"]
    only_this_root = ["-CAfile", str(root), "-no-CApath", "-no-CAstore"]
    answer = subprocess.run([*verify, *only_this_root], input=signed, capture_output=True, check=False)
    assert answer.returncode == 0, answer.stderr.decode(errors="replace")
    return answer.stdout


def _name(common_name: str, organisation: str = "") -> Name:
    parts = {NameOID.COMMON_NAME: common_name, NameOID.ORGANIZATION_NAME: organisation}
    return Name([NameAttribute(part, text) for part, text in parts.items() if text])


def _encryption(passphrase: str | None) -> KeySerializationEncryption:
    return BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
