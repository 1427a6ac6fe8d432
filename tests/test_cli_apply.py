"""``provisioner apply`` and ``export-config``: the directory in a file, shown like a plan and made so at once."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from sqlalchemy import select

from provisioner.cli.directoryfile import parse_directory
from provisioner.cli.directorywriting import write_directory
from provisioner.directory import Directory, Plan, Snapshot
from provisioner.store import Store, sqlite_url, tables
from tests.commands import Shell, shell_with_contoso
from tests.directories import PNG, snapshots
from tests.samples import NOW, PROVIDERS
from tests.stores import Clock

TWO = """
[[organisation]]
id = "contoso"
name = "Contoso"
help_text = "Monday to Friday"
help_texts = { de = "Montag bis Freitag" }

[[organisation]]
id = "fabrikam"
name = "Fabrikam"

[[domain]]
name = "contoso.example"
organisation = "contoso"

[[domain]]
name = "fabrikam.example"
organisation = "fabrikam"
prefer = "outlook"
"""
CONTOSO_ALONE = TWO[: TWO.index('[[organisation]]\nid = "fabrikam"')] + '[[domain]]\nname = "contoso.example"\n'


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data", {"PROVISIONER_PUBLIC_URL": "https://setup.contoso.example"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "directory.toml"
    path.write_text(TWO, encoding="utf-8")
    return path


def _said(shell: Shell, *arguments: str | Path) -> list[str]:
    return shell.run("apply", *arguments).stdout.splitlines()


def _replace(file: Path, old: str, new: str) -> None:
    content = file.read_text(encoding="utf-8")
    assert old in content
    file.write_text(content.replace(old, new), encoding="utf-8")


ALL_NEW = ["+ organisation contoso", "+ organisation fabrikam", "+ domain contoso.example", "+ domain fabrikam.example"]


def test_what_is_declared_is_there_afterwards_and_the_second_time_nothing_changes(shell: Shell, file: Path) -> None:
    assert [*ALL_NEW, "Done: 4 added."] == _said(shell, file)
    assert "outlook" == shell.json("domain", "show", "fabrikam.example")["prefer"]
    assert {"de": "Montag bis Freitag"} == shell.json("organisation", "show", "contoso")["help_texts"]
    assert ["Nothing to change."] == _said(shell, file)


def test_a_dry_run_shows_the_same_and_changes_nothing(shell: Shell, file: Path) -> None:
    assert [*ALL_NEW, "Nothing was changed (--dry-run): 4 to add."] == _said(shell, file, "--dry-run")
    assert [] == shell.json("organisation", "list")
    assert [*ALL_NEW, "Done: 4 added."] == _said(shell, file)


def test_each_setting_that_changes_has_a_line_with_before_and_after(shell: Shell, file: Path) -> None:
    _said(shell, file)
    _replace(file, 'prefer = "outlook"', 'smtp_password = true\naccount_kinds = ["imap", "pop"]')
    _replace(file, 'help_text = "Monday to Friday"', 'accent_colour = "#0b57d0"\nlanguages = ["en"]')
    _replace(file, 'de = "Montag bis Freitag"', f'de = "Mo. {"x" * 70}", en = "Monday"')
    assert [
        "~ organisation contoso: help_text 'Monday to Friday' -> none",
        f"~ organisation contoso: help_texts.de 'Montag bis Freitag' -> 'Mo. {'x' * 55}…",
        "~ organisation contoso: help_texts.en none -> Monday",
        "~ organisation contoso: languages none -> en",
        "~ organisation contoso: accent_colour none -> #0b57d0",
        "~ domain fabrikam.example: account_kinds exchange -> imap,pop",
        "~ domain fabrikam.example: smtp_password false -> true",
        "~ domain fabrikam.example: prefer outlook -> builtin",
        "Done: 2 changed.",
    ] == _said(shell, file)


def test_a_logo_is_shown_by_its_sha_256(shell: Shell, file: Path) -> None:
    _said(shell, file)
    (file.parent / "logo.png").write_bytes(PNG)
    _replace(file, 'name = "Contoso"\n', 'name = "Contoso"\nlogo = "logo.png"\n')
    line, _ = _said(shell, file)
    sha256 = shell.json("organisation", "show", "contoso")["logo"]["sha256"]
    assert f"~ organisation contoso: logo none -> {sha256}" == line


def test_what_no_app_takes_is_told_before_anything_is_planned(shell: Shell, file: Path) -> None:
    _replace(file, 'name = "Contoso"\n', 'name = "Contoso"\noutlook = { FocusedInbox = true }\n')
    for arguments in ((file, "--dry-run"), (file,)):
        refusal = shell.refusal("apply", *arguments)
        assert f"{file}: [[organisation]] contoso: Microsoft Outlook has no documented setting" in refusal
        assert refusal.endswith("Did you mean 'com.microsoft.outlook.Mail.FocusedInbox'?")


def test_an_apps_setting_is_shown_by_its_name(shell: Shell, file: Path) -> None:
    inbox = "com.microsoft.outlook.Mail.FocusedInbox"
    _replace(file, 'name = "Contoso"\n', f'name = "Contoso"\noutlook = {{ "{inbox}" = true }}\n')
    _said(shell, file)
    _replace(file, "= true }", "= false }")
    assert [f"~ organisation contoso: outlook.{inbox} true -> false", "Done: 1 changed."] == _said(shell, file)
    assert {inbox: False} == shell.json("organisation", "show", "contoso")["outlook"]
    assert ["Nothing to change."] == _said(shell, file)


def test_what_the_file_does_not_name_is_left_alone_and_said_so(shell: Shell, file: Path) -> None:
    _said(shell, file)
    file.write_text(CONTOSO_ALONE, encoding="utf-8")
    result = shell.run("apply", file)
    assert "Nothing to change.\n" == result.stdout
    assert f"Left alone: organisation fabrikam, which {file} does not name." in result.stderr
    assert f"Left alone: domain fabrikam.example, which {file} does not name." in result.stderr
    assert 2 == len(shell.json("organisation", "list"))


def test_pruning_removes_what_the_file_does_not_name(shell: Shell, file: Path) -> None:
    _said(shell, file)
    file.write_text(CONTOSO_ALONE, encoding="utf-8")
    expected = ["- domain fabrikam.example", "- organisation fabrikam"]
    assert [*expected, "Nothing was changed (--dry-run): 2 to remove."] == _said(shell, file, "--prune", "--dry-run")
    assert [*expected, "Done: 2 removed."] == _said(shell, file, "--prune")
    assert ["contoso"] == [each["id"] for each in shell.json("organisation", "list")]
    assert ["Nothing to change."] == _said(shell, file, "--prune")


def test_a_domain_moves_out_of_an_organisation_that_is_pruned(shell: Shell, file: Path) -> None:
    _said(shell, file)
    file.write_text(f'{CONTOSO_ALONE}[[domain]]\nname = "fabrikam.example"\nprefer = "outlook"\n', encoding="utf-8")
    assert [
        "~ domain fabrikam.example: organisation_id fabrikam -> contoso",
        "- organisation fabrikam",
        "Done: 1 changed, 1 removed.",
    ] == _said(shell, file, "--prune")


def test_pruning_is_refused_while_links_are_open_and_then_nothing_changes(shell: Shell, file: Path) -> None:
    _said(shell, file)
    shell.run("link", "create", "anna@fabrikam.example")
    file.write_text(CONTOSO_ALONE.replace('name = "Contoso"', 'name = "Contoso Ltd"'), encoding="utf-8")
    refusal = shell.run("apply", file, "--prune", exit_code=1)
    assert "" == refusal.stdout
    assert 1 == len(refusal.stderr.splitlines())
    assert "The domain fabrikam.example still has 1 open setup link." in refusal.stderr
    assert refusal.stderr == shell.run("apply", file, "--prune", "--dry-run", exit_code=1).stderr, "it is foreseen"
    assert "Contoso" == shell.json("organisation", "show", "contoso")["name"]
    shell.run("link", "revoke", "--domain", "fabrikam.example")
    assert "Done: 1 changed, 2 removed." == _said(shell, file, "--prune")[-1]


def test_an_empty_file_prunes_nothing(shell: Shell, file: Path) -> None:
    _said(shell, file)
    file.write_text("", encoding="utf-8")
    assert "--prune would remove all there are" in shell.refusal("apply", file, "--prune")
    assert ["Nothing to change."] == _said(shell, file)


def test_the_plan_as_json(shell: Shell, file: Path) -> None:
    shell.run("organisation", "add", "contoso", "--name", "Contoso", "--help-text", "Always")
    shell.run("organisation", "add", "other", "--name", "Other")
    plan = shell.json("apply", file, "--dry-run")
    assert (False, [{"kind": "organisation", "id": "other"}]) == (plan["applied"], plan["left_alone"])
    assert {
        "action": "change",
        "kind": "organisation",
        "id": "contoso",
        "settings": {
            "help_text": {"before": "Always", "after": "Monday to Friday"},
            "help_texts": {"before": {}, "after": {"de": "Montag bis Freitag"}},
        },
    } == plan["changes"][0]
    assert ["change", "add", "add", "add"] == [change["action"] for change in plan["changes"]]
    assert {"before": None, "after": "outlook"} == plan["changes"][3]["settings"]["prefer"]
    assert plan | {"applied": True} == shell.json("apply", file)


def test_what_no_organisation_can_have_is_refused_all_at_once_with_file_and_domain(shell: Shell, file: Path) -> None:
    _replace(
        file,
        'prefer = "outlook"',
        'provider = "office366"\n[[domain]]\nname = "sub.outlook.com"\norganisation = "contoso"',
    )
    for more in ([], ["--dry-run"]):
        refusal = shell.run("apply", file, *more, exit_code=2)
        assert [
            f"Error: {file}: [[domain]] fabrikam.example: Unknown mail provider 'office366'. Did you mean 'office365'?",
            f"Error: {file}: [[domain]] sub.outlook.com: sub.outlook.com belongs to the private customers of "
            "Outlook.com (private accounts); no organisation owns it. Use a domain of the organisation's own.",
        ] == refusal.stderr.splitlines()
    assert [] == shell.json("organisation", "list")


def test_a_language_that_is_not_offered_yet_is_a_warning(shell: Shell, file: Path) -> None:
    _replace(file, 'name = "Fabrikam"', 'name = "Fabrikam"\nlanguages = ["en", "tlh", "sux"]')
    result = shell.run("apply", file)
    assert (
        "Warning: the organisation fabrikam names tlh, sux, which this version has no texts in. It has en"
        in result.stderr
    )
    assert "Done: 4 added." in result.stdout


def test_everything_stands_in_the_audit_trail(shell: Shell, file: Path) -> None:
    _said(shell, file)
    _replace(file, 'prefer = "outlook"', 'prefer = "builtin"')
    _said(shell, file)
    store = Store.open(sqlite_url(shell.data_dir))
    with store.read() as connection:
        rows = connection.execute(
            select(tables.audit.c.action, tables.audit.c.subject).order_by(tables.audit.c.id)
        ).all()
    store.close()
    assert [
        ("organisation.add", "contoso"),
        ("organisation.add", "fabrikam"),
        ("domain.add", "contoso.example"),
        ("domain.add", "fabrikam.example"),
        ("domain.change", "fabrikam.example"),
    ] == [tuple(row) for row in rows]


# export


def test_what_is_exported_is_one_file_that_changes_nothing(shell: Shell, file: Path, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(PNG)
    _replace(file, 'name = "Contoso"\n', 'name = "Contoso"\nlogo = "logo.png"\n')
    _said(shell, file)
    exported = tmp_path / "elsewhere" / "exported.toml"
    exported.parent.mkdir()
    shell.run("export-config", "-o", exported)
    assert ["Nothing to change."] == _said(shell, exported)
    assert exported.read_text(encoding="utf-8") == shell.run("export-config").stdout
    other = Shell(tmp_path / "other")
    assert "Done: 4 added." == _said(other, exported)[-1]
    assert exported.read_text(encoding="utf-8") == other.run("export-config").stdout


def test_an_export_reads_as_a_person_would_write_it(tmp_path: Path) -> None:
    shell = shell_with_contoso(tmp_path / "data")
    shell.run("organisation", "set", "contoso", "--help-text", 'Say "help"', "--help-text-in", "de", "Hilfe")
    assert (
        "# Whose people are provisioned; 'provisioner apply FILE' makes it so.\n"
        "\n"
        "[[organisation]]\n"
        'id = "contoso"\n'
        'name = "Contoso"\n'
        'help_text = "Say \\"help\\""\n'
        "\n"
        "[organisation.help_texts]\n"
        'de = "Hilfe"\n'
        "\n"
        "[[domain]]\n"
        'name = "contoso.example"\n'
        'organisation = "contoso"\n'
        'provider = "office365"\n'
        'autodiscover = "auto"\n'
        'account_kinds = ["exchange"]\n'
        "smtp_password = false\n"
        'ews = "blocked"\n'
        'sign_in_urls = "auto"\n'
        'prefer = "builtin"\n'
        'self_service = "invite"\n'
    ) == shell.run("export-config").stdout


def test_an_empty_directory_is_exported_too(shell: Shell, tmp_path: Path) -> None:
    shell.run("export-config", "-o", tmp_path / "empty.toml")
    assert ["Nothing to change."] == _said(shell, tmp_path / "empty.toml")


# properties


def _written(snapshot: Snapshot) -> Snapshot:
    return parse_directory(tomllib.loads(write_directory(snapshot)), beside=Path("/nowhere"))


@given(snapshots())
def test_whatever_is_written_is_read_as_it_was(snapshot: Snapshot) -> None:
    assert snapshot == _written(snapshot)
    assert write_directory(snapshot) == write_directory(_written(snapshot))


@contextmanager
def _directory() -> Iterator[Directory]:
    with TemporaryDirectory() as place:
        store = Store.open(sqlite_url(Path(place)))
        store.upgrade()
        yield Directory(store, PROVIDERS, clock=Clock(NOW))
        store.close()


def test_a_directory_becomes_what_is_wanted_and_its_export_changes_nothing() -> None:
    with _directory() as directory:

        @settings(max_examples=60, deadline=None)
        @given(snapshots(), snapshots())
        def way(first: Snapshot, second: Snapshot) -> None:
            directory.apply(first, prune=True, actor="test")
            assert first == directory.read()
            nothing = Plan((), ())
            assert nothing == directory.apply(_written(directory.read()), prune=True, actor="test")
            planned = directory.plan(second, prune=False)
            assert planned == directory.apply(second, prune=False, actor="test")
            assert {**first.organisations, **second.organisations} == directory.read().organisations
            assert {**first.domains, **second.domains} == directory.read().domains
            assert () == directory.apply(second, prune=False, actor="test").changes

        way()
