"""The identity that signs profiles: a certificate with its key and its chain, checked once and then used as it is.

CMS SignedData (RFC 5652): content inside, one signer, SHA-256, signing time (RFC 5652 section 11.3), every
intermediate and not the root. Apple's installer knows RSA with PKCS #1 v1.5 and ECDSA; it knows no RSASSA-PSS and no
Ed25519 (libsecurity_smime, cryptohi.c).
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509 import BasicConstraints, Certificate, KeyUsage
from cryptography.x509.oid import PublicKeyAlgorithmOID

from provisioner.errors import IdentityNotInDate, IdentityUnusable
from provisioner.signing.certificate import extension, in_message, subject_name
from provisioner.signing.chain import Chain, ChainCertificate, PublicRoots, Trust, find_chain, read_roots
from provisioner.signing.files import read_files

SigningKey = RSAPrivateKey | EllipticCurvePrivateKey
MIN_RSA_BITS = 2048

# Binary: the content's bytes stay as they are (without it every line feed becomes CR LF). NoCapabilities: no S/MIME.
_OPTIONS = (PKCS7Options.Binary, PKCS7Options.NoCapabilities)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Identity:
    """A usable signing identity. Made by ``load_identity`` alone."""

    subject_name: str  # what a phone shows as the signer
    key_type: str  # "RSA 2048" or "P-256"
    not_before: datetime  # aware; from here to not_after every certificate of the chain is valid
    not_after: datetime
    trust: Trust
    certificates: tuple[ChainCertificate, ...]  # the signer first, the root last
    _key: SigningKey = field(repr=False)
    _chain: Chain = field(repr=False)

    def sign(self, content: bytes) -> bytes:
        """``content``, byte for byte, inside a CMS signature, as DER."""
        builder = PKCS7SignatureBuilder().set_data(content).add_signer(self._chain.signer, self._key, SHA256())
        for intermediate in self._chain.intermediates:
            builder = builder.add_certificate(intermediate)
        return builder.sign(Encoding.DER, _OPTIONS)

    def require_in_date(self, now: datetime) -> None:
        """Raise IdentityNotInDate, naming the certificate, where one is not valid at ``now``."""
        if now > self.not_after:
            first = min(self.certificates, key=lambda each: each.not_after)
            raise IdentityNotInDate(
                f"The certificate {in_message(first.name)!r} expired on {first.not_after:%Y-%m-%d %H:%M} UTC. Put a "
                "renewed one into the identity directory; the service takes it without a restart."
            )
        if now < self.not_before:
            last = max(self.certificates, key=lambda each: each.not_before)
            raise IdentityNotInDate(
                f"The certificate {in_message(last.name)!r} is not valid before {last.not_before:%Y-%m-%d %H:%M} UTC. "
                "Wait, or set this machine's clock."
            )


def load_identity(
    directory: Path,
    *,
    passphrase: str | None = None,
    trusted_roots: Path | None = None,
    now: datetime,
    public_roots: PublicRoots = PublicRoots(),  # noqa: B008  # frozen
) -> Identity:
    """The identity in ``directory``, with every check made: key, key usage, chain, dates at ``now`` (aware).

    ``trusted_roots`` is a PEM file of roots that are already on the organisation's devices. Raises NoIdentity,
    IdentityUnusable or IdentityNotInDate.
    """
    files = read_files(directory, passphrase=passphrase)
    key = _signing_key(files.key, files.certificate)
    _require_signer(files.certificate)
    chain = find_chain(files.certificate, files.others, read_roots(public_roots, trusted_roots), now=now)
    identity = Identity(
        subject_name=subject_name(chain.signer),
        key_type=_key_type(key),
        not_before=max(each.not_before for each in chain.certificates),
        not_after=min(each.not_after for each in chain.certificates),
        trust=chain.trust,
        certificates=chain.certificates,
        _key=key,
        _chain=chain,
    )
    identity.require_in_date(now)
    return identity


def _signing_key(key: PrivateKeyTypes, certificate: Certificate) -> SigningKey:
    for_pss_only = certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS
    if isinstance(key, RSAPrivateKey) and key.key_size >= MIN_RSA_BITS and not for_pss_only:
        return key
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    kind = "RSASSA-PSS" if for_pss_only else _key_type(key)
    raise IdentityUnusable(
        f"The signing key is {kind}, and phones are known to accept RSA of at least {MIN_RSA_BITS} bits (PKCS #1 v1.5) "
        "and P-256. Request a certificate with such a key."
    )


def _key_type(key: PrivateKeyTypes) -> str:
    match key:
        case RSAPrivateKey():
            return f"RSA {key.key_size}"
        case EllipticCurvePrivateKey():
            return "P-256" if isinstance(key.curve, SECP256R1) else key.curve.name
        case _:
            return type(key).__name__.removesuffix("PrivateKey")


def _require_signer(certificate: Certificate) -> None:
    name = in_message(subject_name(certificate))
    constraints = extension(certificate, BasicConstraints)
    if constraints is not None and constraints.ca:
        raise IdentityUnusable(
            f"The certificate {name!r} is an authority's (basicConstraints CA), and an authority's key is not for "
            "signing profiles. Let it issue a certificate for signing."
        )
    usage = extension(certificate, KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise IdentityUnusable(
            f"The certificate {name!r} may not be used for signatures: its key usage lacks digitalSignature. Request "
            "one that has it."
        )
