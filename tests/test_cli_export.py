"""``provisioner export``: a set for a domain or for people, refused in one line, its signatures on record."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy import create_engine, text

from tests.commands import Shell, names, shell_with_contoso
from tests.pki import make_signer, write_identity

CONTEXT = '[organisation]\nid = "c"\nname = "C"\n\n[[domain]]\nname = "contoso.example"\n'


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return shell_with_contoso(tmp_path / "data")


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text("address,name\nanna@contoso.example,Anna\nbert@contoso.example,Bert\n")
    return file


def _manifest(path: Path) -> dict[str, object]:
    with ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert isinstance(manifest, dict)
        return manifest


def _signatures(shell: Shell) -> list[tuple[str, str]]:
    engine = create_engine(f"sqlite:///{shell.data_dir}/provisioner.sqlite3")
    with engine.connect() as connection:
        query = text("SELECT details, actor FROM audit WHERE action = 'profile.sign'")
        rows = [(json.loads(details)["format"], actor) for details, actor in connection.execute(query)]
    engine.dispose()
    return rows


def test_a_domains_set_is_written_and_told(shell: Shell, tmp_path: Path) -> None:
    result = shell.run("export", "--mdm", "intune", "--domain", "Contoso.Example", "-o", tmp_path / "set.zip")
    manifest = _manifest(tmp_path / "set.zip")
    assert ("intune", "template") == (manifest["mdm"], manifest["mode"])
    files = manifest["files"]
    assert isinstance(files, list)
    assert f"{tmp_path}/set.zip: {len(files) - 1} files, unsigned. Begin with README.txt in it.\n" == result.stderr
    assert "" == result.stdout


def test_peoples_set_is_signed_and_every_signature_is_on_record(shell: Shell, people: Path, tmp_path: Path) -> None:
    write_identity(shell.data_dir / "identity", make_signer())
    result = shell.run("export", "--mdm", "nanomdm", "--csv", people, "-o", tmp_path / "set.zip")
    assert f"{tmp_path}/set.zip: 2 files for 2 people, 2 signed. Begin with README.txt in it.\n" in result.stderr
    assert ["ios-exchange", "ios-exchange"] == [fmt for fmt, _ in _signatures(shell)]


LICENSED = "User principal name,Licenses,Block credential\nanna@contoso.example,E3,False\n"
OTHERS = "bert@contoso.example,Unlicensed,False\ncarl@contoso.example,E3,True\ndora@contoso.example,E3,True\n"


def test_whoever_is_left_out_of_the_admin_centres_list_is_told(shell: Shell, tmp_path: Path) -> None:
    """Of a set for an MDM nobody would notice that a person is missing."""
    people = tmp_path / "users.csv"
    people.write_text(LICENSED + OTHERS)
    result = shell.run("export", "--mdm", "iru", "--csv", people, "-o", tmp_path / "set.zip")
    assert f"{tmp_path}/set.zip: 1 file for 1 person, unsigned. Begin with README.txt in it.\n" in result.stderr
    assert "Left out 2 rows: blocked.\nLeft out 1 row: unlicensed.\n" in result.stderr
    people.write_text(LICENSED.partition("anna")[0] + OTHERS)
    result = shell.run("export", "--mdm", "iru", "--csv", people, "-o", tmp_path / "set.zip", exit_code=2)
    assert "users.csv names nobody who gets a file; left out are 2 blocked, 1 unlicensed." in result.stderr


def test_from_a_file_no_store_is_needed_and_who_signs_is_said(people: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CONTEXT)
    write_identity(tmp_path / "identity", make_signer("Contoso mail setup"))
    shell = Shell(tmp_path / "data")
    facts: list[str | Path] = ["--context", tmp_path / "c.toml", "--identity", tmp_path / "identity"]
    result = shell.run("export", "--mdm", "jamf-pro", "--csv", people, *facts, "-o", tmp_path / "set.zip")
    assert 1 == result.stderr.count("Signed by Contoso mail setup at ")
    assert not (tmp_path / "data").exists()


def test_another_mdm_is_told_its_variables(shell: Shell, tmp_path: Path) -> None:
    variables = ["--address-variable", "%mail%", "--username-variable", "%upn%"]
    shell.run("export", "--mdm", "generic", "--domain", "contoso.example", *variables, "-o", tmp_path / "set.zip")
    with ZipFile(tmp_path / "set.zip") as archive:
        profile = archive.read("iphone-ipad/contoso.example-ios-exchange.mobileconfig")
        readme = archive.read("README.txt").decode()
    assert b"<string>%mail%</string>" in profile
    assert b"<string>%upn%</string>" in profile
    assert "Try one device first" in " ".join(readme.split())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--mdm", "intune"], "One of --domain and --csv was expected: a set for a domain, or for each person."),
        (["--mdm", "intun", "--domain", "contoso.example"], "Unknown MDM 'intun'. Did you mean 'intune'?"),
        (["--mdm", "nanomdm", "--domain", "contoso.example"], "NanoMDM: it fills no variables in"),
        (["--mdm", "generic", "--domain", "contoso.example"], "Another MDM: it needs --address-variable and"),
        (
            ["--mdm", "generic", "--domain", "contoso.example", "--address-variable", "%m%"],
            "Another MDM: --username-variable is empty",
        ),
        (
            ["--mdm", "generic", "--domain", "contoso.example", "--address-variable", "anna@contoso.example"],
            "Another MDM: --address-variable is an address",
        ),
        (
            ["--mdm", "jamf-pro", "--domain", "contoso.example", "--address-variable", "$MAIL"],
            "Jamf Pro: its variables are known here",
        ),
        (["--mdm", "intune", "--domain", "fabrikam.example"], "fabrikam.example"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_line(
    shell: Shell, arguments: list[str], reason: str, tmp_path: Path
) -> None:
    line = shell.refusal("export", *arguments, "-o", tmp_path / "set.zip")
    assert reason in line
    assert ["data"] == names(tmp_path)


def test_both_a_domain_and_a_list_are_refused(shell: Shell, people: Path, tmp_path: Path) -> None:
    both: list[str | Path] = ["--domain", "contoso.example", "--csv", people]
    line = shell.refusal("export", "--mdm", "intune", *both, "-o", tmp_path / "set.zip")
    assert "One of --domain and --csv was expected" in line


def test_without_an_identity_signed_profiles_cannot_be_written(shell: Shell, people: Path, tmp_path: Path) -> None:
    line = shell.refusal("export", "--mdm", "nanomdm", "--csv", people, "-o", tmp_path / "set.zip", exit_code=1)
    assert "identity" in line
    assert not (tmp_path / "set.zip").exists()
    assert [] == _signatures(shell)


@pytest.mark.parametrize("place", ["nowhere/set.zip", "people.csv/set.zip"])
def test_a_place_where_nothing_can_be_written_is_told(shell: Shell, people: Path, place: str, tmp_path: Path) -> None:
    where = people.parent / place
    line = shell.refusal("export", "--mdm", "iru", "--csv", people, "-o", where, exit_code=1)
    assert f"The file {where} could not be written: " in line
    assert ["data", "people.csv"] == names(tmp_path)
