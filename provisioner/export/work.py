"""One person's files, from the account to their bytes; the same in the process that exports and in its helpers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote

from provisioner.catalogue import find_provider
from provisioner.directory import Snapshot
from provisioner.export.documents import Wanted, drafts, forms_of, wanted
from provisioner.export.form import File, Piece, Share
from provisioner.export.manifest import Entry, entry_of
from provisioner.export.people import Row
from provisioner.export.refusals import refuse_large
from provisioner.format import Variables
from provisioner.mdm import Mdm
from provisioner.model import Account, MailProvider
from provisioner.provisioning import Provisioner, Signature, Signer
from provisioner.texts import language_of

_MAX_STEM = 120  # characters of a file's name; file systems take 255 bytes in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that files are made of. A helper process gets it once, so each part can be sent to one."""

    mdm: Mdm
    snapshot: Snapshot
    providers: Mapping[str, MailProvider]
    identity: Callable[[], Signer]  # raises IdentityError; asked for only where something is signed
    now: datetime
    help_url: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """A file that is ready for the archive, and its line in the manifest."""

    entry: Entry
    content: bytes


class Writer:
    """Writes people's files, with the identity loaded once."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._signer: Signer | None = None
        self._wanted: dict[str, tuple[Wanted, ...]] = {}
        self.provisioner = Provisioner(
            providers=desk.providers,
            snapshot=lambda: desk.snapshot,
            identity=self.signer,
            audit=_recorded_before,
            clock=lambda: desk.now,
            help_url=desk.help_url,
        )

    def signer(self) -> Signer:
        """The signing identity. Raises IdentityError."""
        if self._signer is None:
            self._signer = self.desk.identity()
        return self._signer

    def wanted(self, domain: str) -> tuple[Wanted, ...]:
        """What a person of ``domain`` gets. Raises UnknownDomain, UnknownProvider and MdmRefusal."""
        if domain not in self._wanted:
            settings = self.desk.snapshot.domain(domain)
            provider = find_provider(self.desk.providers, settings.provider_id)
            self._wanted[domain] = wanted(self.desk.mdm, settings, provider, for_domain=False)
        return self._wanted[domain]

    def signed_formats(self, account: Account) -> list[Wanted]:
        """Which of this person's documents are signed."""
        return [want for want in self.wanted(account.domain) if self.desk.mdm.takes_signed and want.fmt.signed]

    def write(self, rows: Sequence[Row]) -> list[Finished]:
        """The files of these people, in their order. Raises IdentityError and DocumentTooLarge."""
        return [finished for row in rows for finished in self._write(row)]

    def _write(self, row: Row) -> list[Finished]:
        account = row.account
        pieces = tuple(self._signed(account, piece) for piece in self.drafts(row))
        refuse_large(self.desk.mdm, pieces)
        share = Share(stem_of(account), pieces)
        provider_id = self.provisioner.domain_of(account).provider_id
        return [finish(file, pieces, provider=provider_id) for file in files_of(self.desk.mdm, share, for_domain=False)]

    def drafts(self, row: Row) -> tuple[Piece, ...]:
        """This person's documents without a signature, in the language that they read."""
        language = language_of(row.language, self.provisioner.organisation_of(row.account)).tag
        return tuple(drafts(self.provisioner, row.account, self.wanted(row.account.domain), language=language))

    def _signed(self, account: Account, piece: Piece) -> Piece:
        if not (self.desk.mdm.takes_signed and piece.fmt.signed):
            return piece
        return replace(piece, document=self.provisioner.sign(piece.document, account, piece.fmt))


def _recorded_before(_: Signature) -> None:
    """The export has written the audit records of a batch before it let anybody sign it."""


def files_of(mdm: Mdm, share: Share, *, for_domain: bool) -> list[File]:
    """Every file that ``mdm`` takes, made of the share's documents."""
    return [file for form in forms_of(mdm, for_domain=for_domain) for file in form.write(share)]


def finish(file: File, pieces: Sequence[Piece], *, provider: str) -> Finished:
    """``file`` with its line in the manifest."""
    signed = any(piece.document.signed and piece.content == file.inside for piece in pieces)
    return Finished(entry_of(file, provider=provider, signed=signed), file.content)


def stem_of(subject: Account | Variables) -> str:
    """A file name's beginning: the domain, or the address in signs that every file system takes."""
    if isinstance(subject, Variables):
        return subject.domain
    stem = quote(subject.key, safe="@+")
    if len(stem) <= _MAX_STEM:
        return stem
    return f"{stem[: _MAX_STEM - 17]}-{sha256(subject.key.encode()).hexdigest()[:16]}"
