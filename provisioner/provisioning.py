"""The one door from an account to a document: it finds the provider, renders, and signs what a person will open.

A document that must be signed is never handed out unsigned: without a usable identity nothing is returned. Before each
signature its audit record is written; where that fails, nothing is signed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from provisioner.catalogue import find_provider
from provisioner.directory import Snapshot
from provisioner.errors import UnknownDomain
from provisioner.format import Context, Format, Found, Subject
from provisioner.model import Account, Document, MailProvider
from provisioner.organisation import Domain, Organisation
from provisioner.texts import translate

_CLIENTS_READ = "en"  # what a mail client is told is the same for everybody of a domain


@dataclass(frozen=True, slots=True)
class Signature:
    """What the audit trail says of a signature: who signed which format for which mailbox, without the address."""

    format_id: str
    domain: str
    mailbox: str  # SHA-256 of the normalised address, hexadecimal
    signer: str
    at: datetime


class Signer(Protocol):
    """A usable signing identity (signing.Identity)."""

    @property
    def subject_name(self) -> str:
        """The name that a phone shows as the signer."""

    def sign(self, content: bytes) -> bytes:
        """``content`` inside a CMS signature, as DER."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioner:
    """Issues documents. ``identity`` raises IdentityError while there is nothing to sign with."""

    providers: Mapping[str, MailProvider]
    snapshot: Callable[[], Snapshot]
    identity: Callable[[], Signer]
    audit: Callable[[Signature], None]
    clock: Callable[[], datetime]
    help_url: str = ""

    def issue(self, account: Account, fmt: Format, *, language: str = "en") -> Document:
        """The document as it is handed out, signed where the format is; its texts are in ``language`` (BCP 47).

        Raises UnknownDomain, UnknownProvider, MissingService, and for signed formats IdentityError and whatever
        writing the audit record raises (StoreUnavailable).
        """
        if not fmt.signed:
            return self.draft(account, fmt, language=language)
        signer = self.identity()
        draft = self.draft(account, fmt, language=language)
        self.audit(self._signature(account, fmt, signer))
        return Document(
            content=signer.sign(draft.content),
            media_type=draft.media_type,
            filename=draft.filename,
            format_id=fmt.id,
            signed=True,
        )

    def draft(self, subject: Subject, fmt: Format, *, language: str = "en") -> Document:
        """The document without a signature: for administrators and mail clients, never for a person's link.

        Its texts are in ``language`` (BCP 47), or in English where there is no such catalogue; identifiers are the
        same in every language.
        Raises UnknownDomain, UnknownProvider, MissingService, and InvalidInput where the format needs a person.
        """
        fmt.accept(subject)
        snapshot = self.snapshot()  # one for the whole document: the next may no longer have the organisation
        domain = snapshot.domain(subject.domain)
        provider = find_provider(self.providers, domain.provider_id)
        fmt.require(provider)
        return Document(
            content=fmt.render(subject, provider, self._context(snapshot, domain, fmt, language)),
            media_type=fmt.media_type,
            filename=f"{subject.domain}-{fmt.id}.{fmt.suffix}",
            format_id=fmt.id,
            signed=False,
        )

    def find(self, domain: str, fmt: Format) -> Found | None:
        """What mail clients are told of ``domain`` in this format; None where it is not ours or cannot be written.

        ``domain`` is normalised. Raises UnknownProvider.
        """
        snapshot = self.snapshot()
        try:
            configured = snapshot.domain(domain)
        except UnknownDomain:
            return None
        provider = find_provider(self.providers, configured.provider_id)
        if not fmt.needs <= provider.services:
            return None
        return Found(provider, self._context(snapshot, configured, fmt, _CLIENTS_READ))

    def domain_of(self, subject: Subject) -> Domain:
        """The configured domain of this person. Raises UnknownDomain."""
        return self.snapshot().domain(subject.domain)

    def organisation_of(self, subject: Subject) -> Organisation:
        """The organisation this person belongs to. Raises UnknownDomain."""
        snapshot = self.snapshot()
        return snapshot.organisation(snapshot.domain(subject.domain).organisation_id)

    def provider_of(self, subject: Subject) -> MailProvider:
        """The provider that holds this person's mail. Raises UnknownDomain and UnknownProvider."""
        return find_provider(self.providers, self.domain_of(subject).provider_id)

    def _context(self, snapshot: Snapshot, domain: Domain, fmt: Format, language: str) -> Context:
        to_language = translate(language)
        return Context(
            organisation=snapshot.organisation(domain.organisation_id),
            domain=domain,
            texts={name: to_language(message) for name, message in fmt.texts.items()},
            now=self.clock(),
            language=language,
            help_url=self.help_url,
        )

    def _signature(self, account: Account, fmt: Format, signer: Signer) -> Signature:
        return Signature(
            format_id=fmt.id,
            domain=account.domain,
            mailbox=sha256(account.key.encode()).hexdigest(),
            signer=signer.subject_name,
            at=self.clock(),
        )
