"""The one door from an account to a document: it finds the provider, renders, and signs what a person will open.

A document that must be signed is never handed out unsigned: without a usable identity nothing is returned. Before each
signature its audit record is written; where that fails, nothing is signed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from provisioner.catalogue import configured_app, find_provider
from provisioner.directory import Snapshot
from provisioner.errors import InvalidInput, UnknownDomain
from provisioner.format import Context, Format, Found, Installation, Subject
from provisioner.managed import NO_APP
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

    def issue(
        self, account: Account, fmt: Format, *, language: str = "en", for_mdm: Installation | None = None
    ) -> Document:
        """The document as it is handed out, signed where the format is; its texts are in ``language`` (BCP 47).

        Raises UnknownDomain, UnknownProvider, MissingService, and for signed formats IdentityError and whatever
        writing the audit record raises (StoreUnavailable). Raises InvalidInput for anybody but a person: a signature
        and an MDM's variables exclude each other.
        """
        if not isinstance(account, Account):
            raise InvalidInput("Only a person's document is issued; for an MDM's variables there are drafts.")
        if not fmt.signed:
            return self.draft(account, fmt, language=language, for_mdm=for_mdm)
        return self.sign(self.draft(account, fmt, language=language, for_mdm=for_mdm), account, fmt)

    def sign(self, draft: Document, account: Account, fmt: Format) -> Document:
        """``draft``, which is this person's document in this format, inside a signature.

        Raises IdentityError, and whatever writing the audit record raises (StoreUnavailable).
        """
        signer = self.identity()
        self.audit(signature_of(account, fmt, signer=signer, at=self.clock()))
        return replace(draft, content=signer.sign(draft.content), signed=True)

    def draft(
        self, subject: Subject, fmt: Format, *, language: str = "en", for_mdm: Installation | None = None
    ) -> Document:
        """The document without a signature: for administrators and mail clients, never for a person's link.

        Its texts are in ``language`` (BCP 47), or in English where there is no such catalogue; identifiers are the
        same in every language. ``for_mdm`` is how an MDM will install it; None where a person does.

        Raises UnknownDomain, UnknownProvider, MissingService, and InvalidInput where the format needs a person.
        """
        fmt.accept(subject)
        snapshot = self.snapshot()  # one for the whole document: the next may no longer have the organisation
        domain = snapshot.domain(subject.domain)
        provider = find_provider(self.providers, domain.provider_id)
        fmt.require(provider)
        return Document(
            content=fmt.render(subject, provider, self._context(snapshot, domain, fmt, language, for_mdm)),
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
        return Found(provider, self._context(snapshot, configured, fmt, _CLIENTS_READ, None))

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

    def _context(
        self, snapshot: Snapshot, domain: Domain, fmt: Format, language: str, for_mdm: Installation | None
    ) -> Context:
        to_language = translate(language)
        organisation = snapshot.organisation(domain.organisation_id)
        return Context(
            organisation=organisation,
            domain=domain,
            texts={name: to_language(message) for name, message in fmt.texts.items()},
            now=self.clock(),
            language=language,
            for_mdm=for_mdm,
            app=configured_app(fmt.app, organisation) if fmt.app else NO_APP,
            help_url=self.help_url,
        )


def signature_of(account: Account, fmt: Format, *, signer: Signer, at: datetime) -> Signature:
    """What the audit trail says of the signature of this person's document in this format."""
    return Signature(
        format_id=fmt.id,
        domain=account.domain,
        mailbox=sha256(account.key.encode()).hexdigest(),
        signer=signer.subject_name,
        at=at,
    )
