"""``provisioner invite``: everybody on a list is invited, each row's fate is told, and it may all be done again."""

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from provisioner.links import load_link_key
from provisioner.links.token import make_token, token_hash
from provisioner.store import Store, sqlite_url, tables
from provisioner.store import links as rows
from tests.commands import Shell, names, shell_with_contoso

ANNA, BERTA, CARL = "anna@contoso.example", "berta@contoso.example", "carl@contoso.example"
EXPORT = (
    "Block credential,Display name,Licenses,Object Id,Preferred language,Proxy addresses,Soft deletion time stamp,"
    "User principal name"
)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return shell_with_contoso(tmp_path / "data")


@pytest.fixture
def write(tmp_path: Path) -> "ListWriter":
    return ListWriter(tmp_path / "list.csv")


class ListWriter:
    """Writes lists of people into one file, a line for each argument."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, *lines: str, encoding: str = "utf-8") -> Path:
        self.path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
        return self.path


def _people(shell: Shell) -> list[tuple[str, str, str, str]]:
    """Whose links there are: address, username, name and language."""
    told = ("address", "username", "name", "language")
    listed = [tuple(link[name] for name in told) for link in shell.json("link", "list")]
    return sorted(listed)


def _addresses(shell: Shell) -> list[str]:
    return [address for address, *_ in _people(shell)]


def _sums(shell: Shell, path: Path) -> tuple[int, int]:
    """Invite the list: how many are invited, and how many keep their link."""
    said = shell.json("invite", path)
    return said["invited"], said["kept"]


def _everything(shell: Shell, *, without: Sequence[str] = ()) -> dict[str, list[Any]]:
    """Every row of every table."""
    store = Store.open(sqlite_url(shell.data_dir))
    with store.read() as connection:
        found = {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in tables.metadata.sorted_tables
            if table.name not in without
        }
    store.close()
    return found


def _report(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


# Whom a list invites


def test_everybody_on_a_list_of_our_own_columns_has_a_link_of_the_usual_terms(shell: Shell, write: ListWriter) -> None:
    path = write("address,username,name,language", f"{ANNA},a.upn@contoso.example,Anna Example,de", f"{BERTA},,,")
    said = shell.run("invite", path, PROVISIONER_LINK_DAYS="5", PROVISIONER_LINK_DEVICES="7").stdout
    assert "Invited 2 people with a new link.\n" == said
    assert [(ANNA, "a.upn@contoso.example", "Anna Example", "de"), (BERTA, BERTA, "", "")] == _people(shell)
    for link in shell.json("link", "list"):
        lifetime = datetime.fromisoformat(link["expires_at"]) - datetime.fromisoformat(link["created_at"])
        assert ("open", 5, 7, 0) == (link["state"], lifetime.days, link["devices_allowed"], link["devices_used"])


def test_days_and_devices_can_be_asked_for(shell: Shell, write: ListWriter) -> None:
    shell.run("invite", write("address", ANNA), "--days", "2", "--devices", "1")
    (link,) = shell.json("link", "list")
    lifetime = datetime.fromisoformat(link["expires_at"]) - datetime.fromisoformat(link["created_at"])
    assert (2, 1) == (lifetime.days, link["devices_allowed"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_admin_centres_export_invites_whoever_may_have_mail(encoding: str, shell: Shell, write: ListWriter) -> None:
    path = write(
        EXPORT,
        f'False,"Änna, 安娜",Microsoft 365 E3,1,de-DE,smtp:a+x@contoso.example+SMTP:{ANNA},,a.upn@contoso.example',
        f"False,Berta,Microsoft 365 E3,2,,,,{BERTA}",
        "True,Blocked,Microsoft 365 E3,3,,,,blocked@contoso.example",
        "False,Guest,Microsoft 365 E3,4,,,,g_gmail.com#EXT#@contoso.example",
        "False,Gone,Microsoft 365 E3,5,,,2026-11-01,gone@contoso.example",
        "False,Poor,Unlicensed,6,,,,poor@contoso.example",
        encoding=encoding,
    )
    said = shell.run("invite", path).stdout.splitlines()
    assert [
        (ANNA, "a.upn@contoso.example", "Änna, 安娜", "de-DE"),
        (BERTA, BERTA, "Berta", ""),
    ] == _people(shell)
    assert [
        "line 4: Block credential: The account may not sign in. --include-blocked invites it.",
        "line 5: User principal name: The account is a guest's. --include-guests invites it.",
        "line 6: Soft deletion time stamp: The account is deleted. --include-deleted invites it.",
        "line 7: Licenses: The account has no licence. --include-unlicensed invites it.",
        "Invited 2 people with a new link.",
        "Left out 1 row: blocked.",
        "Left out 1 row: deleted.",
        "Left out 1 row: guest.",
        "Left out 1 row: unlicensed.",
    ] == said


@pytest.mark.parametrize(
    ("option", "row"),
    [
        ("--include-blocked", "True,x,E3,3,,,,x@contoso.example"),
        ("--include-guests", "False,x,E3,4,,,,x_gmail.com#EXT#@contoso.example"),
        ("--include-deleted", "False,x,E3,5,,,2026-11-01,x@contoso.example"),
        ("--include-unlicensed", "False,x,Unlicensed,6,,,,x@contoso.example"),
    ],
)
def test_who_was_left_out_is_invited_by_the_option_that_the_row_names(
    option: str, row: str, shell: Shell, write: ListWriter
) -> None:
    path = write(EXPORT, row)
    assert option in shell.run("invite", path).stdout
    assert [] == shell.json("link", "list")
    assert "Invited 1 person with a new link.\n" == shell.run("invite", path, option).stdout
    assert [row.rpartition(",")[2]] == _addresses(shell)


def test_only_the_people_of_the_domains_that_are_named_are_invited(shell: Shell, write: ListWriter) -> None:
    for domain in ("fabrikam.example", "wingtip.example"):
        shell.run("domain", "add", domain, "--organisation", "contoso")
    path = write("address", ANNA, "bob@fabrikam.example", "wim@wingtip.example")
    said = shell.run("invite", path, "--domain", "Fabrikam.Example.", "--domain", "wingtip.example").stdout
    assert "Left out 1 row: other domain.\n" in said
    assert ["bob@fabrikam.example", "wim@wingtip.example"] == _addresses(shell)


def test_a_person_who_is_listed_again_is_one_person_and_the_last_row_counts(shell: Shell, write: ListWriter) -> None:
    path = write("address,name", f"{ANNA},Anna", f"{BERTA},Berta", "Anna@Contoso.Example,Anna O'Neil")
    said = shell.run("invite", path).stdout.splitlines()
    assert [("Anna@contoso.example", ANNA, "Anna O'Neil", ""), (BERTA, BERTA, "Berta", "")] == _people(shell)
    assert [
        "line 4: address: The same person as in line 2; this line counts.",
        "Invited 2 people with a new link.",
        "1 row names a person again; the last row counts.",
    ] == said


# Doing it again


def test_the_same_list_again_changes_nothing_but_the_audit_trail(shell: Shell, write: ListWriter) -> None:
    path = write("address,name,language", f"{ANNA},Anna,de", f"{BERTA},Berta,", f"{ANNA},Anna,de")
    shell.run("invite", path)
    before = _everything(shell, without=["audit"])
    said = shell.run("invite", path).stdout.splitlines()
    assert before == _everything(shell, without=["audit"])
    assert ["Invited 0 people with a new link.", "2 people have an open link already and keep it."] == said[1:3]
    imports = [row[5] for row in _everything(shell)["audit"] if row[3] == "invitation.import"]
    assert [{"people": 2, "links": 2}, {"people": 2, "links": 0}] == imports


def test_whoever_has_an_open_link_keeps_it_and_whoever_has_none_gets_one(shell: Shell, write: ListWriter) -> None:
    kept, used_up, revoked = (
        shell.json("link", "create", address, "--devices", "1") for address in (ANNA, BERTA, CARL)
    )
    shell.run("link", "revoke", revoked["id"])
    store = Store.open(sqlite_url(shell.data_dir))
    with store.write() as connection:
        rows.add_device(connection, used_up["id"], "ios-exchange", at=datetime.now(UTC))
    store.close()
    assert (2, 1) == _sums(shell, write("address", ANNA, BERTA, CARL))
    found = [(link["address"], link["state"]) for link in shell.json("link", "list")]
    assert sorted([(ANNA, "open"), (BERTA, "used-up"), (BERTA, "open"), (CARL, "revoked"), (CARL, "open")]) == (
        sorted(found)
    )
    assert kept == shell.json("link", "show", kept["id"])


def test_what_a_later_list_does_not_tell_stays_as_it_is_known(shell: Shell, write: ListWriter) -> None:
    shell.run("invite", write("address,username,name,language", f"{ANNA},a.upn@contoso.example,Anna,de"))
    known = (ANNA, "a.upn@contoso.example", "Anna", "de")
    shell.run("invite", write("address", ANNA))
    assert [known] == _people(shell)
    shell.run("invite", write("address,username,name,language", f"{ANNA},,,"))
    assert [known] == _people(shell)
    shell.run("invite", write("address,language", f"{ANNA},fr"))
    assert [(*known[:3], "fr")] == _people(shell)
    shell.run("link", "create", ANNA, "--name", "Anna O")  # which knows nothing of languages
    assert {"fr"} == {language for *_, language in _people(shell)}


def test_a_list_of_links_that_was_exported_is_read_back_as_the_same_people(
    shell: Shell, write: ListWriter, tmp_path: Path
) -> None:
    named = '"=HYPERLINK(""x""), 安娜"', "\"''=1\""
    addresses = ("=1+1@contoso.example,a.upn@contoso.example", f"{BERTA},")
    people = [f"{told},{name},de" for told, name in zip(addresses, named, strict=True)]
    shell.run("invite", write("address,username,name,language", *people))
    listed, exported = shell.json("link", "list"), tmp_path / "links.csv"
    assert f"Wrote 2 setup links to {exported}.\n" == shell.run("link", "list", "--csv", exported).stdout
    written = [cell for row in _report(exported) for cell in row]
    assert [] == [cell for cell in written if cell.startswith(("=", "+", "-", "@"))]
    assert {"'=1+1@contoso.example", '\'=HYPERLINK("x"), 安娜', "''=1"} < set(written)
    assert (0, 2) == _sums(shell, exported)
    assert listed == shell.json("link", "list")


def test_the_link_of_an_invitation_can_be_printed_and_opens_by_the_key_alone(shell: Shell, write: ListWriter) -> None:
    shell.run("invite", write("address", ANNA))
    shown = shell.json("link", "show", ANNA)
    (row,) = _everything(shell)["links"]
    token = make_token(load_link_key(shell.data_dir / "link.key"), row[0], row[2])
    assert (token_hash(token), token) == (row[3], shown["link"].rpartition("/")[2])


# What is said


def test_a_rehearsal_says_of_each_row_what_would_become_of_it_and_changes_nothing(
    shell: Shell, write: ListWriter
) -> None:
    shell.run("link", "create", BERTA)
    before, files = _everything(shell), names(shell.data_dir)
    path = write("address,name", f"{ANNA},Anna", f"{BERTA},B", "bad@@contoso.example,x", "bob@fabrikam.example,Bob")
    said = shell.run("invite", path, "--dry-run", exit_code=1).stdout.splitlines()
    assert [
        f"line 2      {ANNA}  would be invited",
        f"line 3      {BERTA}  would get no new link",
        "line 4      -  left out: address: The address has 2 @ signs; exactly one was expected.",
        "line 5      bob@fabrikam.example  left out: address: The domain 'fabrikam.example' is not configured here. "
        "'provisioner domain add' adds it.",
        "Would invite 1 person with a new link.",
        "1 person has an open link already and keeps it.",
        "Left out 1 row: unknown domain.",
        "Left out 1 row: unusable.",
        "  fabrikam.example: 1 row. 'provisioner domain add fabrikam.example' would add it.",
    ] == said
    assert before == _everything(shell)
    assert files == names(shell.data_dir)


def test_a_rehearsal_foresees_what_is_done(shell: Shell, write: ListWriter) -> None:
    path = write("address", ANNA, ANNA, BERTA, "x", "bob@fabrikam.example")
    foreseen = shell.json("invite", path, "--dry-run", exit_code=1)
    assert foreseen | {"dry_run": False} == shell.json("invite", path, exit_code=1)


def test_a_report_has_every_row_and_no_formula(shell: Shell, write: ListWriter, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    path = write("=address,name", "=1+1@contoso.example,Anna", f"{BERTA},Berta", "@x,=2", "bob@fabrikam.example,Bob")
    said = shell.run("invite", path, "--report", report, exit_code=1).stdout
    assert "Invited 2 people with a new link.\n" in said
    unknown = "The domain 'fabrikam.example' is not configured here. 'provisioner domain add' adds it."
    assert [
        ["line", "address", "result", "column", "reason"],
        ["2", "'=1+1@contoso.example", "invited", "", ""],
        ["3", BERTA, "invited", "", ""],
        ["4", "", "left out", "'=address", "There is nothing before the @; one such as anna@contoso.com was expected."],
        ["5", "bob@fabrikam.example", "left out", "'=address", unknown],
    ] == _report(report)
    assert report.read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_rehearsals_report_is_written_too_and_replaces_an_older_one_whole(
    shell: Shell, write: ListWriter, tmp_path: Path
) -> None:
    report = tmp_path / "report.csv"
    report.write_text("old\n" * 100)
    shell.run("invite", write("address", ANNA), "--dry-run", "--report", report)
    assert [["2", ANNA, "invited", "", ""]] == _report(report)[1:]
    assert ["data", "list.csv", "report.csv"] == names(tmp_path)


def test_sums_and_notes_are_told_to_programs(shell: Shell, write: ListWriter) -> None:
    path = write("upn,Block credential", f"{ANNA},False", f"{BERTA},True", "bob@fabrikam.example,False")
    reason = "The domain 'fabrikam.example' is not configured here. 'provisioner domain add' adds it."
    blocked = "The account may not sign in. --include-blocked invites it."
    assert {
        "dry_run": False,
        "finished": True,
        "rows": 3,
        "people": 1,
        "invited": 1,
        "kept": 0,
        "repeated": 0,
        "left_out": {"blocked": 1, "unknown domain": 1},
        "unknown_domains": {"fabrikam.example": 1},
        "notes": [
            {
                "line": 3,
                "address": "",
                "result": "left out",
                "column": "Block credential",
                "reason": blocked,
                "why": "blocked",
            },
            {
                "line": 4,
                "address": "bob@fabrikam.example",
                "result": "left out",
                "column": "upn",
                "reason": reason,
                "why": "unknown domain",
            },
        ],
    } == shell.json("invite", path, exit_code=1)


def test_many_rows_that_are_left_out_are_counted_and_the_report_is_named(shell: Shell, write: ListWriter) -> None:
    path = write("address", *(f"p{number}@fabrikam.example" for number in range(25)), ANNA)
    said = shell.run("invite", path, exit_code=1).stdout.splitlines()
    assert 20 == len([line for line in said if line.startswith("line ")])
    assert "and 5 more; --report FILE.csv has them all." in said
    assert "  fabrikam.example: 25 rows. 'provisioner domain add fabrikam.example' would add it." in said
    assert [ANNA] == _addresses(shell)


def test_rows_of_an_unknown_domain_are_invited_when_the_domain_is_there(shell: Shell, write: ListWriter) -> None:
    path = write("address", "bob@fabrikam.example")
    shell.run("invite", path, exit_code=1)
    shell.run("domain", "add", "fabrikam.example", "--organisation", "contoso")
    assert "Invited 1 person with a new link.\n" == shell.run("invite", path).stdout


def test_the_audit_trail_has_every_link_and_the_sums_without_an_address(shell: Shell, write: ListWriter) -> None:
    shell.run("invite", write("address", ANNA, BERTA))
    audit = [row[3:] for row in _everything(shell)["audit"] if row[3] in ("link.create", "invitation.import")]
    ids = sorted(link["id"] for link in shell.json("link", "list"))
    assert ids == sorted(subject for action, subject, _ in audit if action == "link.create")
    assert [("contoso.example", {"people": 2, "links": 2})] == [row[1:] for row in audit if row[0] != "link.create"]
    assert "anna" not in json.dumps(audit)


# Misuse


def test_a_domain_that_is_not_configured_is_misuse_and_invites_nobody(shell: Shell, write: ListWriter) -> None:
    refusal = shell.refusal("invite", write("address", ANNA), "--domain", "contoso.exmaple")
    assert refusal.startswith("The domain 'contoso.exmaple' is not configured here.")
    assert [] == shell.json("link", "list")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "The file is empty."),
        (("Street,City", "x,y"), "No column holds addresses. The first line has 'Street', 'City';"),
        ((f"{ANNA},Anna",), "The first line holds an address where the names of the columns were expected."),
    ],
)
def test_a_file_that_is_no_list_is_misuse_and_explained(
    lines: tuple[str, ...], said: str, shell: Shell, write: ListWriter
) -> None:
    path = write(*lines)
    assert shell.refusal("invite", path).startswith(f"{path}: {said}")


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--json",)])
def test_a_column_that_is_nearly_called_like_a_known_one_is_told_before_anybody_is_invited(
    options: tuple[str, ...], shell: Shell, write: ListWriter
) -> None:
    result = shell.run("invite", write("User principal name,Proxy adresses", f"{ANNA},SMTP:{BERTA}"), *options)
    said = "The column 'Proxy adresses' is not read. If it is meant to be 'proxy addresses', rename it."
    assert [f"Warning: {said}"] == result.stderr.splitlines()


def test_a_workbook_is_misuse_and_the_way_to_a_list_is_told(shell: Shell, tmp_path: Path) -> None:
    book = tmp_path / "people.xlsx"
    book.write_bytes(b"PK\x03\x04 and so on")
    assert "save it as 'CSV UTF-8'" in shell.refusal("invite", book)


@pytest.mark.parametrize("options", [["--days", "0"], ["--devices", "1001"], ["--domain", "x..y"]])
def test_terms_out_of_their_range_are_misuse(options: list[str], shell: Shell, write: ListWriter) -> None:
    shell.refusal("invite", write("address", ANNA), *options)
    assert [] == shell.json("link", "list")


def test_a_file_that_is_not_there_is_misuse(shell: Shell, tmp_path: Path) -> None:
    assert "does not exist" in shell.refusal("invite", tmp_path / "list.csv")
    assert "is a directory" in shell.refusal("invite", tmp_path)


def test_a_report_in_the_place_of_the_list_is_misuse(shell: Shell, write: ListWriter, tmp_path: Path) -> None:
    path = write("address", ANNA)
    content = path.read_bytes()
    (tmp_path / "other.csv").symlink_to(path)
    for report in (path, tmp_path / "other.csv"):
        assert "The report would replace the list" in shell.refusal("invite", path, "--report", report)
    assert content == path.read_bytes()
    assert [] == shell.json("link", "list")


# What cannot be finished


def test_a_list_without_rows_is_told_to_have_none(shell: Shell, write: ListWriter) -> None:
    assert "The list has no row under the names of its columns.\n" == shell.run("invite", write("address,name")).stdout
    assert 0 == shell.json("invite", write("address,name"))["rows"]


def test_a_report_that_cannot_be_written_is_named_before_anybody_is_invited(shell: Shell, write: ListWriter) -> None:
    refusal = shell.refusal("invite", write("address", ANNA), "--report", "/nowhere/report.csv", exit_code=1)
    assert "The file /nowhere/report.csv could not be written: No such file or directory." == refusal
    assert [] == shell.json("link", "list")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full here")
def test_a_full_disk_below_the_report_is_named_with_the_way_to_go_on(shell: Shell, write: ListWriter) -> None:
    path = write("address", *(f"person{number}@contoso.example" for number in range(2000)))
    said = shell.run("invite", path, "--report", "/dev/full", exit_code=1)
    assert [
        "Error: The file /dev/full could not be written: No space left on device.",
        "Error: Stopped after line 501. What was done is kept; run the same command again to finish it.",
    ] == said.stderr.splitlines()
    assert "" == said.stdout
    assert 500 == len(shell.json("link", "list"))
    assert (1500, 500) == _sums(shell, path)


def test_a_store_that_fails_in_the_middle_tells_how_far_the_list_was_done(shell: Shell, write: ListWriter) -> None:
    store = Store.open(sqlite_url(shell.data_dir))
    with store.write() as connection:  # as a full disk does: nothing more is taken after the 700th link
        connection.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON links WHEN (SELECT count(*) FROM links) >= 700 "
                "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
        )
    path = write("address", *(f"person{number}@contoso.example" for number in range(2000)))
    _, first, second = shell.run("invite", path, exit_code=1).stderr.splitlines()  # after the log's line
    assert first.startswith("Error: The database does not answer: 'database or disk is full'.")
    assert "Error: Stopped after line 501. What was done is kept; run the same command again to finish it." == second
    assert 500 == len(shell.json("link", "list"))
    with store.write() as connection:
        connection.execute(text("DROP TRIGGER full"))
    store.close()
    assert (1500, 500) == _sums(shell, path)
