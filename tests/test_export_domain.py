"""A set for everybody of a domain: each MDM that reads it gets, with a person filled in, that person's own settings."""

import dataclasses
import json
import plistlib
import re
import shlex
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provisioner import __version__
from provisioner.catalogue import app_facts
from provisioner.catalogue.apps import AppKey
from provisioner.errors import DocumentTooLarge, InvalidInput, MdmRefusal, UnknownDomain
from provisioner.export import FORMS, Desk, export_domain
from provisioner.export.form import is_profile
from provisioner.format import Installation, Platform
from provisioner.formats import FORMATS, find_format
from provisioner.managed import Value
from provisioner.mdm import Answer, Mdm, load_mdms, variables_for, with_variables
from provisioner.model import Account
from provisioner.organisation import Organisation
from provisioner.provisioning import Provisioner
from provisioner.signing import Identity
from provisioner.texts import LANGUAGES
from tests.capabilities import apple_conformance_checker
from tests.mdms import OF_MACS, filler, judged, settings, unwrapped
from tests.samples import NOW, PROVIDERS, contoso_snapshot
from tests.test_mdm import TOY

DOMAIN = "contoso.example"


def _another_value(key: AppKey) -> Value:
    """A value that the key takes, and not its default where it has another."""
    values = [value for value in key.accepted if value != key.default]
    return values[0] if values else "ldaps://directory.contoso.example:636"


PLAIN = Organisation(id="contoso", name="Contoso", consent_text="We help: call 4711.")
# Every sign that some wrapping has to escape, texts in two languages, and every key of Outlook that can be set.
HARD = Organisation(
    id="contoso",
    name='Müller & Söhne "Nord" <AG>',
    consent_text="Agree & 'call' \"4711\" <now>.",
    consent_texts={"de": 'Ruf "4711" & <gleich> an.', "en": "Call 4711."},
    outlook={key.name: _another_value(key) for key in app_facts("outlook").keys.values() if not key.refusal},
)
_KNOWN = load_mdms()
MDMS = {**_KNOWN, "generic": with_variables(_KNOWN["generic"], address="[[mail]]", username="[[upn]]")}
WITH_VARIABLES = [pytest.param(mdm, id=mdm.id) for mdm in MDMS.values() if mdm.variables]
_PLATFORMS = {"iphone-ipad": Platform.IPHONE, "mac": Platform.MAC}


def _no_identity() -> Identity:
    raise AssertionError("nothing is signed")


def desk(mdm: Mdm, organisation: Organisation = PLAIN, provider_id: str = "office365") -> Desk:
    """A desk at which nothing can be signed."""
    return Desk(
        mdm=mdm,
        snapshot=contoso_snapshot(provider_id, organisation),
        providers=PROVIDERS,
        identity=_no_identity,
        now=NOW,
    )


def exported(mdm: Mdm, directory: Path, organisation: Organisation = PLAIN) -> dict[str, bytes]:
    """The files of the set by name."""
    export_domain(desk(mdm, organisation), DOMAIN, directory / "set.zip")
    with ZipFile(directory / "set.zip") as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def _manifest(files: Mapping[str, bytes]) -> dict[str, Any]:
    manifest = json.loads(files["manifest.json"])
    assert isinstance(manifest, dict)
    return manifest


def _entries(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [entry for entry in _manifest(files)["files"] if entry["format"]]


def _person(mdm: Mdm) -> Account:
    """Somebody whose values tell every mistake of escaping, as far as this MDM can carry them."""
    names = mdm.variables
    assert names is not None
    address = "Anna.O'Neil+phone@contoso.example"
    has_own_username = names.sign_in != names.address
    return Account(
        address,
        username="anna.oneil@contoso.example" if has_own_username else "",
        display_name='Anna O\'Neil & Söhne <"IT">' if names.escaped is Answer.YES else "",
    )


def _as_taken(organisation: Organisation, mdm: Mdm) -> Organisation:
    """The organisation without the signs that this MDM refuses."""
    unsafe = str.maketrans(dict.fromkeys(mdm.profiles.unsafe if mdm.profiles else (), ""))
    return dataclasses.replace(
        organisation,
        name=organisation.name.translate(unsafe),
        consent_text=organisation.consent_text.translate(unsafe),
        consent_texts={tag: text.translate(unsafe) for tag, text in organisation.consent_texts.items()},
    )


def _personal(person: Account, mdm: Mdm, entry: Mapping[str, Any], organisation: Organisation = PLAIN) -> Any:
    """The settings of the document that this person would get themselves, on the device that the file is for."""
    provisioner = Provisioner(
        providers=PROVIDERS,
        snapshot=lambda: contoso_snapshot("office365", organisation),
        identity=_no_identity,
        audit=lambda _: None,
        clock=lambda: NOW,
    )
    platform = next((_PLATFORMS[part] for part in entry["file"].split("/") if part in _PLATFORMS), Platform.IPHONE)
    assert mdm.profiles is not None
    installation = Installation(platform, mdm.profiles.scopes[platform])
    fmt = find_format(entry["format"])
    if not is_profile(fmt):  # no XML, for which alone an MDM is known to escape a name
        person = dataclasses.replace(person, display_name="")
    return settings(provisioner.draft(person, fmt, for_mdm=installation).content)


@pytest.mark.parametrize("mdm", WITH_VARIABLES)
@pytest.mark.parametrize("organisation", [PLAIN, HARD], ids=["plain", "hard"])
def test_with_a_person_filled_in_every_file_has_that_persons_own_settings(
    mdm: Mdm, organisation: Organisation, tmp_path: Path
) -> None:
    organisation = _as_taken(organisation, mdm)
    files, person = exported(mdm, tmp_path, organisation), _person(mdm)
    fill = filler(mdm.id, person)
    entries, compared = _entries(files), 0
    for entry in entries:
        name = entry["file"]
        if name == "fleet.yml" or name.startswith("intune/native/"):
            continue  # they have their own tests
        content = fill(unwrapped(name, files[name]))
        expected = _personal(person, mdm, entry, organisation)
        if name.startswith("payload/"):
            (expected,) = expected["PayloadContent"]
        if name.startswith("declarations/"):
            expected = next(each for each in expected if each["Type"] == settings(content)["Type"])
        assert expected == settings(content), name
        compared += 1
    assert len(entries) == compared + len({"fleet-gitops", "intune-eas"} & set(mdm.forms))


@pytest.mark.parametrize("mdm", WITH_VARIABLES)
def test_a_set_is_the_same_bytes_every_time(mdm: Mdm, tmp_path: Path) -> None:
    sets: list[bytes] = []
    for name in ("first.zip", "second.zip"):
        later = dataclasses.replace(desk(mdm), now=NOW.replace(year=2027) if sets else NOW)
        export_domain(later, DOMAIN, tmp_path / name)
        sets.append((tmp_path / name).read_bytes())
    assert sets[0] == sets[1]


@pytest.mark.parametrize("mdm", WITH_VARIABLES)
def test_the_manifest_has_every_file_with_its_digest(mdm: Mdm, tmp_path: Path) -> None:
    files = exported(mdm, tmp_path)
    manifest = _manifest(files)
    head = {name: manifest[name] for name in ("product", "version", "mdm", "mode", "catalogue")}
    assert {
        "product": "provisioner",
        "version": __version__,
        "mdm": mdm.id,
        "mode": "template",
        "catalogue": {"office365": "2026-11-23"},
    } == head
    assert [*(entry["file"] for entry in manifest["files"]), "manifest.json"] == list(files)
    assert ["README.txt"] == [entry["file"] for entry in manifest["files"] if not entry["format"]]
    assert "README.txt" == next(iter(files))
    for entry in manifest["files"]:
        assert sha256(files[entry["file"]]).hexdigest() == entry["sha256"]
        assert not entry["signed"]
        if entry["file"].endswith(".mobileconfig") or entry["file"].startswith("intune/custom/"):
            inside = unwrapped(entry["file"], files[entry["file"]])
            assert sha256(inside).hexdigest() == entry["content_sha256"]


@pytest.mark.parametrize("mdm", WITH_VARIABLES)
def test_profiles_are_unsigned_and_of_the_right_scope_and_device(mdm: Mdm, tmp_path: Path) -> None:
    profiles = {n: c for n, c in exported(mdm, tmp_path).items() if n.endswith(".mobileconfig")}
    assert bool(profiles) == ("profile" in mdm.forms)
    for name, content in profiles.items():
        profile = plistlib.loads(content)
        expected = ("User", 5) if name.startswith("mac/") else ("System", 1)
        assert expected == (profile["PayloadScope"], profile["TargetDeviceType"])


def _without_variables(mdm: Mdm, found: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """``found`` without what the checker says of variables as such: it knows the spelling of few MDMs."""
    assert mdm.variables is not None
    told = {f"unexpanded template text {name!r}" for name in mdm.variables.all}
    told |= {f"{name!r} is not one e-mail address" for name in mdm.variables.all}
    return [each for each in found if not (each[0].startswith("variables-") and each[2] in told)]


@pytest.mark.parametrize("mdm", WITH_VARIABLES)
def test_apples_schema_and_the_rules_for_mdms_are_kept(mdm: Mdm, tmp_path: Path) -> None:
    checker = apple_conformance_checker()
    fill, files = filler(mdm.id, _person(mdm)), exported(mdm, tmp_path)
    by_folder: dict[str, list[Path]] = {"iphone-ipad": [], "mac": []}
    for entry in _entries(files):
        name = entry["file"]
        if not is_profile(find_format(entry["format"])) or name.startswith(("payload/", "intune/native/", "fleet.yml")):
            continue  # no whole profile
        inside = unwrapped(name, files[name])
        for kind, content in (("variables", inside), ("filled", fill(inside))):
            path = tmp_path / f"{kind}-{name.replace('/', '-')}.mobileconfig"
            path.write_bytes(content)
            by_folder["mac" if "mac" in name.split("/") else "iphone-ipad"].append(path)
    if "payload-dict" in mdm.forms:
        assert {"iphone-ipad": [], "mac": []} == by_folder  # it gets no whole profiles with variables
        return
    assert [] == _without_variables(mdm, judged(checker, by_folder["mac"], platform="macOS"))
    found = _without_variables(mdm, judged(checker, by_folder["iphone-ipad"], platform="iOS"))
    assert [] == [each for each in found if each[1] != OF_MACS]
    assert {name for name, _, _ in found} == {path.name for path in by_folder["iphone-ipad"] if "apple-" in path.name}


@pytest.mark.parametrize("mdm", WITH_VARIABLES)
def test_the_readme_has_numbered_steps_the_variables_and_what_is_not_certain(mdm: Mdm, tmp_path: Path) -> None:
    files = exported(mdm, tmp_path)
    readme = " ".join(files["README.txt"].decode().split())
    assert mdm.variables is not None
    assert f"{DOMAIN} in {mdm.name}" in readme
    assert " 1. " in readme
    assert f"The files have {mdm.variables.address} for the address" in readme
    assert [] == [note for note in (*mdm.notes, *mdm.variables.notes) if note not in readme]
    assert ("Try one device first" in readme) == (mdm.variables.in_profiles is not Answer.YES)
    for command in mdm.api.lines if mdm.api else ():
        assert command.partition(" ")[0] in readme
    assert not re.search(r"\bFILE\.|DOMAIN", readme)
    placeholders = {name for file in files.values() for name in re.findall(r"PUT-THE-[A-Z-]+", file.decode())}
    assert {name for name in placeholders if name not in readme} == set()


@pytest.mark.parametrize("mdm", WITH_VARIABLES)
def test_the_readmes_commands_are_a_shells_and_name_files_of_the_set(mdm: Mdm, tmp_path: Path) -> None:
    files = exported(mdm, tmp_path)
    commands = re.findall(r"^\d+\. ((?:curl|sed) .*)$", files["README.txt"].decode(), re.MULTILINE)
    assert bool(mdm.api) == bool(commands)
    for command in commands:
        words = [re.split("[=@]", word)[-1] for word in shlex.split(command)]
        named = [word for word in words if word.endswith((".json", ".xml", ".plist", ".mobileconfig"))]
        assert set(named) <= set(files)
        assert named or "$FILE_ID" in command


@pytest.mark.parametrize("mdm", WITH_VARIABLES)
def test_nothing_but_the_variables_looks_like_one(mdm: Mdm, tmp_path: Path) -> None:
    assert mdm.variables is not None
    files = exported(mdm, tmp_path)
    for entry in _entries(files):
        if entry["file"].startswith("intune/native/"):
            texts = files[entry["file"]].decode().splitlines()[1:-1]  # without the brackets that are JSON's
        else:
            texts = [*_leaves(_parsed(unwrapped(entry["file"], files[entry["file"]])))]
        for text in texts:
            for name in mdm.variables.all:
                text = text.replace(name, "")
            assert [] == [sign for sign in mdm.variables.reserved if sign in text], entry["file"]


def _parsed(content: bytes) -> Any:
    """A document with everything in it, identifiers too."""
    return settings(content, everything=True) if not content.startswith(b"#") else yaml.safe_load(content)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from _leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    else:
        yield str(value)


@pytest.mark.parametrize("mdm", WITH_VARIABLES)
def test_no_language_of_ours_is_refused(mdm: Mdm, tmp_path: Path) -> None:
    """A text of a translation, too, may hold what an MDM would take for a variable or would garble."""
    for language in LANGUAGES:
        exported(mdm, tmp_path, dataclasses.replace(PLAIN, languages=(language,), consent_text=""))


def test_a_new_mdm_is_one_new_file(tmp_path: Path) -> None:
    (tmp_path / "toy.toml").write_text(TOY)
    files = exported(load_mdms(tmp_path)["toy"], tmp_path)
    person = Account("anna@contoso.example", username="a@contoso.example")
    profile = files[f"iphone-ipad/{DOMAIN}-ios-exchange.mobileconfig"]
    filled = profile.replace(b"[[mail]]", person.address.encode()).replace(b"[[upn]]", person.username.encode())
    own = {"file": "iphone-ipad/", "format": "ios-exchange"}
    assert _personal(person, MDMS["generic"], own) == settings(filled)
    assert [] == [name for name in files if name.startswith("mac/")]  # whose scope it does not say


def test_every_form_that_a_fact_file_names_exists_and_every_form_is_taken_by_some_mdm() -> None:
    assert set(FORMS) == {form for mdm in MDMS.values() for form in mdm.forms}


def test_irus_library_tells_the_profiles_of_a_set_apart(tmp_path: Path) -> None:
    readme = exported(MDMS["iru"], tmp_path)["README.txt"].decode()
    titles = re.findall(r" -F name=(\S+) ", readme)
    assert readme.count("curl ") == len(titles) == len(set(titles)) > 2


def test_intunes_readme_says_where_every_file_goes(tmp_path: Path) -> None:
    files = exported(MDMS["intune"], tmp_path)
    readme = files["README.txt"].decode()
    folders = {"/".join(name.split("/")[:-1]) for name in files if "/" in name}
    assert set() == {folder for folder in folders if f"{folder}/" not in readme}


def test_intunes_json_editor_gets_google_plays_form(tmp_path: Path) -> None:
    files = exported(MDMS["intune"], tmp_path)
    for app in ("outlook", "gmail"):
        document = json.loads(files[f"apps/android/{DOMAIN}-{app}-android-intune.json"])
        assert "androidenterprise#managedConfiguration" == document["kind"]
        body = json.loads(files[f"intune/apps/{DOMAIN}-{app}-android-intune.json"])
        assert document == json.loads(b64decode(body["payloadJson"]))


def test_fleets_gitops_names_the_profiles_by_their_paths(tmp_path: Path) -> None:
    files = exported(MDMS["fleet"], tmp_path)
    profiles = yaml.safe_load(files["fleet.yml"])["controls"]["apple_settings"]["configuration_profiles"]
    assert [name for name in files if name.endswith(".mobileconfig")] == [
        entry["path"].removeprefix("./") for entry in profiles
    ]


def test_intunes_native_profile_has_the_same_server_and_signs_in_with_microsoft(tmp_path: Path) -> None:
    files = exported(MDMS["intune"], tmp_path, HARD)
    activesync = PROVIDERS["office365"].activesync
    assert activesync is not None
    profile = plistlib.loads(files[f"iphone-ipad/{DOMAIN}-ios-exchange.mobileconfig"])
    assert {
        "@odata.type": "#microsoft.graph.iosEasEmailProfileConfiguration",
        "displayName": f"Provisioner: {DOMAIN}-ios-exchange (native)",
        "description": profile["PayloadDescription"],
        "accountName": profile["PayloadContent"][0]["PayloadDisplayName"],
        "hostName": activesync.hostname,
        "requireSsl": True,
        "useOAuth": True,
        "authenticationMethod": "usernameAndPassword",
        "emailAddressSource": "primarySmtpAddress",
        "usernameSource": "userPrincipalName",
        "durationOfEmailToSync": "unlimited",
        "easServices": "calendars,contacts,email,notes,reminders",
        "easServicesUserOverrideEnabled": True,
        "requireSmime": False,
    } == json.loads(files[f"intune/native/{DOMAIN}-ios-exchange.json"])


_CUSTOM = {"@odata.type", "displayName", "description", "payloadName", "payloadFileName", "payload"}
_GRAPH = {
    "iosCustomConfiguration": _CUSTOM,
    "macOSCustomConfiguration": {*_CUSTOM, "deploymentChannel"},
    "iosMobileAppConfiguration": {
        *("@odata.type", "displayName", "description", "targetedMobileApps", "encodedSettingXml"),
    },
    "androidManagedStoreAppConfiguration": {
        *("@odata.type", "displayName", "packageId", "payloadJson", "targetedMobileApps"),
        *("profileApplicability", "connectedAppsEnabled", "permissionActions"),
    },
}


def test_intunes_bodies_have_what_their_types_have_and_nothing_else(tmp_path: Path) -> None:
    files = exported(MDMS["intune"], tmp_path, HARD)
    bodies = {name: json.loads(content) for name, content in files.items() if name.startswith("intune/")}
    kinds = {name: body["@odata.type"].removeprefix("#microsoft.graph.") for name, body in bodies.items()}
    assert {*_GRAPH, "iosEasEmailProfileConfiguration"} == set(kinds.values())
    for name, kind in kinds.items():
        body = bodies[name]
        assert _GRAPH.get(kind, set(body)) == set(body), name
        assert body["displayName"].startswith(f"Provisioner: {DOMAIN}-")
        if "payload" in body:
            profile = name.removeprefix("intune/custom/").replace(".json", ".mobileconfig")
            assert files[profile] == b64decode(body["payload"])
            shown = plistlib.loads(files[profile])["PayloadDisplayName"]
            assert (profile.rpartition("/")[2], shown) == (body["payloadFileName"], body["payloadName"])
    assert len(bodies) == len({(kinds[name], body["displayName"]) for name, body in bodies.items()})
    macs = [body["deploymentChannel"] for name, body in bodies.items() if name.startswith("intune/custom/mac/")]
    assert {"userChannel"} == set(macs)


@pytest.mark.parametrize(
    ("mdm_id", "name", "sign"),
    [
        ("intune", "Contoso {{mail}}", "{{"),
        ("jamf-pro", "Contoso $MONEY", "$"),
        ("fleet", "Contoso $", "$"),
        ("jamf-school", "100 % Contoso", "%"),
        ("workspace-one", "Contoso {IT}", "{"),
        ("zentral", "Contoso $5", "$"),
        ("addigy", "Contoso }}", "}}"),
    ],
)
def test_a_name_that_would_be_taken_for_a_variable_is_refused(
    mdm_id: str, name: str, sign: str, tmp_path: Path
) -> None:
    with pytest.raises(MdmRefusal) as refused:
        exported(MDMS[mdm_id], tmp_path, dataclasses.replace(PLAIN, name=name))
    assert str(refused.value).startswith(f"{MDMS[mdm_id].name}: ")
    assert "the organisation's name" in str(refused.value)  # in the words of whoever has to write it otherwise
    assert f"holds {sign}, which it would take for a variable" in str(refused.value)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("sign", ["&", "<", ">", '"'])
def test_what_jamf_escapes_once_too_often_is_refused(sign: str, tmp_path: Path) -> None:
    with pytest.raises(MdmRefusal, match=r"^Jamf Pro: .* holds .*escapes once too often"):
        exported(MDMS["jamf-pro"], tmp_path, dataclasses.replace(PLAIN, name=f"Contoso {sign} Sons"))
    exported(MDMS["iru"], tmp_path, dataclasses.replace(PLAIN, name=f"Contoso {sign} Sons"))


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=20))
def test_whatever_the_organisations_name_a_set_says_it_rightly_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    mdm, person = MDMS["fleet"], _person(MDMS["fleet"])
    try:
        organisation = dataclasses.replace(PLAIN, name=name)
    except InvalidInput:
        return
    try:
        files = exported(mdm, tmp_path_factory.mktemp("set"), organisation)
    except MdmRefusal:
        assert "$" in name
        return
    content = filler("fleet", person)(files[f"iphone-ipad/{DOMAIN}-ios-exchange.mobileconfig"])
    assert organisation.name == plistlib.loads(content)["PayloadOrganization"]


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    intune = MDMS["intune"]
    assert intune.profiles is not None
    small = dataclasses.replace(intune, profiles=dataclasses.replace(intune.profiles, limit=1500))
    with pytest.raises(DocumentTooLarge, match=r"^Microsoft Intune: .* bytes, and a file may have 1,500"):
        exported(small, tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_an_mdm_without_variables_serves_no_domain(tmp_path: Path) -> None:
    with pytest.raises(MdmRefusal, match=r"^NanoMDM: .*--csv FILE"):
        exported(MDMS["nanomdm"], tmp_path)


def test_a_domain_that_is_not_configured_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownDomain):
        export_domain(desk(MDMS["intune"]), "fabrikam.example", tmp_path / "set.zip")
    assert [] == list(tmp_path.iterdir())


def test_a_provider_that_lacks_what_the_mdm_takes_is_refused(tmp_path: Path) -> None:
    narrow = dataclasses.replace(MDMS["android-management-api"], variables=MDMS["intune"].variables)
    with pytest.raises(MdmRefusal, match=r"^Google Android Management API: .* there is none that it can be given"):
        exported(narrow, tmp_path)


def test_variables_are_never_signed() -> None:
    provisioner = Provisioner(
        providers=PROVIDERS,
        snapshot=contoso_snapshot,
        identity=_no_identity,
        audit=lambda _: None,
        clock=lambda: NOW,
    )
    variables = variables_for(MDMS["intune"], DOMAIN)
    for fmt in FORMATS.values():
        with pytest.raises(InvalidInput, match="Only a person's document is issued"):
            provisioner.issue(variables, fmt)  # type: ignore[arg-type]  # what a careless caller would do


def test_declarations_inside_a_profile_are_not_for_mdms() -> None:
    with pytest.raises(InvalidInput, match="written for people and not for an MDM's variables"):
        find_format("apple-declarations").accept(variables_for(MDMS["intune"], DOMAIN))
