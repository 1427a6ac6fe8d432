"""``provisioner organisation`` and ``provisioner domain``: an administrator says whose people are provisioned."""

import os
import sqlite3
import subprocess
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from tests.commands import Shell, shell_with_contoso
from tests.demonstration import free_port
from tests.directories import JPEG, PNG
from tests.processes import PATIENCE, PROVISIONER


@pytest.fixture
def empty(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return shell_with_contoso(tmp_path / "data")


# organisations

NO_MORE_OF_AN_ORGANISATION: dict[str, object] = {
    "consent_texts": {},
    "help_text": "",
    "help_texts": {},
    "languages": [],
    "logo": None,
    "accent_colour": "",
    "outlook": {},
}


def test_an_organisation_that_was_added_is_listed_and_shown(empty: Shell) -> None:
    added = empty.run(
        "organisation", "add", "contoso", "--name", "Contoso", "--support-contact", "help@contoso.example"
    )
    assert "Next: provisioner domain add DOMAIN --organisation contoso" in added.stdout
    assert ["contoso", "Contoso", "help@contoso.example"] == empty.run("organisation", "list").stdout.split()[4:]
    expected: dict[str, object] = {
        "id": "contoso",
        "name": "Contoso",
        "support_contact": "help@contoso.example",
        "consent_text": "",
    }
    expected |= NO_MORE_OF_AN_ORGANISATION
    assert [expected] == empty.json("organisation", "list")
    assert expected == empty.json("organisation", "show", "contoso")
    assert "consent text     none" in empty.run("organisation", "show", "contoso").stdout


def test_an_empty_list_says_where_was_looked(empty: Shell) -> None:
    for what in ("organisation", "domain", "link"):
        listed = empty.run(what, "list")
        assert "" == listed.stdout
        assert f"yet (data directory: {empty.data_dir})" in listed.stderr
        assert [] == empty.json(what, "list")


def test_only_what_is_given_of_an_organisation_changes(shell: Shell) -> None:
    shell.run("organisation", "set", "contoso", "--support-contact", "IT", "--consent-text", "Agreed?")
    shell.run("organisation", "set", "contoso", "--name", "Contoso Ltd", "--consent-text", "")
    expected: dict[str, object] = {"id": "contoso", "name": "Contoso Ltd", "support_contact": "IT", "consent_text": ""}
    expected |= NO_MORE_OF_AN_ORGANISATION
    assert expected == shell.json("organisation", "show", "contoso")


def test_every_setting_of_an_organisation_can_be_given_and_taken_away(empty: Shell, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(PNG)
    texts = ("--help-text", "9 to 5", "--help-text-in", "de", "9 bis 17", "--consent-text-in", "en", "Agreed?")
    looks = ("--languages", "en, en", "--accent-colour", "#0B57D0", "--logo", logo)
    empty.run("organisation", "add", "contoso", "--name", "Contoso", *texts, *looks)
    shown = empty.json("organisation", "show", "contoso")
    assert (
        NO_MORE_OF_AN_ORGANISATION
        | {
            "id": "contoso",
            "name": "Contoso",
            "support_contact": "",
            "help_text": "9 to 5",
            "help_texts": {"de": "9 bis 17"},
            "consent_text": "",
            "consent_texts": {"en": "Agreed?"},
            "languages": ["en"],
            "accent_colour": "#0b57d0",
            "logo": {"media_type": "image/png", "size": len(PNG), "sha256": sha256(PNG).hexdigest()},
        }
        == shown
    )
    taken_away = ("--no-logo", "--help-text-in", "de", "", "--help-text-in", "fr", "Ouvert", "--languages", "")
    empty.run("organisation", "set", "contoso", *taken_away)
    expected = shown | {"logo": None, "help_texts": {"fr": "Ouvert"}, "languages": []}
    assert expected == empty.json("organisation", "show", "contoso")


def test_an_organisation_is_shown_with_everything_that_people_see(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "logo.jpg").write_bytes(JPEG)
    given = ("--logo", tmp_path / "logo.jpg", "--languages", "en,de", "--help-text-in", "de", "9 bis 17")
    shown = shell.run("organisation", "set", "contoso", *given).stdout
    assert f"logo             image/jpeg, {len(JPEG)} octets" in shown
    assert "languages        en, de" in shown
    assert "help text in de  9 bis 17" in shown
    assert "accent colour    none" in shown
    assert shown == shell.run("organisation", "show", "contoso").stdout


def test_a_language_without_texts_is_a_warning(shell: Shell) -> None:
    said = shell.run("organisation", "set", "contoso", "--languages", "en,tlh").stderr
    assert said.startswith("Warning: the organisation contoso names tlh, which this version has no texts in. It has en")
    added = shell.run("organisation", "add", "other", "--name", "Other", "--consent-text-in", "tlh", "x")
    assert "names tlh, which this version has no texts in" in added.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--accent-colour", "blue"], "The accent colour 'blue' is not written as # and six digits, such as #0b57d0."),
        (["--languages", "de_DE"], "The language 'de_DE' is no tag such as de, pt-BR or zh-Hans."),
        (["--help-text-in", "German", "x"], "The language 'German' is no tag"),
        (["--logo", "/dev/null"], "/dev/null is no file."),
        (["--logo", "gone.png"], "The file gone.png cannot be read: No such file or directory."),
        (["--logo", __file__], "The logo is neither a PNG nor a JPEG picture."),
        (["--logo", "x.png", "--no-logo"], "--logo and --no-logo contradict each other; leave one out."),
    ],
)
def test_a_look_that_cannot_be_is_misuse(arguments: list[str], reason: str, shell: Shell) -> None:
    assert shell.refusal("organisation", "set", "contoso", *arguments).startswith(reason)


def test_a_change_of_nothing_is_misuse(shell: Shell) -> None:
    refusal = shell.refusal("organisation", "set", "contoso")
    assert "Nothing to change: name a setting of contoso and its new value." == refusal
    assert "Nothing to change: name a setting of contoso.example" in shell.refusal("domain", "set", "contoso.example")


def test_an_organisation_is_removed_after_its_domains(shell: Shell) -> None:
    assert "still has 1 domain" in shell.refusal("organisation", "remove", "contoso", exit_code=1)
    shell.run("domain", "remove", "contoso.example")
    shell.run("organisation", "remove", "contoso")
    assert [] == shell.json("organisation", "list")


@pytest.mark.parametrize("command", ["show", "set", "remove"])
def test_an_unknown_organisation_is_misuse_with_a_suggestion(command: str, shell: Shell) -> None:
    assert "Unknown organisation 'contos'. Did you mean 'contoso'?" == shell.refusal("organisation", command, "contos")


def test_adding_what_is_there_already_could_not_be_done(shell: Shell) -> None:
    assert "is there already" in shell.refusal("organisation", "add", "contoso", "--name", "x", exit_code=1)
    arguments = ("domain", "add", "contoso.example", "--organisation", "contoso")
    assert "is there already" in shell.refusal(*arguments, exit_code=1)


def test_an_organisation_that_cannot_be_is_misuse(empty: Shell) -> None:
    assert shell_says(empty, "add", "Contoso", "--name", "x").startswith("The organisation id 'Contoso' may hold a-z")
    assert shell_says(empty, "add", "contoso", "--name", " ").startswith("The organisation name is empty")


def shell_says(shell: Shell, *arguments: str) -> str:
    return shell.refusal("organisation", *arguments)


# domains


def test_a_new_domain_says_what_is_to_be_done_outside(shell: Shell) -> None:
    said = shell.run("domain", "add", "FABRIKAM.example.", "--organisation", "contoso").stdout
    assert "Added the domain fabrikam.example" in said
    assert "consents once for Apple's mail app" in said
    assert "'iOS Accounts'" in said
    assert "autodiscover.fabrikam.example stays where it is, at Microsoft (autodiscover.outlook.com)" in said
    assert "Next: provisioner link create NAME@fabrikam.example" in said


def test_a_domain_has_its_defaults(shell: Shell) -> None:
    expected = {
        "name": "contoso.example",
        "organisation": "contoso",
        "provider": "office365",
        "autodiscover": "auto",
        "account_kinds": ["exchange"],
        "smtp_password": False,
        "ews": "blocked",
        "sign_in_urls": "auto",
        "prefer": "builtin",
        "self_service": "invite",
    }
    assert expected == shell.json("domain", "show", "contoso.example")
    assert [expected] == shell.json("domain", "list")


def test_outlooks_keys_are_set_by_their_names_each_with_a_value_of_its_type(shell: Shell) -> None:
    focused, host = "com.microsoft.outlook.Mail.FocusedInbox", "com.microsoft.outlook.Mail.SMIMEEnabled.LDAPHostName"
    banners = "com.microsoft.outlook.Calendar.Notifications.IntuneMAMOnly"
    given = ("--outlook", focused, "False", "--outlook", host, "ldap.contoso.example:636", "--outlook", banners, "0")
    shell.run("organisation", "set", "contoso", *given)
    expected: dict[str, object] = {focused: False, host: "ldap.contoso.example:636", banners: 0}
    assert expected == shell.json("organisation", "show", "contoso")["outlook"]
    shell.run("organisation", "set", "contoso", "--outlook", focused, "", "--outlook", banners, "")
    assert {host: expected[host]} == shell.json("organisation", "show", "contoso")["outlook"]
    shell.run("organisation", "add", "fabrikam", "--name", "Fabrikam", "--outlook", focused, "true")
    assert {focused: True} == shell.json("organisation", "show", "fabrikam")["outlook"]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("FocusedInbox", "true", "Did you mean 'com.microsoft.outlook.Mail.FocusedInbox'?"),
        ("com.microsoft.outlook.Mail.FocusedInbox", "yes", "takes true or false; found 'yes'."),
        ("com.microsoft.outlook.Calendar.Notifications.IntuneMAMOnly", "x", "takes a whole number; found"),
        ("com.microsoft.outlook.Calendar.Notifications.IntuneMAMOnly", "\u00b2", "takes a whole number; found"),
        ("com.microsoft.outlook.Calendar.Notifications.IntuneMAMOnly", "7", "takes 0; found 7."),
        ("com.microsoft.outlook.EmailProfile.ServerHostName", "x", "It is only for Exchange Server"),
        ("com.microsoft.outlook.EmailProfile.EmailAddress", "x", "It is written from each person's address"),
    ],
)
def test_a_key_that_outlook_does_not_take_is_refused(shell: Shell, key: str, value: str, reason: str) -> None:
    assert reason in shell.refusal("organisation", "set", "contoso", "--outlook", key, value)
    assert {} == shell.json("organisation", "show", "contoso")["outlook"]


def test_every_setting_of_a_domain_can_be_given_and_changed(shell: Shell) -> None:
    given = ("--account-kinds", "imap, exchange", "--smtp-password", "--ews", "allowed", "--sign-in-urls", "never")
    shell.run(
        "domain", "set", "contoso.example", *given, "--provider", "office365-gcc-high", "--autodiscover", "redirect"
    )
    shown = shell.json("domain", "show", "contoso.example")
    assert ["exchange", "imap"] == shown["account_kinds"]
    assert (True, "allowed", "never") == (shown["smtp_password"], shown["ews"], shown["sign_in_urls"])
    assert ("office365-gcc-high", "redirect") == (shown["provider"], shown["autodiscover"])
    shell.run("domain", "set", "contoso.example", "--no-smtp-password")
    assert shown | {"smtp_password": False} == shell.json("domain", "show", "contoso.example")


def test_an_open_domain_says_what_open_means_and_how_to_close_it(shell: Shell) -> None:
    said = shell.run("domain", "add", "fabrikam.example", "--organisation", "contoso", "--self-service", "open").stdout
    assert "whoever enters an address of fabrikam.example on the start page gets a setup link for one device" in said
    assert "'provisioner domain set fabrikam.example --self-service invite'" in said
    closed = shell.run("domain", "set", "fabrikam.example", "--self-service", "invite", "--prefer", "outlook").stdout
    assert "start page" not in closed
    shown = shell.json("domain", "show", "fabrikam.example")
    assert ("invite", "outlook") == (shown["self_service"], shown["prefer"])
    assert "start page" in shell.run("domain", "set", "fabrikam.example", "--self-service", "open").stdout
    assert "start page" not in shell.run("domain", "set", "fabrikam.example", "--prefer", "builtin").stdout


def test_a_domain_can_move_to_another_organisation(shell: Shell) -> None:
    shell.run("organisation", "add", "fabrikam", "--name", "Fabrikam")
    shell.run("domain", "set", "contoso.example", "--organisation", "fabrikam")
    assert "fabrikam" == shell.json("domain", "show", "contoso.example")["organisation"]


def test_domains_are_listed_in_columns(shell: Shell) -> None:
    header, row = shell.run("domain", "list").stdout.splitlines()
    assert ["DOMAIN", "ORGANISATION", "PROVIDER", "KINDS", "PREFER", "SELF-SERVICE"] == header.split()
    assert ["contoso.example", "contoso", "office365", "exchange", "builtin", "invite"] == row.split()
    assert "smtp password  no" in shell.run("domain", "show", "contoso.example").stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--provider", "office366"], "Unknown mail provider 'office366'. Did you mean 'office365'?"),
        (["--account-kinds", "exchange,imp"], "account_kinds: unknown value 'imp'. Did you mean 'imap'?"),
        (["--account-kinds", ""], "account_kinds: unknown value ''."),
        (["--prefer", "outlok"], "prefer: unknown value 'outlok'. Did you mean 'outlook'?"),
        (["--self-service", "opne"], "self_service: unknown value 'opne'. Did you mean 'open'?"),
        (["--ews", "alowed"], "ews: unknown value 'alowed'. Did you mean 'allowed'?"),
        (["--autodiscover", "x"], "autodiscover: unknown value 'x'. Known: auto, redirect, settings."),
        (["--organisation", "contos"], "Unknown organisation 'contos'. Did you mean 'contoso'?"),
    ],
)
def test_a_setting_that_cannot_be_is_misuse(arguments: list[str], reason: str, shell: Shell) -> None:
    assert shell.refusal("domain", "set", "contoso.example", *arguments).startswith(reason)


def test_a_domain_of_private_customers_is_refused(shell: Shell) -> None:
    refusal = shell.refusal("domain", "add", "outlook.com", "--organisation", "contoso")
    assert "private customers" in refusal


def test_a_provider_of_private_customers_is_refused_with_a_way_out(shell: Shell) -> None:
    refusal = shell.refusal("domain", "set", "contoso.example", "--provider", "outlook-com")
    assert "no organisation owns a domain there" in refusal
    assert "provisioner render" in refusal


# what cannot be served


def _write(shell: Shell, deed: str) -> None:
    with closing(sqlite3.connect(shell.data_dir / "provisioner.sqlite3", isolation_level=None)) as database:
        database.execute(deed)


def _refused_start(shell: Shell) -> str:
    """What ``serve``, in a process of its own, says instead of starting."""
    environ = {name: value for name, value in {**os.environ, **shell.variables()}.items() if value is not None}
    command = [str(PROVISIONER), "serve", "--port", str(free_port())]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert 2 == ended.returncode
    return ended.stderr


def test_a_domain_without_its_provider_stops_the_start_and_can_be_mended(shell: Shell) -> None:
    shell.run("domain", "add", "fabrikam.example", "--organisation", "contoso")
    _write(shell, "UPDATE domains SET provider = 'office366' WHERE name = 'fabrikam.example'")
    assert (
        "Error: The domain fabrikam.example has the mail provider 'office366', which is not in the catalogue. Did you "
        "mean 'office365'?"
    ) in _refused_start(shell)
    assert 2 == len(shell.json("domain", "list"))
    assert "office366" == shell.json("domain", "show", "fabrikam.example")["provider"]
    shell.run("domain", "set", "fabrikam.example", "--provider", "office365")
    shell.run("organisation", "set", "contoso", "--name", "Contoso Ltd")
    assert "office365" == shell.json("domain", "show", "fabrikam.example")["provider"]


def test_a_row_that_cannot_be_read_stops_the_start_and_is_named_everywhere(shell: Shell) -> None:
    _write(shell, "UPDATE domains SET account_kinds = 'nojson'")
    said = "The row 'contoso.example' of the table domains cannot be read"
    assert said in _refused_start(shell)
    assert said in shell.refusal("domain", "list", exit_code=1)


@pytest.mark.parametrize("command", ["show", "set", "remove"])
def test_an_unknown_domain_is_misuse(command: str, shell: Shell) -> None:
    assert "'fabrikam.example' is not configured here" in shell.refusal("domain", command, "fabrikam.example")
    assert "is not a valid domain name" in shell.refusal("domain", command, "a..example")


def test_a_domain_with_open_links_stays(shell: Shell) -> None:
    shell.run("link", "create", "anna@contoso.example")
    assert "still has 1 open setup link" in shell.refusal("domain", "remove", "contoso.example", exit_code=1)


# the audit trail


def test_changes_are_recorded_under_the_name_of_the_user_of_this_machine(shell: Shell) -> None:
    from sqlalchemy import select

    from provisioner.cli.context import actor
    from provisioner.store import Store, sqlite_url
    from provisioner.store.tables import audit

    store = Store.open(sqlite_url(shell.data_dir))
    with store.read() as connection:
        rows = connection.execute(select(audit.c.actor, audit.c.action)).all()
    store.close()
    assert [(actor(), "organisation.add"), (actor(), "domain.add")] == [tuple(row) for row in rows]
    assert actor().startswith("command line, user ")
