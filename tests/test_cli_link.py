"""``provisioner link``: an administrator makes, finds, shows, extends, re-issues and closes setup links."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioner.links import Links, SelfServiceLimits, load_link_key
from provisioner.model import Account
from provisioner.store import Store, sqlite_url
from provisioner.store import links as rows
from tests.commands import PUBLIC_URL, Shell, shell_with_contoso

ANNA = "anna@contoso.example"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return shell_with_contoso(tmp_path / "data")


def test_a_new_link_has_the_days_and_devices_of_the_settings(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA, PROVISIONER_LINK_DAYS="5", PROVISIONER_LINK_DEVICES="7")
    assert made["link"].startswith(f"{PUBLIC_URL}/s/")
    assert (ANNA, ANNA, "", "open", 7, 0) == tuple(
        made[name] for name in ("address", "username", "name", "state", "devices_allowed", "devices_used")
    )
    expires = datetime.fromisoformat(made["expires_at"])
    assert timedelta(days=5) == expires - datetime.fromisoformat(made["created_at"])
    assert UTC.utcoffset(None) == expires.utcoffset()


def test_a_new_link_has_the_days_and_devices_that_are_asked_for(shell: Shell) -> None:
    arguments = ("--name", "Anna", "--username", "a@contoso.test", "--days", "1", "--devices", "1")
    made = shell.json("link", "create", ANNA, *arguments)
    assert ("Anna", "a@contoso.test", 1) == (made["name"], made["username"], made["devices_allowed"])


def test_a_link_is_stored_before_it_is_shown_and_can_be_printed_again(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA)
    assert made == shell.json("link", "show", made["id"])
    shown = shell.run("link", "show", made["id"]).stdout
    assert f"link     {made['link']}\n" in shown
    assert "devices  0 of 3 used" in shown


def test_links_are_built_from_the_configured_public_url_alone(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA)
    moved = shell.json("link", "show", made["id"], PROVISIONER_PUBLIC_URL="https://bücher.example:8443/")
    assert made["link"].replace(PUBLIC_URL, "https://xn--bcher-kva.example:8443") == moved["link"]


@pytest.mark.parametrize("arguments", [("create", ANNA), ("show", "1")])
def test_without_a_public_url_no_link_is_made_or_shown(arguments: tuple[str, ...], shell: Shell) -> None:
    refusal = shell.refusal("link", *arguments, PROVISIONER_PUBLIC_URL="")
    assert refusal.startswith("There is no public URL, and links are made of it. Set PROVISIONER_PUBLIC_URL")
    assert [] == shell.json("link", "list")


def test_another_link_leaves_a_persons_name_and_upn_as_they_were(shell: Shell) -> None:
    upn = "a.example@contoso.example"
    shell.run("link", "create", ANNA, "--name", "Anna Example", "--username", upn)
    again = shell.json("link", "create", ANNA.upper())
    assert ("Anna Example", upn) == (again["name"], again["username"])
    assert {("Anna Example", upn)} == {(each["name"], each["username"]) for each in shell.json("link", "list")}
    renamed = shell.json("link", "create", ANNA, "--name", "Anna O", "--username", ANNA)
    assert ("Anna O", ANNA) == (renamed["name"], renamed["username"])


def test_links_are_listed_without_their_tokens(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA)
    row = shell.run("link", "list").stdout.splitlines()[1]
    assert [made["id"], ANNA, "open", "0", "of", "3"] == row.split()[:6]
    (listed,) = shell.json("link", "list")
    assert made == listed | {"link": made["link"]}
    assert made["link"].rpartition("/")[2] not in shell.run("link", "list").stdout


def test_links_of_one_domain_can_be_listed(shell: Shell) -> None:
    shell.run("domain", "add", "fabrikam.example", "--organisation", "contoso")
    shell.run("link", "create", ANNA)
    shell.run("link", "create", "bob@fabrikam.example")
    assert ["bob@fabrikam.example"] == [
        each["address"] for each in shell.json("link", "list", "--domain", "Fabrikam.example")
    ]
    assert 2 == len(shell.json("link", "list"))


def test_a_revoked_link_stays_revoked(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA)
    shell.run("link", "revoke", made["id"])
    shell.run("link", "revoke", made["id"])
    assert "revoked" == shell.json("link", "show", made["id"])["state"]


def test_the_open_links_of_a_domain_are_revoked_together(shell: Shell) -> None:
    shell.run("domain", "add", "fabrikam.example", "--organisation", "contoso")
    for address in (ANNA, ANNA, "bob@fabrikam.example"):
        shell.run("link", "create", address)
    said = shell.run("link", "revoke", "--domain", "Contoso.example").stdout
    assert "Revoked 2 open setup links of contoso.example. What they set up on devices stays there.\n" == said
    assert {"revoked": 0} == shell.json("link", "revoke", "--domain", "contoso.example")
    assert {"revoked": 1} == shell.json("link", "revoke", "--domain", "fabrikam.example")
    assert ["revoked"] * 3 == [each["state"] for each in shell.json("link", "list")]
    shell.run("domain", "remove", "contoso.example")


def test_one_link_is_revoked_for_a_program_too(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA)
    assert {"revoked": 1} == shell.json("link", "revoke", made["id"])


@pytest.mark.parametrize("arguments", [[], ["0" * 32, "--domain", "contoso.example"]])
def test_one_link_or_a_domain_is_revoked_and_not_both(arguments: list[str], shell: Shell) -> None:
    assert "Name either the ID of one link, or --domain" in shell.refusal("link", "revoke", *arguments)


def _lose_the_key(shell: Shell) -> None:
    (shell.data_dir / "link.key").unlink()


def test_when_the_link_key_is_lost_everything_is_listed_and_only_a_live_link_cannot_be_printed(shell: Shell) -> None:
    live, closed = shell.json("link", "create", ANNA), shell.json("link", "create", ANNA)
    shell.run("link", "revoke", closed["id"])
    listed = shell.json("link", "list")
    _lose_the_key(shell)
    assert listed == shell.json("link", "list")
    assert 3 == len(shell.run("link", "list").stdout.splitlines())
    assert "The link key is not the one" in shell.refusal("link", "show", live["id"])
    assert (None, "revoked") == tuple(shell.json("link", "show", closed["id"])[name] for name in ("link", "state"))
    shown = shell.run("link", "show", closed["id"]).stdout
    assert "state    revoked" in shown
    assert "/s/" not in shown
    shell.run("link", "revoke", "--domain", "contoso.example")
    assert shell.json("link", "create", ANNA)["link"].startswith(f"{PUBLIC_URL}/s/")


def test_a_used_up_link_is_listed_as_such(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA, "--devices", "1")
    store = Store.open(sqlite_url(shell.data_dir))
    with store.write() as connection:
        rows.add_device(connection, made["id"], "ios-exchange", at=datetime.now(UTC))
    store.close()
    assert ["used-up"] == [each["state"] for each in shell.json("link", "list")]


@pytest.mark.parametrize("command", ["show", "revoke"])
@pytest.mark.parametrize("link_id", ["1", "0" * 32, "../x"])
def test_an_unknown_link_is_misuse_and_says_where_to_look(command: str, link_id: str, shell: Shell) -> None:
    refusal = shell.refusal("link", command, link_id)
    assert f"No setup link has the id '{link_id}'. Find it with 'provisioner link list'." == refusal


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["anna"], "The address has no @"),
        (["anna@fabrikam.example"], "The domain 'fabrikam.example' is not configured here."),
        ([ANNA, "--days", "0"], "Invalid value for '--days': 0 is not in the range"),
        ([ANNA, "--devices", "many"], "Invalid value for '--devices': 'many' is not a valid integer range."),
        ([ANNA, "--name", "\x1b[31m"], "The display name holds a control character (U+001B)"),
    ],
)
def test_misuse_is_refused_and_makes_no_link(arguments: list[str], reason: str, shell: Shell) -> None:
    assert shell.refusal("link", "create", *arguments).startswith(reason)
    assert [] == shell.json("link", "list")


def test_links_taken_at_the_start_page_are_listed_by_themselves_and_revoked_by_id(shell: Shell) -> None:
    invited = shell.json("link", "create", ANNA)
    store = Store.open(sqlite_url(shell.data_dir))
    links = Links(store, key=load_link_key(shell.data_dir / "link.key"), clock=lambda: datetime.now(UTC))
    taken = links.hand_out(Account(ANNA), client="192.0.2.1", limits=SelfServiceLimits())
    store.close()
    assert [invited["id"]] == [row["id"] for row in shell.json("link", "list")]
    (row,) = shell.json("link", "list", "--self-service", "--domain", "contoso.example")
    assert (taken.id, "open", 1) == (row["id"], row["state"], row["devices_allowed"])
    shell.run("link", "revoke", taken.id)
    assert ["revoked"] == [row["state"] for row in shell.json("link", "list", "--self-service")]
    assert "open" == shell.json("link", "show", invited["id"])["state"]


# What is done to a link that is there


def _count_device(shell: Shell, link_id: str) -> None:
    store = Store.open(sqlite_url(shell.data_dir))
    with store.write() as connection:
        rows.add_device(connection, link_id, "ios-exchange", at=datetime.now(UTC))
    store.close()


def _hand_out(shell: Shell) -> str:
    store = Store.open(sqlite_url(shell.data_dir))
    links = Links(store, key=load_link_key(shell.data_dir / "link.key"), clock=lambda: datetime.now(UTC))
    taken = links.hand_out(Account(ANNA), client="192.0.2.1", limits=SelfServiceLimits())
    store.close()
    return taken.id


def test_an_extended_link_is_the_same_link_for_longer(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA, "--days", "2")
    extended = shell.json("link", "extend", made["id"], "--days", "3")
    longer = datetime.fromisoformat(extended["expires_at"]) - datetime.fromisoformat(made["expires_at"])
    assert timedelta(days=3) == longer
    assert made == extended | {"expires_at": made["expires_at"]}
    assert extended == shell.json("link", "show", made["id"])


def test_a_reissued_link_has_another_token_and_keeps_the_devices_that_were_counted(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA, "--devices", "3")
    _count_device(shell, made["id"])
    issued = shell.json("link", "reissue", made["id"])
    assert made["link"] != issued["link"]
    assert (made["id"], 3, 1) == (issued["id"], issued["devices_allowed"], issued["devices_used"])
    assert issued == shell.json("link", "show", made["id"])


def test_a_reissued_link_has_the_days_and_the_further_devices_that_are_asked_for(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA, "--devices", "1")
    _count_device(shell, made["id"])
    issued = shell.json("link", "reissue", made["id"], "--days", "2", "--devices", "2")
    assert ("open", 3, 1) == (issued["state"], issued["devices_allowed"], issued["devices_used"])
    left = datetime.fromisoformat(issued["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=1, hours=23) < left <= timedelta(days=2)


@pytest.mark.parametrize("arguments", [("extend", "--days", "3"), ("reissue",)])
def test_a_revoked_link_is_neither_extended_nor_reissued(arguments: tuple[str, ...], shell: Shell) -> None:
    made = shell.json("link", "create", ANNA)
    shell.run("link", "revoke", made["id"])
    command, *options = arguments
    refusal = shell.refusal("link", command, made["id"], *options, exit_code=1)
    said = "was revoked and stays closed. Make a new one with 'provisioner link create'."
    assert f"The setup link {made['id']} {said}" == refusal


@pytest.mark.parametrize("arguments", [("extend", "--days", "3"), ("reissue",)])
def test_a_link_that_was_taken_at_the_start_page_stays_at_its_hour(arguments: tuple[str, ...], shell: Shell) -> None:
    taken = _hand_out(shell)
    before = shell.json("link", "show", taken)
    command, *options = arguments
    refusal = shell.refusal("link", command, taken, *options)
    assert refusal.startswith("Somebody took this link at the start page, for one hour, and it stays at that.")
    assert before == shell.json("link", "show", taken)


@pytest.mark.parametrize("command", [("extend", "--days", "3"), ("reissue",), ("history",)])
def test_what_is_to_be_done_to_an_unknown_link_is_misuse(command: tuple[str, ...], shell: Shell) -> None:
    name, *options = command
    said = f"No setup link has the id '{'0' * 32}'. Find it with 'provisioner link list'."
    assert said == shell.refusal("link", name, "0" * 32, *options)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("extend",), "Missing option '--days'."),
        (("extend", "--days", "3650"), "A setup link stays open for 3650 days at most, counted from now."),
        (("reissue", "--devices", "0"), "Invalid value for '--devices': 0 is not in the range"),
        (("reissue", "--days", "0"), "Invalid value for '--days': 0 is not in the range"),
    ],
)
def test_terms_out_of_their_range_change_nothing(arguments: tuple[str, ...], reason: str, shell: Shell) -> None:
    made = shell.json("link", "create", ANNA)
    command, *options = arguments
    assert shell.refusal("link", command, made["id"], *options).startswith(reason)
    assert made == shell.json("link", "show", made["id"])


def test_the_open_links_of_one_mailbox_are_revoked_together(shell: Shell) -> None:
    for address in (ANNA, ANNA, "bob@contoso.example"):
        shell.run("link", "create", address)
    _hand_out(shell)
    said = shell.run("link", "revoke", "--address", "Anna@Contoso.example").stdout
    assert "Revoked 3 open setup links of this mailbox. What they set up on devices stays there.\n" == said
    assert {"revoked": 0} == shell.json("link", "revoke", "--address", ANNA)
    assert ["open"] == [link["state"] for link in shell.json("link", "list", "--address", "bob@contoso.example")]


def test_links_are_listed_by_mailbox_and_by_state(shell: Shell) -> None:
    opened, used_up, revoked = (shell.json("link", "create", ANNA, "--devices", "1") for _ in range(3))
    _count_device(shell, used_up["id"])
    shell.run("link", "revoke", revoked["id"])
    bobs = shell.json("link", "create", "bob@contoso.example")
    expected = {"open": [opened], "used-up": [used_up], "revoked": [revoked], "expired": []}
    for state, links in expected.items():
        found = shell.json("link", "list", "--address", "ANNA@contoso.example", "--state", state)
        assert [link["id"] for link in links] == [link["id"] for link in found]
    assert {opened["id"], bobs["id"]} == {link["id"] for link in shell.json("link", "list", "--state", "open")}
    assert "There is no such setup link yet" in shell.run("link", "list", "--state", "expired").stderr


def test_listed_links_are_written_for_a_spreadsheet_without_their_tokens(shell: Shell, tmp_path: Path) -> None:
    made = shell.json("link", "create", ANNA, "--name", "Änna")
    shell.run("link", "create", "bob@contoso.example")
    file = tmp_path / "links.csv"
    shell.run("link", "list", "--address", ANNA, "--csv", file)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        (row,) = csv.DictReader(lines)
    told = {name: str(made[name]) for name in row}
    assert told == row
    assert {"address", "username", "name", "language", "state", "expires_at", "devices_used", "id"} < row.keys()
    assert made["link"].rpartition("/")[2] not in file.read_text(encoding="utf-8")


def test_the_newest_open_link_of_a_mailbox_is_shown(shell: Shell) -> None:
    made = [shell.json("link", "create", ANNA) for _ in range(3)]
    shell.run("link", "revoke", made[2]["id"])
    assert made[1] == shell.json("link", "show", "Anna@Contoso.example")
    shell.run("link", "revoke", "--address", ANNA)
    assert made[2]["id"] == shell.json("link", "show", ANNA)["id"]


def test_a_mailbox_without_a_link_is_told_how_to_get_one(shell: Shell) -> None:
    assert shell.refusal("link", "show", ANNA).startswith("This mailbox has no setup link. Make one with")


def test_the_history_tells_who_did_what_to_a_link_and_each_device(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA)
    _count_device(shell, made["id"])
    extended = shell.json("link", "extend", made["id"], "--days", "1")
    issued = shell.json("link", "reissue", made["id"], "--devices", "1")
    shell.run("link", "revoke", made["id"])
    told = shell.json("link", "history", made["id"])
    assert [
        ("created", "", made["expires_at"], 3),
        ("downloaded", "ios-exchange", "", None),
        ("extended", "", extended["expires_at"], None),
        ("re-issued", "", issued["expires_at"], 2),
        ("revoked", "", "", None),
    ] == [tuple(event[name] for name in ("what", "format_id", "expires_at", "devices_allowed")) for event in told]
    assert [True, False, True, True, True] == [event["actor"].startswith("command line, user ") for event in told]
    lines = shell.run("link", "history", made["id"]).stdout.splitlines()
    assert ["TIME", "(UTC)", "WHAT", "DETAILS", "BY"] == lines[0].split()
    assert f"opens until {made['expires_at'][:16].replace('T', ' ')}, 3 devices" in lines[1]
    assert "anna" not in "".join(lines)


def test_the_history_of_a_link_that_was_taken_at_the_start_page_begins_there(shell: Shell) -> None:
    taken = _hand_out(shell)
    shell.run("link", "revoke", taken)
    assert ["taken", "revoked"] == [event["what"] for event in shell.json("link", "history", taken)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--domain", "contso.example"),
        ("list", "--address", "anna@contso.example"),
        ("list", "--self-service", "--domain", "contso.example"),
        ("revoke", "--domain", "contso.example"),
        ("revoke", "--address", "anna@contso.example"),
        ("show", "anna@contso.example"),
    ],
)
def test_a_misspelled_domain_is_told_from_one_without_links(arguments: tuple[str, ...], shell: Shell) -> None:
    assert shell.refusal("link", *arguments).startswith("The domain 'contso.example' is not configured here.")


def test_the_closed_links_of_a_domain_that_was_removed_are_still_found(shell: Shell) -> None:
    made = shell.json("link", "create", ANNA)
    shell.run("link", "revoke", made["id"])
    shell.run("domain", "remove", "contoso.example")
    assert [made["id"]] == [each["id"] for each in shell.json("link", "list", "--domain", "contoso.example")]


@pytest.mark.parametrize("arguments", [("history",), ("revoke",), ("reissue",), ("extend", "--days", "7")])
def test_whoever_gives_an_address_for_an_id_is_told_where_the_id_stands(
    arguments: tuple[str, ...], shell: Shell
) -> None:
    shell.run("link", "create", ANNA)
    refusal = shell.refusal("link", *arguments, ANNA)
    shows = "'provisioner link show' with it prints the link's ID."
    assert f"An ID was expected, found the address {ANNA!r}; {shows}" == refusal


@pytest.mark.parametrize("arguments", [("link", "list", "--csv", "-"), ("export", "--mdm", "intune", "-o", "-")])
def test_a_dash_makes_no_file_of_that_name(
    arguments: tuple[str, ...], shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "'-' is no file, and standard input and output do not serve here." in shell.refusal(*arguments)
    assert not Path("-").exists()
