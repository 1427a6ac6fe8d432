"""From the signing certificate up to a root: who vouches for it, and whose phones believe that.

Path building as in RFC 5280 section 6.1, without policies: Apple's profile installer needs every intermediate and a
root that the phone trusts. cryptography's own path verifier serves TLS alone and refuses the policy constraints that
government authorities mark critical, so issuers are followed here by their signatures.
"""

from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from re import DOTALL
from re import compile as pattern

from cryptography.x509 import BasicConstraints, Certificate, KeyUsage, load_der_x509_certificate

from provisioner.errors import IdentityUnusable
from provisioner.signing.certificate import (
    extension,
    in_message,
    is_issued_by,
    issuer_name,
    read_certificates,
    subject_name,
)

_LONGEST = 8  # certificates below a root; public chains have two or three
_PEM = pattern(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", DOTALL)


class Trust(Enum):
    """Whose phones trust the chain's root, and so show a profile as Verified."""

    PUBLIC = "public"  # a root of Debian's ca-certificates: every phone
    ORGANISATION = "organisation"  # a root the organisation has installed on its own devices
    UNKNOWN = "unknown"  # nobody's, as far as we know: a phone shows Not Verified


_MOST_TRUSTED_FIRST = tuple(Trust)


@dataclass(frozen=True, slots=True)
class PublicRoots:
    """Where this machine keeps the roots that everybody knows. No file: no root is public."""

    bundle: Path = Path("/etc/ssl/certs/ca-certificates.crt")
    # update-ca-certificates(8) mixes these into the bundle, but only this machine knows them, no phone does.
    local_additions: Path = Path("/usr/local/share/ca-certificates")


@dataclass(frozen=True, slots=True)
class ChainCertificate:
    """One certificate of a chain, for people: its name, and the first and last moment it is valid (UTC)."""

    name: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Chain:
    """The signer's certificate, its intermediates from the signer upwards, and the root they end in."""

    signer: Certificate
    intermediates: tuple[Certificate, ...]
    root: Certificate
    trust: Trust

    @property
    def certificates(self) -> tuple[ChainCertificate, ...]:
        """All of them for people, the signer first and the root last."""
        return tuple(
            ChainCertificate(subject_name(each), each.not_valid_before_utc, each.not_valid_after_utc)
            for each in (self.signer, *self.intermediates, self.root)
        )

    def is_in_date(self, now: datetime) -> bool:
        """Whether every certificate is valid at ``now``."""
        return all(each.not_before <= now <= each.not_after for each in self.certificates)


@dataclass(frozen=True, slots=True)
class Roots:
    """The roots outside the identity's own files that a chain may end in."""

    public: tuple[bytes, ...]  # DER; some public roots are not parsed without complaint, so only the needed one is
    organisation: tuple[Certificate, ...]

    def issuers_of(self, certificate: Certificate) -> Iterator[tuple[Certificate, Trust]]:
        """The roots whose key really signed ``certificate``."""
        name = certificate.issuer.public_bytes()
        for der in self.public:
            if name in der and (root := _readable(der)) and is_issued_by(certificate, root):
                yield root, Trust.PUBLIC
        for root in self.organisation:
            if is_issued_by(certificate, root):
                yield root, Trust.ORGANISATION


def read_roots(public: PublicRoots, organisation: Path | None) -> Roots:
    """The roots in Debian's bundle and in the organisation's PEM file. Raises IdentityUnusable for a bad PEM file."""
    local = {der for path in public.local_additions.rglob("*.crt") for der in _encoded(path)}
    return Roots(
        public=tuple(der for der in _encoded(public.bundle) if der not in local),
        organisation=() if organisation is None else tuple(_organisation_roots(organisation)),
    )


def _organisation_roots(path: Path) -> list[Certificate]:
    try:
        content = path.read_bytes()
    except OSError as reason:
        raise IdentityUnusable(
            f"The file of trusted roots {path} (PROVISIONER_TRUSTED_ROOTS) cannot be read: {reason.strerror}. Mend it "
            "or take the setting away."
        ) from None
    return read_certificates(content, file=f"The file of trusted roots {path} (PROVISIONER_TRUSTED_ROOTS)")


def _encoded(file: Path) -> list[bytes]:
    """The certificates in one of this machine's files, as DER; what cannot be read vouches for nobody."""
    try:
        return [b64decode(found[1]) for found in _PEM.finditer(file.read_bytes())]
    except (OSError, ValueError):
        return []


def _readable(der: bytes) -> Certificate | None:
    try:
        return load_der_x509_certificate(der)
    except ValueError:
        return None


def find_chain(signer: Certificate, others: Sequence[Certificate], roots: Roots, *, now: datetime) -> Chain:
    """The best chain from ``signer`` through ``others``: in date, then most trusted, then shortest.

    Raises IdentityUnusable where no chain reaches a root, or where one goes through a certificate that is no authority.
    """
    if is_issued_by(signer, signer):
        raise IdentityUnusable(
            f"The certificate {in_message(subject_name(signer))!r} is self-signed, so nobody vouches for it and no "
            "phone can verify it. Use one that an authority issued, or 'provisioner identity create-demo' to try out."
        )
    chains = list(_chains((signer,), others, roots))
    if not chains:
        raise _incomplete(signer, others)
    best = min(
        chains,
        key=lambda chain: (
            not chain.is_in_date(now),
            _MOST_TRUSTED_FIRST.index(chain.trust),
            len(chain.intermediates),
        ),
    )
    _require_authorities(best)
    return best


def _chains(path: tuple[Certificate, ...], others: Sequence[Certificate], roots: Roots) -> Iterator[Chain]:
    signer, *intermediates = path
    for root, trust in roots.issuers_of(path[-1]):
        yield Chain(signer, tuple(intermediates), root, trust)
    for issuer in _issuers_among(others, path):
        if is_issued_by(issuer, issuer):
            yield Chain(signer, tuple(intermediates), issuer, Trust.UNKNOWN)
        elif len(path) < _LONGEST:
            yield from _chains((*path, issuer), others, roots)


def _issuers_among(others: Sequence[Certificate], path: tuple[Certificate, ...]) -> list[Certificate]:
    return [issuer for issuer in others if issuer not in path and is_issued_by(path[-1], issuer)]


def _incomplete(signer: Certificate, others: Sequence[Certificate]) -> IdentityUnusable:
    path: tuple[Certificate, ...] = (signer,)
    while len(path) < _LONGEST and (issuers := _issuers_among(others, path)):
        path = (*path, issuers[0])
    if len(path) == _LONGEST:
        return IdentityUnusable(
            f"The chain of the signing certificate has more than {_LONGEST} certificates below its root. Leave "
            "cross-signed authorities out of chain.pem."
        )
    return IdentityUnusable(
        f"The chain of the signing certificate is incomplete: {in_message(subject_name(path[-1]))!r} was issued by "
        f"{issuer_name(path[-1])!r}, and that certificate is neither among the identity's files nor a public root. Add "
        "it to chain.pem; or, if it is your organisation's own root, name its PEM file in PROVISIONER_TRUSTED_ROOTS."
    )


def _require_authorities(chain: Chain) -> None:
    for below, issuer in enumerate((*chain.intermediates, chain.root)):
        name = in_message(subject_name(issuer))
        constraints = extension(issuer, BasicConstraints)
        usage = extension(issuer, KeyUsage)
        # Only a root may be of X.509 version 1, which knows no extensions.
        is_authority = issuer is chain.root if constraints is None else constraints.ca
        if not is_authority or (usage is not None and not usage.key_cert_sign):
            raise IdentityUnusable(
                f"The certificate {name!r} in the chain may not issue others (RFC 5280, 4.2.1.3 and 4.2.1.9), so no "
                "phone accepts the chain. Put the authority's own intermediate certificates into chain.pem."
            )
        if constraints is not None and constraints.path_length is not None and constraints.path_length < below:
            raise IdentityUnusable(
                f"The authority {name!r} allows {constraints.path_length} intermediates below it, and the chain has "
                f"{below}. Ask the authority for the right chain."
            )
