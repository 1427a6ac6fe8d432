"""A set with each person's own files: signed where that is taken, streamed, recorded, and there whole or not at all."""

import dataclasses
import json
import os
import signal
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zipfile import ZipFile

import pytest

from provisioner.errors import DocumentTooLarge, IdentityError, InvalidSetting, InvalidTable, MdmRefusal
from provisioner.export import Desk, Outcome, export_people
from provisioner.format import Installation, Platform
from provisioner.formats import find_format
from provisioner.mdm import Answer, Mdm, load_mdms
from provisioner.model import Account
from provisioner.organisation import Organisation
from provisioner.provisioning import Provisioner, Signature
from tests.capabilities import apple_conformance_checker
from tests.commands import names
from tests.mdms import OF_MACS, judged, settings, unwrapped
from tests.pki import content_openssl_verified, load_without_public_roots, make_signer, write_identity
from tests.processes import Running, running, until
from tests.samples import NOW, PROVIDERS, contoso_snapshot
from tests.test_export_domain import HARD

MDMS = load_mdms()
EVERY = [pytest.param(mdm, id=mdm.id) for mdm in MDMS.values()]
PLAIN = Organisation(id="contoso", name="Contoso", consent_texts={"de": "Wir helfen: 4711."})
ANNA = Account("Anna.O'Neil+phone@contoso.example", username="anna.oneil@contoso.example", display_name="Anna O'Neil")
BERT = Account("bert@contoso.example")
_PLATFORMS = {"iphone-ipad": Platform.IPHONE, "mac": Platform.MAC}


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """The directory of a signing identity; its root lies beside it."""
    write_identity(tmp_path / "identity", make_signer())
    return tmp_path / "identity"


def _desk(mdm: Mdm, identity: Path, organisation: Organisation = PLAIN) -> Desk:
    return Desk(
        mdm=mdm,
        snapshot=contoso_snapshot(organisation=organisation),
        providers=PROVIDERS,
        identity=partial(load_without_public_roots, identity),
        now=NOW,
    )


def _list(directory: Path, *people: Account, language: str = "") -> Path:
    rows = [f"{each.address},{each.username},{each.display_name},{language}" for each in people]
    file = directory / "people.csv"
    file.write_text("\n".join(["address,username,name,language", *rows]) + "\n", encoding="utf-8")
    return file


def _silent(*_: object) -> None:
    """Nobody looks."""


def _export(
    desk: Desk,
    people: Path,
    to: Path,
    *,
    record: Callable[[Sequence[Signature]], None] = _silent,
    processes: int = 1,
    progress: Callable[[int, int], None] = _silent,
) -> Outcome:
    return export_people(desk, people, to, record=record, processes=processes, progress=progress)


def _files(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def _entries(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [entry for entry in json.loads(files["manifest.json"])["files"] if entry["format"]]


def _own(
    person: Account, mdm: Mdm, entry: Mapping[str, Any], organisation: Organisation = PLAIN, *, language: str = "en"
) -> Any:
    """The settings of this person's own document, on the device that the file is for."""
    provisioner = Provisioner(
        providers=PROVIDERS,
        snapshot=lambda: contoso_snapshot(organisation=organisation),
        identity=_nobody,
        audit=_silent,
        clock=lambda: NOW,
    )
    platform = next((_PLATFORMS[part] for part in entry["file"].split("/") if part in _PLATFORMS), Platform.IPHONE)
    installation = Installation(platform, mdm.profiles.scopes[platform]) if mdm.profiles else None
    fmt = find_format(entry["format"])
    return settings(provisioner.draft(person, fmt, language=language, for_mdm=installation).content)


def _nobody() -> Any:
    raise AssertionError("nothing is signed")


def _content(entry: Mapping[str, Any], content: bytes, root: Path) -> bytes:
    """The document in a file, as the MDM takes it out, and without its signature once openssl accepts that."""
    inside = unwrapped(entry["file"], content)
    return content_openssl_verified(inside, root=root) if entry["signed"] else inside


@pytest.mark.parametrize("mdm", EVERY)
@pytest.mark.parametrize("organisation", [PLAIN, HARD], ids=["plain", "hard"])
def test_every_file_has_its_persons_own_settings(
    mdm: Mdm, organisation: Organisation, tmp_path: Path, identity: Path
) -> None:
    outcome = _export(_desk(mdm, identity, organisation), _list(tmp_path, ANNA, BERT), tmp_path / "set.zip")
    files = _files(tmp_path / "set.zip")
    entries = _entries(files)
    assert (2, len(entries)) == (outcome.people, outcome.files)
    assert outcome.signatures == len({e["content_sha256"] for e in entries if e["signed"]})
    anna, bert = ([e for e in entries if person.key in unquote(e["file"])] for person in (ANNA, BERT))
    assert entries == [*anna, *bert]
    for person, theirs in ((ANNA, anna), (BERT, bert)):
        assert len(entries) == 2 * len(theirs)
        for entry in theirs:
            content = _content(entry, files[entry["file"]], tmp_path / "identity-root.pem")
            expected = _own(person, mdm, entry, organisation)
            if entry["file"].startswith("payload/"):
                (expected,) = expected["PayloadContent"]
            if entry["file"].startswith("declarations/"):
                expected = next(each for each in expected if each["Type"] == settings(content)["Type"])
            assert expected == settings(content), entry["file"]


@pytest.mark.parametrize("mdm", EVERY)
def test_profiles_are_signed_where_a_source_says_that_they_are_taken(mdm: Mdm, tmp_path: Path, identity: Path) -> None:
    _export(_desk(mdm, identity), _list(tmp_path, BERT), tmp_path / "set.zip")
    files = _files(tmp_path / "set.zip")
    signed = {entry["file"] for entry in _entries(files) if entry["signed"]}
    takes = mdm.profiles is not None and mdm.profiles.signed is Answer.YES
    assert takes == bool(signed)
    profiles = {name for name in files if name.endswith(".mobileconfig")}
    assert profiles <= signed if takes else not profiles & signed
    assert [] == [name for name in signed if name.startswith("apps/")]
    readme = " ".join(files["README.txt"].decode().split())
    assert ("Each person has files of their own; profiles are signed." in readme) == takes
    assert ("Put a file's name for FILE" in readme) == ("/FILE." in readme)
    assert "for 1 person in " in readme


@pytest.mark.parametrize("mdm", EVERY)
def test_the_readme_says_that_a_file_is_for_one_person_and_of_nothing_that_is_not_there(
    mdm: Mdm, tmp_path: Path, identity: Path
) -> None:
    """Anna's profile on everybody's phone would be Anna's account there."""
    _export(_desk(mdm, identity), _list(tmp_path, BERT), tmp_path / "set.zip")
    files = _files(tmp_path / "set.zip")
    readme = " ".join(files["README.txt"].decode().split())
    assert (
        "1. Each file is for one person: wherever it is assigned, choose that person or their devices alone." in readme
    )
    assert "everybody" not in readme
    assert "widen" not in readme
    assert "It has no console" not in readme
    for note in mdm.variables.notes if mdm.variables else ():
        assert note not in readme
    assert "intune/native/" not in readme  # Graph's bodies are for a domain alone


@pytest.mark.parametrize("mdm", [pytest.param(mdm, id=mdm.id) for mdm in MDMS.values() if mdm.profiles])
def test_apples_schema_and_the_rules_for_mdms_are_kept(mdm: Mdm, tmp_path: Path, identity: Path) -> None:
    checker = apple_conformance_checker()
    _export(_desk(mdm, identity), _list(tmp_path, ANNA), tmp_path / "set.zip")
    files = _files(tmp_path / "set.zip")
    by_folder: dict[str, list[Path]] = {"iphone-ipad": [], "mac": []}
    for entry in _entries(files):
        name = entry["file"]
        if name.startswith(("apps/", "payload/", "declarations/", "policies/")):
            continue  # no whole profile
        path = tmp_path / f"{name.replace('/', '-')}.mobileconfig"
        path.write_bytes(unwrapped(name, files[name]))
        by_folder["mac" if "mac" in name.split("/") else "iphone-ipad"].append(path)
    assert all(by_folder.values())
    proof = ("--require-signed", "--ca", str(tmp_path / "identity-root.pem"))
    more = proof if mdm.takes_signed else ()
    assert [] == judged(checker, by_folder["mac"], platform="macOS", more=more)
    found = judged(checker, by_folder["iphone-ipad"], platform="iOS", more=more)
    assert {OF_MACS} == {code for _, code, _ in found}
    assert not any("exchange" in name for name, _, _ in found)


@pytest.mark.parametrize("mdm_id", ["jamf-pro", "nanomdm", "micromdm", "zentral", "android-management-api"])
def test_the_manifest_tells_the_file_and_the_content_apart(mdm_id: str, tmp_path: Path, identity: Path) -> None:
    """A signature has its own time and, with P-256, its own random number."""
    people, desk = _list(tmp_path, ANNA, BERT), _desk(MDMS[mdm_id], identity)
    _export(desk, people, tmp_path / "first.zip")
    _export(dataclasses.replace(desk, now=NOW + timedelta(days=400)), people, tmp_path / "second.zip")
    first, second = _files(tmp_path / "first.zip"), _files(tmp_path / "second.zip")
    assert list(first) == list(second)
    for entry, again in zip(_entries(first), _entries(second), strict=True):
        assert sha256(first[entry["file"]]).hexdigest() == entry["sha256"]
        assert entry["content_sha256"] == again["content_sha256"]
        assert (entry["sha256"] == again["sha256"]) != entry["signed"]
        if not entry["file"].startswith("policies/"):  # where the document is spaced otherwise
            content = _content(entry, first[entry["file"]], tmp_path / "identity-root.pem")
            assert sha256(content).hexdigest() == entry["content_sha256"]


def test_many_processes_write_the_same_people_in_the_same_order(tmp_path: Path, identity: Path) -> None:
    people = _list(tmp_path, *(Account(f"p{number}@contoso.example") for number in range(2_100)))
    desk = _desk(MDMS["nanocmd"], identity)
    told: list[tuple[int, int]] = []
    recorded: list[int] = []
    one = _export(desk, people, tmp_path / "one.zip")
    two = _export(
        desk,
        people,
        tmp_path / "two.zip",
        processes=2,
        record=lambda signatures: recorded.append(len(signatures)),
        progress=lambda done, of: told.append((done, of)),
    )
    assert one == two
    assert (2_100, two.files) == (two.people, two.signatures)
    assert two.signatures == sum(recorded)
    facts = [
        [(e["file"], e["content_sha256"]) for e in _entries(_files(tmp_path / name))] for name in ("one.zip", "two.zip")
    ]
    assert facts[0] == facts[1]
    assert [*told] == sorted(told)
    assert (2_100, 2_100) == told[-1]


def test_a_signature_is_recorded_before_it_is_made(tmp_path: Path, identity: Path) -> None:
    def refuse(_: Sequence[Signature]) -> None:
        raise ConnectionError("the store is gone")

    with pytest.raises(ConnectionError):
        _export(_desk(MDMS["jamf-pro"], identity), _list(tmp_path, BERT), tmp_path / "set.zip", record=refuse)
    assert ["identity", "identity-root.pem", "people.csv"] == names(tmp_path)


def test_without_an_identity_nothing_is_begun(tmp_path: Path) -> None:
    people, records = _list(tmp_path, BERT), list[Sequence[Signature]]()
    with pytest.raises(IdentityError):
        _export(_desk(MDMS["jamf-pro"], tmp_path / "none"), people, tmp_path / "set.zip", record=records.append)
    assert ([], ["people.csv"]) == (records, names(tmp_path))


def test_what_is_not_signed_needs_no_identity(tmp_path: Path) -> None:
    assert 0 == _export(_desk(MDMS["iru"], tmp_path / "none"), _list(tmp_path, BERT), tmp_path / "set.zip").signatures


def test_people_read_the_language_that_the_list_or_the_organisation_says(tmp_path: Path, identity: Path) -> None:
    spanish = dataclasses.replace(PLAIN, languages=("es", "de"))
    for organisation, language, expected in ((PLAIN, "de-AT", "de"), (PLAIN, "", "en"), (spanish, "", "es")):
        desk = _desk(MDMS["iru"], identity, organisation)
        _export(desk, _list(tmp_path, BERT, language=language), tmp_path / "set.zip")
        files = _files(tmp_path / "set.zip")
        entry = next(each for each in _entries(files) if each["format"] == "ios-exchange")
        found, own = settings(files[entry["file"]]), _own(BERT, MDMS["iru"], entry, language=expected)
        assert own["PayloadDescription"] == found["PayloadDescription"]
        assert own.get("ConsentText") == found.get("ConsentText")


# bad input


@pytest.mark.parametrize(
    ("mdm_id", "person", "reason"),
    [
        (
            "iru",
            Account("bert$@contoso.example"),
            r"^Iru \(Kandji\): the address in row 2 holds \$, which starts a var",
        ),
        ("intune", Account(BERT.address, display_name="{{mail}}"), r"^Microsoft Intune: the name in row 2 holds \{\{"),
        ("fleet", Account(BERT.address, username="$b@contoso.example"), r"^Fleet: the user name in row 2 holds \$"),
        ("jamf-school", Account("bert%1@contoso.example"), r"^Jamf School: the address in row 2 holds %"),
        ("zentral", Account(BERT.address, display_name="Ke$ha"), r"^Zentral: the name in row 2 holds \$"),
        ("addigy", Account("b}}@contoso.example"), r"^Addigy: the address in row 2 holds \}\}"),
    ],
)
def test_a_variable_in_one_persons_file_is_refused(
    mdm_id: str, person: Account, reason: str, tmp_path: Path, identity: Path
) -> None:
    with pytest.raises(MdmRefusal, match=reason) as refused:
        _export(_desk(MDMS[mdm_id], identity), _list(tmp_path, person), tmp_path / "set.zip")
    assert "contoso.example" not in str(refused.value)
    assert not (tmp_path / "set.zip").exists()


def test_what_an_mdm_escapes_once_too_often_is_refused_unless_a_signature_keeps_it(
    tmp_path: Path, identity: Path
) -> None:
    person, jamf = Account(BERT.address, display_name="Bert & Söhne"), MDMS["jamf-pro"]
    assert jamf.profiles is not None
    _export(_desk(jamf, identity), _list(tmp_path, person), tmp_path / "set.zip")
    unsigned = dataclasses.replace(jamf, profiles=dataclasses.replace(jamf.profiles, signed=Answer.NO))
    with pytest.raises(MdmRefusal, match=r"^Jamf Pro: the name in row 2 holds &, which it escapes once too often"):
        _export(_desk(unsigned, identity), _list(tmp_path, person), tmp_path / "again.zip")


@pytest.mark.parametrize("limit", [1000, 3000])
def test_a_file_over_the_limit_is_refused_signed_or_not(limit: int, tmp_path: Path, identity: Path) -> None:
    nanomdm = MDMS["nanomdm"]
    assert nanomdm.profiles is not None
    small = dataclasses.replace(nanomdm, profiles=dataclasses.replace(nanomdm.profiles, limit=limit))
    with pytest.raises(DocumentTooLarge, match=rf"^NanoMDM: .* bytes, and a file may have {limit:,}"):
        _export(_desk(small, identity), _list(tmp_path, BERT), tmp_path / "set.zip")
    assert not (tmp_path / "set.zip").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("address\nbert@contoso.example\nno address\n", r"people\.csv: row 3, column address: "),
        ("address\nbert@contoso.example\nBert@Contoso.Example\n", "row 3 names a mailbox that an earlier row names"),
        ("address\n", "names nobody"),
        ("name\nBert\n", "address"),
        ("UPN,Proxy adresses\nbert@contoso.example,\n", "The column 'Proxy adresses' is not read"),
    ],
)
def test_a_list_with_a_row_that_cannot_be_used_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(text)
    with pytest.raises((InvalidSetting, InvalidTable), match=reason) as refused:
        _export(_desk(MDMS["iru"], tmp_path), people, tmp_path / "set.zip")
    assert "bert@" not in str(refused.value).lower()
    assert ["people.csv"] == names(tmp_path)


def test_a_list_that_cannot_be_read_twice_is_refused(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    os.mkfifo(people)
    writer = threading.Thread(target=lambda: people.write_text("address\nbert@contoso.example\n"))
    writer.start()
    with pytest.raises(InvalidSetting, match=r"people\.csv cannot be read: it is no plain file\."):
        _export(_desk(MDMS["iru"], tmp_path), people, tmp_path / "set.zip")
    writer.join(timeout=10)


def test_a_person_of_a_domain_that_is_not_configured_is_refused(tmp_path: Path) -> None:
    people = _list(tmp_path, BERT, Account("a@fabrikam.example"))
    with pytest.raises(InvalidSetting, match=r"people\.csv: row 3: The domain 'fabrikam\.example' is not configured"):
        _export(_desk(MDMS["iru"], tmp_path), people, tmp_path / "set.zip")
    assert ["people.csv"] == names(tmp_path)


# a run that is killed


def _unnamed_bytes(process_id: int, directory: Path) -> int:
    """How much a process has written into files of ``directory`` that have no name."""
    sizes = []
    for link in Path(f"/proc/{process_id}/fd").iterdir():
        try:
            place, state = str(link.readlink()), link.stat()
        except FileNotFoundError:  # closed since
            continue
        if place.startswith(f"{directory}/") and state.st_nlink == 0:
            sizes.append(state.st_size)
    return max(sizes, default=0)


@pytest.fixture
def exporting(tmp_path: Path, identity: Path) -> Iterable[tuple[Path, Running]]:
    """A directory, and an export into it that has written some and has much to do."""
    context, target = tmp_path / "contoso.toml", tmp_path / "target"
    context.write_text('[organisation]\nid = "c"\nname = "C"\n\n[[domain]]\nname = "contoso.example"\n')
    people = _list(tmp_path, *(Account(f"p{number}@contoso.example") for number in range(30_000)))
    target.mkdir()
    command: list[str | Path] = [
        "export",
        "--mdm",
        "nanocmd",
        "--csv",
        people,
        "--context",
        context,
        "--identity",
        identity,
    ]
    with running(
        *command, "-o", target / "set.zip", "--processes", "2", PROVISIONER_DATA_DIR=str(tmp_path / "data")
    ) as process:
        until(lambda: _unnamed_bytes(process.process.pid, target) > 200_000, of=process)
        yield target, process


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_of_an_export_that_is_ended_nothing_is_left(exporting: tuple[Path, Running], number: signal.Signals) -> None:
    target, process = exporting
    (target / "set.zip").write_bytes(b"the one before")
    assert 0 != process.end(number)
    assert ["set.zip"] == names(target)
    assert b"the one before" == (target / "set.zip").read_bytes()
    until(lambda: process.is_gone)
