"""What cannot be pushed is refused before anything is sent: another set, a changed one, and options that do not fit."""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import CatalogueError, InvalidInput
from provisioner.mdm import load_mdms
from provisioner.push import push_api, read_export
from tests.checkout import CHECKOUT
from tests.mdm_servers import TOKEN, Authority, make_authority
from tests.pushing import CASES, MDMS, Case, Place, administrator

BY_ID = {case.id: case for case in CASES}
FLEET = BY_ID["fleet"]
PROFILE = "iphone-ipad/contoso.example-ios-exchange.mobileconfig"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def place(tmp_path: Path, authority: Authority) -> Iterator[Place]:
    with administrator(tmp_path, authority) as place:
        yield place


def _refused(place: Place, case: Case, *arguments: str | Path, **more: str) -> str:
    """The line that a push is refused with; the server is one that no test could reach."""
    server = ("--server", "https://127.0.0.1:1")
    return place.shell.refusal("push", "--mdm", case.id, *server, *arguments, exit_code=2, **more)


def _changed(export: Path, change: Callable[[str, bytes], bytes | None], *, tell: bool = False) -> Path:
    """The set with files changed or left out; ``tell`` has the manifest say so."""
    with ZipFile(export) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files = {name: content for name, old in files.items() if (content := change(name, old)) is not None}
    if tell:
        manifest = json.loads(files["manifest.json"])
        for entry in manifest["files"]:
            entry["sha256"] = sha256(files[entry["file"]]).hexdigest()
        files["manifest.json"] = json.dumps(manifest).encode()
    changed = export.with_name("changed.zip")
    with ZipFile(changed, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return changed


def test_an_mdm_without_an_api_is_refused_with_the_ones_that_have_one(place: Place) -> None:
    for mdm in MDMS.values():
        if mdm.push is None:
            refusal = place.shell.refusal("push", "--mdm", mdm.id, place.directory / "people.csv")
            assert f"Nothing can be pushed to {mdm.name}" in refusal
            assert f"'provisioner export --mdm {mdm.id}'" in refusal
            assert "fleet, intune, micromdm, nanomdm, zentral" in refusal


def test_an_unknown_mdm_gets_the_nearest(place: Place) -> None:
    assert "Did you mean 'fleet'?" in place.shell.refusal("push", "--mdm", "flet", place.directory / "people.csv")


def test_a_set_for_another_mdm_is_refused(place: Place) -> None:
    refusal = _refused(place, BY_ID["zentral"], place.export(FLEET))
    assert "This set is for 'fleet', and not for Zentral. Export one: 'provisioner export --mdm zentral'." == refusal


def test_peoples_own_files_are_never_pushed_for_everybody(place: Place) -> None:
    export = place.directory / "people.zip"
    context = ("--context", place.directory / "contoso.toml")
    place.export(FLEET)  # writes the directory's file
    place.shell.run("export", "--mdm", "fleet", "--csv", place.directory / "people.csv", *context, "-o", export)
    assert "Fleet would install each person's own files for everybody" in _refused(place, FLEET, export)


@pytest.mark.parametrize("case", [case for case in CASES if case.for_people], ids=lambda case: case.id)
def test_an_mdm_that_fills_nobody_in_gets_no_set_for_a_domain(case: Case, place: Place) -> None:
    place.export(case)
    whom = ("--domain", "contoso.example", "--context", place.directory / "contoso.toml", "--device", "X")
    assert "--csv FILE" in _refused(place, case, *whom)


def test_a_file_that_is_not_as_it_was_exported_is_refused_by_name(place: Place) -> None:
    changed = _changed(
        place.export(FLEET), lambda name, old: old.replace(b"Contoso", b"C0ntoso") if name == PROFILE else old
    )
    refusal = _refused(place, FLEET, changed)
    assert refusal.startswith(f"{PROFILE} is not as it was exported")
    kept = ("--only", "mac/*", "--dry-run")  # the others are still good
    place.shell.run("push", "--mdm", "fleet", "--server", "https://127.0.0.1:1", changed, *kept)


_HEAD = b"<plist><dict><key>PayloadIdentifier</key><array/><key>Command</key>"
_DEEP = _HEAD + b"<array>" * 20_000 + b"</array>" * 20_000 + b"</dict></plist>"
_ERASE = _HEAD + b"<dict><key>RequestType</key><string>EraseDevice</string></dict></dict></plist>"


@pytest.mark.parametrize(
    "content",
    [b"", b"nothing", b"<plist><dict/></plist>", b"<plist><array/></plist>", b"\xff", _DEEP, _ERASE],
    ids=["empty", "nothing", "dict", "array", "noise", "deep", "another-command"],
)
@pytest.mark.parametrize("case", [BY_ID["fleet"], BY_ID["zentral"], BY_ID["nanomdm"]], ids=lambda case: case.id)
def test_a_file_that_no_export_writes_is_refused_though_the_manifest_knows_it(
    case: Case, place: Place, content: bytes
) -> None:
    suffix = ".plist" if case.id == "nanomdm" else ".mobileconfig"
    changed = _changed(place.export(case), lambda name, old: content if name.endswith(suffix) else old, tell=True)
    only = [part for pattern in case.only for part in ("--only", pattern)]
    assert "is not as 'provisioner export' writes it" in _refused(place, case, changed, *case.options, *only)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"@odata.type": "x"}', b"\xff", b"[" * 100_000], ids=len)
def test_a_body_for_graph_that_no_export_writes_is_refused(place: Place, content: bytes) -> None:
    case = BY_ID["intune"]
    changed = _changed(
        place.export(case), lambda name, old: content if name.startswith("intune/custom/") else old, tell=True
    )
    assert "is not as 'provisioner export' writes it" in _refused(place, case, changed, *case.options)


def test_a_kind_of_policy_that_has_no_place_is_refused(place: Place) -> None:
    case = BY_ID["intune"]
    changed = _changed(
        place.export(case), lambda _, old: old.replace(b"graph.iosCustomConfiguration", b"graph.iosOther"), tell=True
    )
    assert "is a 'iosOther'; iosCustomConfiguration, " in _refused(place, case, changed, *case.options)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda name, old: None if name == "manifest.json" else old, "holds no manifest.json"),
        (lambda name, old: b"{}" if name == "manifest.json" else old, "holds no manifest.json"),
        (lambda name, old: b"[" if name == "manifest.json" else old, "holds no manifest.json"),
        (lambda name, old: None if name == PROFILE else old, "cannot be read: it is no set, or damaged"),
        (
            lambda name, old: (
                old.replace(PROFILE.encode(), rb"mac/\u001b]0;title.mobileconfig") if name == "manifest.json" else old
            ),
            "holds no manifest.json as",
        ),
    ],
    ids=["no-manifest", "empty-manifest", "broken-manifest", "a-file-is-gone", "a-name-for-the-terminal"],
)
def test_a_set_that_is_not_whole_is_refused(
    place: Place, change: Callable[[str, bytes], bytes | None], reason: str
) -> None:
    assert reason in _refused(place, FLEET, _changed(place.export(FLEET), change))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Path:
    with administrator(tmp_path_factory.mktemp("whole"), authority) as place:
        return place.export(FLEET)


@given(st.binary(max_size=64), st.floats(0, 1))
def test_a_damaged_zip_is_refused_or_holds_what_was_exported(whole: Path, noise: bytes, where: float) -> None:
    content = whole.read_bytes()
    at = int(where * len(content))
    damaged = whole.with_name("damaged.zip")
    damaged.write_bytes(content[:at] + noise + content[at + len(noise) :])
    try:
        files = read_export(damaged, MDMS["fleet"], wants=lambda name: name == PROFILE, for_people=False)
    except InvalidInput:
        return
    assert all(file.content in content for file in files)


def test_what_no_file_is_called_like_is_refused(place: Place) -> None:
    assert "no file for the API of Fleet that is called like linux/* or win/*" in _refused(
        place, FLEET, place.export(FLEET), "--only", "linux/*", "--only", "win/*"
    )


def test_every_pattern_has_to_name_something(place: Place) -> None:
    """What one of two patterns misspells would be missing in the MDM, and nobody would notice."""
    refusal = _refused(place, FLEET, place.export(FLEET), "--only", "mac/*", "--only", "iphone_ipad/*")
    assert "no file for the API of Fleet that is called like iphone_ipad/*, so nothing is pushed" in refusal


def test_what_waits_for_a_value_says_which_and_what_it_is(place: Place) -> None:
    case = BY_ID["intune"]
    refusal = place.shell.run("push", place.export(case), "--mdm", "intune", exit_code=2).stderr
    for name in case.options[1::2]:
        assert f"--fill {name.partition('=')[0]}=…" in refusal
    assert 3 == refusal.count("the id (a GUID)")


@pytest.mark.parametrize(
    ("mdm", "options", "reason"),
    [
        ("zentral", ["--team", "1"], "Zentral knows no --team. Leave it out."),
        ("fleet", ["--fill", "A=b"], "Fleet knows no --fill. Leave it out."),
        ("fleet", ["--device", "X"], "Fleet decides itself which devices get what. Leave --device out."),
        ("intune", ["--fill", "A=b"], "--fill 'A' is nothing that a set waits for; its README lists them."),
        ("intune", ["--fill", "A"], "--fill was expected to be NAME=VALUE, with the name that the set's README lists."),
        ("micromdm", [], "MicroMDM has to be told the person's devices: --device ID, once for each."),
        ("nanomdm", ["--device", "A,B", "--only", "*ipad*exchange*"], "A device's id holds no comma."),
        ("nanomdm", ["--device", "A"], "NanoMDM is told the devices of one file at a time, and 4 are meant"),
    ],
)
def test_an_option_that_does_not_fit_is_refused(place: Place, mdm: str, options: list[str], reason: str) -> None:
    assert _refused(place, BY_ID[mdm], place.export(BY_ID[mdm]), *options).startswith(reason)


@pytest.mark.parametrize("case_id", ["micromdm", "nanomdm"])
@pytest.mark.parametrize("device", ["", " ", "A B"])
def test_a_device_has_an_id(case_id: str, device: str, place: Place) -> None:
    case = next(case for case in CASES if case.id == case_id)
    said = place.push(case, place.export(case), "https://mdm.contoso.example", "--device", device, exit_code=2)
    assert "--device is empty or holds a blank, which no device's id has." in said.stderr


def test_where_and_with_what_has_to_be_said(place: Place) -> None:
    export = place.export(FLEET)
    assert "Where is Fleet? Give --server URL." == place.shell.refusal("push", "--mdm", "fleet", export)
    missing = _refused(place, FLEET, export, PROVISIONER_PUSH_TOKEN_FILE="")
    assert "The MDM's token is missing. Give --push-token-file FILE, or set PROVISIONER_PUSH_TOKEN." == missing
    both = _refused(place, FLEET, export, PROVISIONER_PUSH_TOKEN="x")
    assert "PROVISIONER_PUSH_TOKEN_FILE and PROVISIONER_PUSH_TOKEN are both given" in both
    gone = _refused(place, FLEET, export, "--push-token-file", place.directory / "gone")
    assert "--push-token-file names a file that cannot be read" in gone


def test_a_set_or_a_domain_is_needed_and_not_both(place: Place) -> None:
    both: list[str | Path] = [place.export(FLEET), "--domain", "contoso.example"]
    for arguments in ([], both):
        result = place.shell.run("push", "--mdm", "fleet", *arguments, exit_code=2)
        assert "One of EXPORT.zip and --domain was expected" in result.stderr


def test_the_token_is_no_option_and_is_shown_nowhere(place: Place) -> None:
    assert "No such option" in place.shell.run("push", "--push-token", TOKEN, exit_code=2).stderr
    assert TOKEN not in place.shell.run("config", "show").output


def test_a_fact_file_that_the_code_cannot_use_is_refused_by_key(tmp_path: Path) -> None:
    facts = (CHECKOUT / "provisioner" / "mdm" / "zentral.toml").read_text()
    for old, new, key in (
        ('speaks = "zentral"', 'speaks = "zentrall"', "push.speaks"),
        ('calls.publish = "POST /api/mdm/profiles/"\n', "", "push.calls"),
        ('fields.version = "version"', 'fields.versions = "version"', "push.fields"),
    ):
        assert old in facts
        (tmp_path / "zentral.toml").write_text(facts.replace(old, new))
        mdms = load_mdms(tmp_path)
        with pytest.raises(CatalogueError) as refused:
            push_api(mdms, mdms["zentral"])
        assert key == refused.value.key


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('scheme = "Token"', 'scheme = "Digest"', "cannot be 'Digest'"),
        ('scheme = "Token"', 'scheme = "Basic"', "is for the scheme Basic alone, which has to have one."),
        ('scheme = "Token"', 'scheme = "Token"\nuser = "x"', "is for the scheme Basic alone"),
        ('speaks = "zentral"', 'speaks = "../zentral"', "a module of push was expected"),
        ('"GET /api/mdm/profiles/"', '"DELETE /api/mdm/profiles/"', "is no endpoint"),
        ('"GET /api/mdm/profiles/"', '"GET https://mdm.contoso.example/"', "is no endpoint"),
        ('speaks = "zentral"', 'speaks = "zentral"\nserver = "http://mdm.contoso.example"', "https"),
        ('fields.id = "id"', "fields.id = 7", "is an integer; a string was expected."),
    ],
)
def test_a_push_table_that_cannot_be_trusted_is_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    facts = (CHECKOUT / "provisioner" / "mdm" / "zentral.toml").read_text()
    assert old in facts
    (tmp_path / "zentral.toml").write_text(facts.replace(old, new))
    with pytest.raises(CatalogueError) as refused:
        load_mdms(tmp_path)
    assert reason in str(refused.value)
    assert refused.value.key.startswith("push.")
