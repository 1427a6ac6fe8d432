"""A set of files for an MDM's import, as one ZIP: for everybody of a domain, or for each person of a list.

Everything that can be refused is refused before the first file is written. A signature's audit record is committed
before the signature is made, a batch of people at a time.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile

from provisioner.catalogue import find_provider
from provisioner.errors import InvalidSetting, UnknownDomain
from provisioner.export.archive import Archive
from provisioner.export.documents import drafts, forms_of, wanted
from provisioner.export.form import File, Form, Share
from provisioner.export.manifest import Manifest, entry_of
from provisioner.export.people import Row, read_people
from provisioner.export.placing import appearing
from provisioner.export.readme import write_readme
from provisioner.export.refusals import refuse_large, refuse_person, refuse_texts
from provisioner.export.work import Desk, Finished, Writer, files_of, finish, stem_of
from provisioner.export.workers import in_order
from provisioner.format import TEXT
from provisioner.invitations import Why
from provisioner.mdm import variables_for
from provisioner.model import MailProvider
from provisioner.provisioning import Signature, signature_of
from provisioner.texts import language_of

BATCH = 64  # people whose signatures are recorded in one transaction, and written by one process at a time
_ALONE = 2_000  # people for whom further processes are not worth their start: it takes as long as these do
_README, _MANIFEST = "README.txt", "manifest.json"

Record = Callable[[Sequence[Signature]], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a set holds: files beside README and manifest, people, signatures."""

    files: int
    people: int
    signatures: int
    left_out: Counter[Why] = field(default_factory=Counter)  # rows of a list: guests and their like

    @property
    def whom(self) -> str:
        """Such as ``3 people``; empty for a domain's set."""
        return _counted(self.people) if self.people else ""


def _counted(people: int) -> str:
    return "1 person" if people == 1 else f"{people:,} people"


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found when all people were looked at: none of them has to be refused."""

    people: int
    providers: tuple[MailProvider, ...]
    signatures: int
    sample: Share  # the first person's documents, unsigned
    left_out: Counter[Why]


def export_domain(desk: Desk, domain: str, to: Path) -> Outcome:
    """Write the set with which the MDM serves everybody of ``domain``; the same facts give the same bytes.

    Raises MdmRefusal, DocumentTooLarge, UnknownDomain, UnknownProvider and OSError; then there is no file.
    """
    variables = variables_for(desk.mdm, domain)
    unnamed = variables_for(desk.mdm, domain, named=False)
    writer = Writer(desk)
    settings = desk.snapshot.domain(variables.domain)
    provider = find_provider(desk.providers, settings.provider_id)
    language = language_of("", desk.snapshot.organisation(settings.organisation_id)).tag
    pieces = tuple(
        piece
        for want in wanted(desk.mdm, settings, provider, for_domain=True)
        for piece in drafts(writer.provisioner, variables if want.installation else unnamed, [want], language=language)
    )
    own = (variables.address, variables.username, variables.display_name)
    refuse_texts(desk.mdm, pieces, own=own)
    refuse_large(desk.mdm, pieces)
    share = Share(stem_of(variables), pieces)
    files = files_of(desk.mdm, share, for_domain=True)
    readme = write_readme(
        desk.mdm,
        _present(desk, share, for_domain=True),
        title=f"Office 365 mail for {variables.domain} in {desk.mdm.name}",
        for_domain=True,
        signed=False,
        files=[file.name for file in files],
    )
    with _set(to, desk, mode="template", providers=[provider], readme=readme) as add:
        for file in files:
            add(finish(file, pieces, provider=provider.id))
    return Outcome(files=len(files), people=0, signatures=0)


def export_people(
    desk: Desk,
    people: Path,
    to: Path,
    *,
    record: Record,
    processes: int = 1,
    progress: Callable[[int, int], None],
) -> Outcome:
    """Write the set with the files of each person that the CSV file ``people`` names, in its order.

    ``record`` commits audit records before the signatures are made; ``progress`` is told how many people are done, of
    how many. Raises what ``export_domain`` raises, but InvalidSetting for a domain or a row that is refused,
    IdentityError and StoreUnavailable.
    """
    writer = Writer(desk)
    survey = _survey(writer, people)
    if survey.signatures:
        writer.signer()  # without an identity nothing is begun
    readme = write_readme(
        desk.mdm,
        _present(desk, survey.sample, for_domain=False),
        title=f"Office 365 mail for {_counted(survey.people)} in {desk.mdm.name}",
        for_domain=False,
        signed=survey.signatures > 0,
        files=[file.name for file in files_of(desk.mdm, survey.sample, for_domain=False)],
    )
    files = done = 0
    batches = _recorded(writer, _batches(read_people(people, Counter())), record)
    with _set(to, desk, mode="personal", providers=survey.providers, readme=readme) as add:
        for finished in _finished(desk, writer, batches, people=survey.people, processes=processes):
            for file in finished:
                add(file)
            files, done = files + len(finished), min(done + BATCH, survey.people)
            progress(done, survey.people)
    return Outcome(files=files, people=survey.people, signatures=survey.signatures, left_out=survey.left_out)


def _survey(writer: Writer, people: Path) -> Survey:
    desk = writer.desk
    providers: dict[str, MailProvider] = {}
    seen: set[tuple[str, str]] = set()
    left_out = Counter[Why]()
    sample: Share | None = None
    count = signatures = 0
    for row in read_people(people, left_out):
        refuse_person(desk.mdm, row.account, row=row.number)
        if (row.account.domain, row.language) not in seen:
            seen.add((row.account.domain, row.language))
            try:
                provider, share = _try_out(writer, row)
            except UnknownDomain as refusal:
                raise InvalidSetting(f"{people}: row {row.number}: {refusal}") from None
            providers[provider.id] = provider
            sample = sample or share
        count += 1
        signatures += len(writer.signed_formats(row.account))
    assert sample is not None  # read_people raises where there is nobody
    return Survey(count, tuple(providers.values()), signatures, sample, left_out)


def _try_out(writer: Writer, row: Row) -> tuple[MailProvider, Share]:
    """The provider and the documents of a domain's first person in a language; what is refused of one is of all."""
    desk, account = writer.desk, row.account
    pieces = writer.drafts(row)
    own = (account.address, account.username, account.display_name)
    refuse_texts(desk.mdm, pieces, own=own, signed=desk.mdm.takes_signed)
    refuse_large(desk.mdm, pieces)
    domain = desk.snapshot.domain(account.domain)
    return find_provider(desk.providers, domain.provider_id), Share(stem_of(account), pieces)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _recorded(writer: Writer, batches: Iterable[list[Row]], record: Record) -> Iterator[list[Row]]:
    """``batches``, each handed on when the records of its signatures are committed."""
    for batch in batches:
        signatures = [
            signature_of(row.account, want.fmt, signer=writer.signer(), at=writer.desk.now)
            for row in batch
            for want in writer.signed_formats(row.account)
        ]
        if signatures:
            record(signatures)
        yield batch


def _finished(
    desk: Desk, writer: Writer, batches: Iterable[list[Row]], *, people: int, processes: int
) -> Iterator[list[Finished]]:
    if processes > 1 and people > _ALONE:
        return in_order(_work, batches, processes=processes, begin=_begin, given=desk)
    return map(writer.write, batches)


_WRITERS: list[Writer] = []  # of a helper process: its one


def _begin(desk: Desk) -> None:
    _WRITERS[:] = [Writer(desk)]


def _work(rows: list[Row]) -> list[Finished]:
    return _WRITERS[0].write(rows)


def _present(desk: Desk, share: Share, *, for_domain: bool) -> list[Form]:
    """The forms of which there is a file."""
    return [form for form in forms_of(desk.mdm, for_domain=for_domain) if list(form.write(share))]


@contextmanager
def _set(
    to: Path, desk: Desk, *, mode: str, providers: Iterable[MailProvider], readme: bytes
) -> Iterator[Callable[[Finished], None]]:
    """The archive with README first and manifest last; what is yielded adds a file between them."""
    place = to.resolve().parent
    with appearing(to) as file, TemporaryFile(dir=place) as directory, TemporaryFile(dir=place) as lines:
        archive = Archive(file, directory)
        manifest = Manifest(lines, mdm=desk.mdm.id, mode=mode, providers=providers)

        def add(finished: Finished) -> None:
            archive.add(finished.entry.file, finished.content)
            manifest.add(finished.entry)

        about = File(_README, TEXT, readme, readme, format_id="")
        add(Finished(entry_of(about, provider="", signed=False), readme))
        yield add
        manifest.close()
        archive.add_file(_MANIFEST, lines)
        archive.close()
