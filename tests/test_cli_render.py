"""``provisioner render``: one document without a store; signed where it is due, whole or not at all."""

import os
import plistlib
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.cli.output import NotWritten, write_file
from provisioner.formats import FORMATS
from tests.commands import Shell, names
from tests.pki import content_openssl_verified, make_signer, write_identity

ANNA = "anna@contoso.example"
FULL = """
[organisation]
id = "contoso"
name = "Contoso & Töchter"
support_contact = "help@contoso.example"
consent_text = "Agreed?"

[[domain]]
name = "contoso.example"
provider = "office365-gcc-high"
autodiscover = "settings"
account_kinds = ["exchange", "imap"]
smtp_password = true
ews = "allowed"
sign_in_urls = "never"

[[domain]]
name = "bücher.example"
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    file = tmp_path / "contoso.toml"
    file.write_text(FULL)
    return file


# unsigned


def test_without_a_file_the_organisation_is_the_addresss_domain(shell: Shell) -> None:
    profile = plistlib.loads(shell.run("render", "ios-exchange", ANNA, "--unsigned").stdout_bytes)
    assert "contoso.example" == profile["PayloadOrganization"]
    assert ANNA == profile["PayloadContent"][0]["EmailAddress"]


def test_a_domain_as_long_as_domains_can_be_has_a_document_too(shell: Shell) -> None:
    domain = ".".join(["a" * 63, "b" * 63, "c" * 63, "example"])
    profile = plistlib.loads(shell.run("render", "ios-exchange", f"a@{domain}", "--unsigned").stdout_bytes)
    assert domain.startswith(profile["PayloadOrganization"])


def test_name_and_username_stand_in_the_document(shell: Shell) -> None:
    arguments = ("--name", "Anna Example", "--username", "anna@contoso.test", "--unsigned")
    (payload,) = plistlib.loads(shell.run("render", "apple-imap", ANNA, *arguments).stdout_bytes)["PayloadContent"]
    assert ("Anna Example", "anna@contoso.test") == (payload["EmailAccountName"], payload["IncomingMailServerUsername"])


def test_rendering_leaves_no_store_and_no_data_directory_behind(shell: Shell) -> None:
    shell.run("render", "ios-exchange", ANNA, "--unsigned")
    assert not shell.data_dir.exists()


def test_a_file_declares_the_organisation_and_its_domains(shell: Shell, declared: Path) -> None:
    profile = plistlib.loads(
        shell.run("render", "ios-exchange", ANNA, "--context", declared, "--unsigned").stdout_bytes
    )
    assert "Contoso & Töchter" == profile["PayloadOrganization"]
    assert {"default": "Agreed?"} == profile["ConsentText"]


def test_whoever_names_no_file_is_told_what_was_taken_instead(shell: Shell, declared: Path) -> None:
    arguments = ("render", "ios-exchange", ANNA, "--unsigned")
    said = "Written for office365 and an organisation called contoso.example; --context FILE declares yours"
    assert said in shell.run(*arguments).stderr
    assert "Written for office365-dod and" in shell.run(*arguments, "--provider", "office365-dod").stderr
    assert "" == shell.run(*arguments, "--context", declared).stderr


def test_the_provider_option_goes_before_the_files(shell: Shell, declared: Path) -> None:
    arguments = ("render", "ios-exchange", ANNA, "--unsigned", "--context", declared)
    as_declared = shell.run(*arguments).stdout_bytes
    assert as_declared == shell.run(*arguments, "--provider", "office365-gcc-high").stdout_bytes
    assert as_declared != shell.run(*arguments, "--provider", "office365").stdout_bytes


# signed


def test_a_document_that_is_due_to_be_signed_is_signed_by_the_configured_identity(shell: Shell, tmp_path: Path) -> None:
    root = write_identity(shell.data_dir / "identity", make_signer("Contoso IT"))
    result = shell.run("render", "ios-exchange", ANNA)
    draft = shell.run("render", "ios-exchange", ANNA, "--unsigned")
    assert draft.stdout_bytes == content_openssl_verified(result.stdout_bytes, root=root)
    assert result.stderr.startswith("Signed by Contoso IT at 20")
    assert {"identity", root.name} == set(names(shell.data_dir)), "no store was made"


def test_the_identity_can_be_named(shell: Shell, tmp_path: Path) -> None:
    root = write_identity(tmp_path / "certs", make_signer())
    result = shell.run("render", "ios-exchange", ANNA, "--signed", "--identity", tmp_path / "certs")
    assert content_openssl_verified(result.stdout_bytes, root=root).startswith(b"<?xml")


def test_without_an_identity_nothing_is_written_and_both_ways_out_are_named(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "anna.mobileconfig"
    refusal = shell.refusal("render", "ios-exchange", ANNA, "-o", file, exit_code=1)
    assert "provisioner identity create-demo" in refusal
    assert "--unsigned" in refusal
    assert not file.exists()


def test_a_directory_to_sign_with_and_no_signature_is_a_contradiction(shell: Shell, tmp_path: Path) -> None:
    refusal = shell.refusal("render", "ios-exchange", ANNA, "--unsigned", "--identity", tmp_path)
    assert refusal.startswith("--identity names what to sign with")


def test_a_format_that_is_never_signed_is_not_signed_and_cannot_be(shell: Shell) -> None:
    fmt = next(fmt for fmt in FORMATS.values() if not fmt.signed)
    assert "Signed" not in shell.run("render", fmt.id, ANNA).stderr
    refusal = shell.refusal("render", fmt.id, ANNA, "--signed")
    assert f"The format {fmt.id} is never signed; leave out --signed." == refusal


# refusals


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["ios-exchang", ANNA], "Unknown format 'ios-exchang'. Did you mean 'ios-exchange'?"),
        (["ios-exchange", "anna"], "The address has no @; one such as anna@contoso.com was expected."),
        (
            ["ios-exchange", ANNA, "--provider", "office366"],
            "Unknown mail provider 'office366'. Did you mean 'office365'?",
        ),
        (["ios-exchange", ANNA, "--username", "CONTOSO\\anna"], "The username has a backslash;"),
        (["ios-exchange", ANNA, "--name", "a\nb"], "The display name holds a line break"),
    ],
)
def test_misuse_is_refused_with_what_was_expected(arguments: list[str], reason: str, shell: Shell) -> None:
    assert shell.refusal("render", *arguments, "--unsigned").startswith(reason)


def test_a_format_whose_service_the_provider_lacks_could_not_be_done(shell: Shell) -> None:
    refusal = shell.refusal("render", "ios-exchange", ANNA, "--provider", "outlook-com", "--unsigned", exit_code=1)
    assert refusal.startswith("The format 'ios-exchange' needs activesync, and the provider 'outlook-com'")


def test_a_file_may_declare_several_organisations(shell: Shell, declared: Path) -> None:
    several = FULL.replace("[organisation]", "[[organisation]]")
    several = several.replace("[[domain]]", '[[domain]]\norganisation = "contoso"')
    fabrikam = '[[organisation]]\nid = "fabrikam"\nname = "Fabrikam"\n'
    declared.write_text(f'{several}{fabrikam}[[domain]]\nname = "fabrikam.example"\norganisation = "fabrikam"\n')
    arguments = ("--context", declared, "--unsigned")
    for address, name in ((ANNA, "Contoso & Töchter"), ("anna@fabrikam.example", "Fabrikam")):
        profile = plistlib.loads(shell.run("render", "ios-exchange", address, *arguments).stdout_bytes)
        assert name == profile["PayloadOrganization"]


def test_an_address_of_a_domain_that_the_file_does_not_declare_is_refused(shell: Shell, declared: Path) -> None:
    refusal = shell.refusal("render", "ios-exchange", "anna@fabrikam.example", "--context", declared, "--unsigned")
    assert refusal.startswith(f"{declared} has no [[domain]] called fabrikam.example, only contoso.example, xn--")
    declared.write_text(FULL[: FULL.index("[[domain]]")])
    refusal = shell.refusal("render", "ios-exchange", ANNA, "--context", declared, "--unsigned")
    assert f"{declared} has no [[domain]] called contoso.example. Add it there." == refusal


# files


def test_a_file_is_written_whole(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "anna.mobileconfig"
    result = shell.run("render", "ios-exchange", ANNA, "--unsigned", "-o", file)
    assert b"" == result.stdout_bytes
    assert file.read_bytes().startswith(b"<?xml")
    assert ["anna.mobileconfig"] == names(tmp_path)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0, 0o644)])
def test_a_new_file_can_be_read_by_whom_this_user_lets_read(mask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        write_file(tmp_path / "new", b"x")
    finally:
        os.umask(before)
    assert mode == stat.S_IMODE((tmp_path / "new").stat().st_mode)


@pytest.mark.parametrize("mode", [0o400, 0o640, 0o666])
def test_a_file_that_was_there_keeps_its_rights(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "old"
    file.touch()
    file.chmod(mode)
    write_file(file, b"x")
    assert (mode, b"x") == (stat.S_IMODE(file.stat().st_mode), file.read_bytes())


def test_a_file_that_cannot_be_written_to_its_end_leaves_nothing_and_the_old_one_stays(tmp_path: Path) -> None:
    file = tmp_path / "old"
    file.write_bytes(b"old")
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from provisioner.cli.output import NotWritten, write_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"  # as a full disk: what is more is not written
        "try: write_file(Path(sys.argv[1]), bytes(5000))\n"
        "except NotWritten as refusal: sys.exit(str(refusal))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, file], capture_output=True, text=True, check=False)
    assert (1, f"The file {file} could not be written: File too large.\n") == (ended.returncode, ended.stderr)
    assert b"old" == file.read_bytes()
    assert ["old"] == names(tmp_path), "nothing unfinished is left"


def test_a_file_that_cannot_be_written_is_said_and_nothing_is_left(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "missing" / "anna.mobileconfig"
    refusal = shell.refusal("render", "ios-exchange", ANNA, "--unsigned", "-o", file, exit_code=1)
    assert f"The file {file} could not be written: No such file or directory." == refusal
    assert [] == names(tmp_path)


def test_a_file_that_was_there_stays_where_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    target = tmp_path / "directory"
    target.mkdir()
    with pytest.raises(NotWritten, match="Is a directory"):
        write_file(target, b"x")
    assert ["directory"] == names(tmp_path)


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert b"new" == (tmp_path / "real").read_bytes()


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_file(Path(os.devnull), b"x")
    assert Path(os.devnull).is_char_device()


def test_a_language_is_found_by_any_spelling_and_an_unknown_one_is_refused_with_those_there_are(shell: Shell) -> None:
    english = shell.run("render", "instructions", ANNA).stdout
    assert english == shell.run("render", "instructions", ANNA, "--language", "EN-gb").stdout
    refused = shell.run("render", "instructions", ANNA, "--language", "tlh", exit_code=2)
    assert "no texts in the language 'tlh', only in: en" in refused.stderr
