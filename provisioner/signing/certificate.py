"""What we ask of a single certificate: its name for people, what it may be used for, and who really issued it.

RFC 5280: section 4.1.2.6 (subject), 4.2.1.3 (key usage), 4.2.1.9 (basic constraints).
"""

import re
from typing import TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import (
    Certificate,
    DuplicateExtension,
    ExtensionNotFound,
    ExtensionType,
    load_pem_x509_certificates,
)
from cryptography.x509.oid import NameOID

from provisioner.errors import IdentityUnusable

_Extension = TypeVar("_Extension", bound=ExtensionType)
_LOCAL_PART = re.compile(r"[^\s@=,]+@")


def subject_name(certificate: Certificate) -> str:
    """The name that a phone shows: common name, else organisation, else all there is; unprintable characters as �."""
    subject = certificate.subject
    for part in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in subject.get_attributes_for_oid(part):
            return _shown(str(attribute.value))
    return _shown(subject.rfc4514_string()) or "without a name"


def issuer_name(certificate: Certificate) -> str:
    """The issuer's whole name, for somebody who has to find that certificate."""
    return in_message(_shown(certificate.issuer.rfc4514_string()) or "without a name")


def in_message(name: str) -> str:
    """``name`` for an error message or a log line: an e-mail address in it keeps only its domain."""
    return _LOCAL_PART.sub("…@", name)


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def extension(certificate: Certificate, kind: type[_Extension]) -> _Extension | None:
    """The certificate's extension of this kind, None where it has none. Raises IdentityUnusable if it is malformed."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except ExtensionNotFound:
        return None
    except (ValueError, DuplicateExtension) as reason:
        raise IdentityUnusable(
            f"The certificate {in_message(subject_name(certificate))!r} holds a malformed extension: {reason}. Ask its "
            "issuer for another one."
        ) from None


def is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether ``issuer`` has the issuer's name and its key really made the signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def read_certificates(content: bytes, *, file: str) -> list[Certificate]:
    """Every certificate of a PEM file. Raises IdentityUnusable naming ``file`` where one is damaged or cut off."""
    try:
        certificates = load_pem_x509_certificates(content)
    except ValueError:
        certificates = []
    readable = [certificate for certificate in certificates if _has_readable_names(certificate)]
    if not readable or len(readable) < content.count(b"-----BEGIN CERTIFICATE-----"):  # a cut off end is skipped
        raise IdentityUnusable(
            f"{file} should hold certificates as PEM (-----BEGIN CERTIFICATE-----), and it is empty, damaged, cut off "
            "or in another form. Copy it again."
        )
    return readable


def _has_readable_names(certificate: Certificate) -> bool:
    """Whether subject and issuer are texts; a certificate is loaded before its names are."""
    try:
        subject_name(certificate)
        issuer_name(certificate)
    except ValueError:
        return False
    return True
