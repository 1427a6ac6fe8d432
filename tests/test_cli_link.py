"""``provisioner link``: an administrator makes, finds, shows and closes setup links."""

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
