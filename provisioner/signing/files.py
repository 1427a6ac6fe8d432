"""The files of an identity directory: a certificate and its key, as PEM files or as one PKCS#12 file.

``certificate.pem`` (the signer, may be followed by its chain), ``key.pem`` (PKCS#8 or traditional PEM, RFC 7468) and,
where there is one, ``chain.pem``; or ``identity.p12`` (PKCS#12, RFC 7292). A passphrase stands in ``passphrase.txt``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_IROTH

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509 import Certificate

from provisioner.errors import IdentityUnusable, NoIdentity
from provisioner.signing.certificate import read_certificates

CERTIFICATE = "certificate.pem"
KEY = "key.pem"
CHAIN = "chain.pem"
PKCS12 = "identity.p12"
PASSPHRASE = "passphrase.txt"  # noqa: S105  # a file's name
FILES = (CERTIFICATE, KEY, CHAIN, PKCS12, PASSPHRASE)


@dataclass(frozen=True, slots=True)
class KeyAndCertificates:
    """What the files hold: one private key, the certificate that belongs to it, and every other certificate."""

    key: PrivateKeyTypes
    certificate: Certificate
    others: tuple[Certificate, ...]


def exposed_secrets(directory: Path) -> tuple[str, ...]:
    """The names of secret files in ``directory`` that every user of this machine can read."""
    secrets = (directory / name for name in (KEY, PKCS12, PASSPHRASE))
    return tuple(path.name for path in secrets if path.is_file() and path.stat().st_mode & S_IROTH)


def read_files(directory: Path, *, passphrase: str | None) -> KeyAndCertificates:
    """Read the identity in ``directory``. ``passphrase`` goes before the one in the directory.

    Raises NoIdentity where there is none, and IdentityUnusable where a file is missing, unreadable, damaged or
    encrypted with another passphrase, or where no certificate belongs to the key.
    """
    found = _contents(directory)
    secret = _passphrase(found, passphrase)
    if PKCS12 in found and (CERTIFICATE in found or KEY in found):
        raise IdentityUnusable(
            f"{directory} holds both {PKCS12} and PEM files, and only one of them can be the identity. Take the other "
            "away."
        )
    if PKCS12 in found:
        key, own = _read_pkcs12(found[PKCS12], secret)
    elif CERTIFICATE in found:
        key = _read_key(found, secret)
        own = read_certificates(found[CERTIFICATE], file=CERTIFICATE)
    else:
        raise NoIdentity(
            f"There is no signing identity in {directory}: expected {CERTIFICATE} and {KEY}, or {PKCS12}. Put them "
            "there, or make one to try out with 'provisioner identity create-demo'."
        )
    chain = read_certificates(found[CHAIN], file=CHAIN) if CHAIN in found else []
    certificate = _belonging_to(key, own)
    others = dict.fromkeys(each for each in (*own, *chain) if each != certificate)
    return KeyAndCertificates(key, certificate, tuple(others))


def _contents(directory: Path) -> dict[str, bytes]:
    contents = {}
    for name in FILES:
        try:
            contents[name] = (directory / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as reason:
            raise IdentityUnusable(
                f"{directory / name} cannot be read: {reason.strerror}. The service's user needs to read it."
            ) from None
    return contents


def _passphrase(found: Mapping[str, bytes], given: str | None) -> bytes | None:
    if given is not None:
        return given.encode() or None
    return found.get(PASSPHRASE, b"").rstrip(b"\r\n") or None


def _read_key(found: Mapping[str, bytes], secret: bytes | None) -> PrivateKeyTypes:
    if KEY not in found:
        raise IdentityUnusable(f"{CERTIFICATE} is there, but its private key {KEY} is missing. Put it beside it.")
    content = found[KEY]
    encrypted = b"ENCRYPTED" in content  # in the label (PKCS#8) or in Proc-Type (RFC 1421)
    if encrypted and secret is None:
        raise IdentityUnusable(f"{KEY} is encrypted, and there is no passphrase. Write it into {PASSPHRASE} beside it.")
    try:
        return load_pem_private_key(content, secret if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        cause = "the passphrase is wrong, or it is damaged" if encrypted else "it is damaged, cut off or no PEM key"
        raise IdentityUnusable(f"{KEY} cannot be opened: {cause}. Check it with 'openssl pkey -in {KEY}'.") from None


def _read_pkcs12(content: bytes, secret: bytes | None) -> tuple[PrivateKeyTypes, list[Certificate]]:
    try:
        store = load_pkcs12(content, secret)
    except (ValueError, UnsupportedAlgorithm):
        cause = f"there is no passphrase in {PASSPHRASE}" if secret is None else "the passphrase is wrong"
        raise IdentityUnusable(
            f"{PKCS12} cannot be opened: {cause}, or it is damaged or oddly encrypted. Check it with 'openssl pkcs12 "
            f"-info -noout -in {PKCS12}'."
        ) from None
    if store.key is None:
        raise IdentityUnusable(f"{PKCS12} holds no private key. Export it again together with its key.")
    entries = [*([store.cert] if store.cert else []), *store.additional_certs]
    return store.key, [entry.certificate for entry in entries]


def _belonging_to(key: PrivateKeyTypes, certificates: list[Certificate]) -> Certificate:
    for certificate in certificates:
        if _has_key(certificate, key):
            return certificate
    raise IdentityUnusable(
        "The private key belongs to none of the certificates beside it. Put the key there that the certificate was "
        "requested with, or a certificate for this key."
    )


def _has_key(certificate: Certificate, key: PrivateKeyTypes) -> bool:
    try:
        return certificate.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False  # a kind of key that cryptography does not know is not the one it has just read
