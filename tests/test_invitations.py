"""Lists of people: whatever Excel and the admin centre write is read, and a bad row never spoils a good one."""

import csv
import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO, StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import InvalidInput, InvalidTable, StoreUnavailable
from provisioner.invitations import (
    Field,
    LeftOut,
    Listed,
    Outcome,
    Selection,
    Tally,
    Why,
    invite_in_batches,
    neutralise,
    people,
    read_table,
    restore,
    spreadsheet,
)
from provisioner.invitations import table as tables
from provisioner.invitations.lines import MAX_LINE, MAX_LINES_OF_A_ROW
from provisioner.links import Invited
from provisioner.model import Account
from provisioner.store.invitations import Person

ANNA = "anna@contoso.example"
BERTA = "berta@contoso.example"
EXPORT = (
    "Block credential,City,Display name,Licenses,Object Id,Preferred language,Proxy addresses,Soft deletion time stamp,"
    "User principal name"
)


def _read(text: str | bytes, encoding: str = "utf-8", **selection: Any) -> list[Listed | LeftOut]:
    content = text if isinstance(text, bytes) else text.encode(encoding)
    return list(people(read_table(BytesIO(content)), Selection(**selection)))


def _persons(rows: Iterable[Listed | LeftOut]) -> list[Person]:
    return [row.person for row in rows if isinstance(row, Listed)]


def _addresses(rows: Iterable[Listed | LeftOut]) -> list[str]:
    return [person.account.address for person in _persons(rows)]


def _left(rows: Iterable[Listed | LeftOut]) -> list[tuple[int, str, Why]]:
    return [(row.line, row.column, row.why) for row in rows if isinstance(row, LeftOut)]


def _only(rows: Sequence[Listed | LeftOut]) -> LeftOut:
    (row,) = rows
    assert isinstance(row, LeftOut)
    return row


# What columns mean


def test_our_own_columns_tell_a_person_whole() -> None:
    (row,) = _read(f"address,username,name,language\n{ANNA},a.upn@contoso.example,Anna Example,de\n")
    account = Account(ANNA, username="a.upn@contoso.example", display_name="Anna Example")
    assert Listed(2, Person(account, language="de"), "address") == row


def test_the_admin_centres_export_is_read_by_its_own_columns() -> None:
    proxies = f"smtp:old@contoso.example+SMTP:{ANNA}+SIP:anna@contoso.example"
    (row,) = _read(f"{EXPORT}\nFalse,Berlin,Anna,Microsoft 365 E3,1,de-DE,{proxies},,anna.upn@contoso.example\n")
    account = Account(ANNA, username="anna.upn@contoso.example", display_name="Anna")
    assert Listed(2, Person(account, language="de-DE"), "Proxy addresses") == row


@pytest.mark.parametrize(
    ("proxies", "address"),
    [
        (f"SMTP:{ANNA}", ANNA),
        (f"smtp:x@contoso.example;SMTP:{ANNA}", ANNA),
        (f"smtp:x@contoso.example, SMTP:{ANNA}", ANNA),
        (f"SMTP:{ANNA}+", ANNA),
        ("SMTP:anna+phone@contoso.example+smtp:x@contoso.example", "anna+phone@contoso.example"),
        (f"X500:/o=Contoso/ou=a b/cn=anna+SMTP:{ANNA}+SPO:SPO_1@SPO_2", ANNA),
        ("smtp:x@contoso.example", BERTA),
        ("", BERTA),
    ],
)
def test_the_address_is_the_primary_proxy_address_or_else_the_user_principal_name(proxies: str, address: str) -> None:
    assert [address] == _addresses(_read(f'User principal name,Proxy addresses\n{BERTA},"{proxies}"\n'))


def test_two_primary_proxy_addresses_are_no_address() -> None:
    row = _only(_read(f"upn,Proxy addresses\n{ANNA},SMTP:{ANNA}+SMTP:{BERTA}\n"))
    assert (Why.UNUSABLE, "Proxy addresses") == (row.why, row.column)


@pytest.mark.parametrize(
    "header",
    [
        "User principal name",
        "UserPrincipalName",
        "USER-PRINCIPAL_NAME",
        " user  principal name ",
        "UPN",
        "E-Mail",
        "mail",
    ],
)
def test_columns_are_found_however_they_are_spelled(header: str) -> None:
    assert [ANNA] == _addresses(_read(f"{header},Something\n{ANNA},x\n"))


def _doubts(header: str) -> Sequence[str]:
    return read_table(BytesIO(f"{header}\n".encode())).doubts


@pytest.mark.parametrize(
    ("header", "name", "meant"),
    [
        ("User principal name,Proxy adresses", "Proxy adresses", Field.PROXIES),
        ("User principal name,Block credentials", "Block credentials", Field.BLOCKED),
        ("address,langauge", "langauge", Field.LANGUAGE),
        ("address,Email adress,Displayed name", "Displayed name", Field.NAME),  # an address is known already
    ],
)
def test_a_column_that_is_nearly_called_like_one_that_is_missing_is_told(header: str, name: str, meant: Field) -> None:
    expected = f"The column {name!r} is not read. If it is meant to be {meant.value!r}, rename it."
    assert [expected] == _doubts(header)


@pytest.mark.parametrize("header", ["address,name,Email", "address,Email,email"])
def test_of_columns_that_tell_the_same_those_that_are_not_read_are_told(header: str) -> None:
    assert "The column 'address' is not read, because 'Email' tells the same. Take one of the two away." in _doubts(
        header
    )
    assert header.lower().count("email") == len(_doubts(header))


@pytest.mark.parametrize("header", ["EXPORT", "COLUMNS_OF_2025", "COLUMNS_OF_ENTRA", "HEADER"])
def test_no_column_of_an_export_is_in_doubt(header: str) -> None:
    assert [] == _doubts(globals()[header])
    assert [] == _doubts("address,First name,Surname,Title,Department,City,Street address,Mobile phone,Office")


def test_an_e_mail_column_goes_before_one_that_may_hold_a_street() -> None:
    assert [ANNA] == _addresses(_read(f"Address,Email\nMain Street 1,{ANNA}\n"))


def test_what_a_list_does_not_tell_is_not_known_of_a_person() -> None:
    (row,) = _persons(_read(f"address\n{ANNA}\n"))
    assert Person(Account(ANNA), language="", username_known=False) == row


@pytest.mark.parametrize(
    ("told", "language"),
    [("de", "de"), ("de-DE", "de-DE"), ("PT_br", "pt-BR"), ("zh-hans-cn", "zh-Hans-CN"), (" ", ""), ("de;en", "de")],
)
def test_a_language_is_written_in_its_usual_case(told: str, language: str) -> None:
    (person,) = _persons(_read(f"address,language\n{ANNA},{told}\n"))
    assert language == person.language


# Who is left out, and how to have them nevertheless


CASES: Mapping[str, tuple[str, str, Why]] = {
    "guests": ("User principal name", "a_x.com#EXT#@contoso.example,False,E3,,Member", Why.GUEST),
    "blocked": ("Block credential", f"{ANNA},True,E3,,Member", Why.BLOCKED),
    "deleted": ("Soft Deletion Timestamp", f"{ANNA},False,E3,2026-11-01,Member", Why.DELETED),
    "unlicensed": ("Licenses", f"{ANNA},False,Unlicensed,,Member", Why.UNLICENSED),
}
# The columns of "Export users" as an administrator has published them, in September 2025: the README of the repository
# attilamacskasy/openidsync on GitHub, read on 2026-11-26. The values are made up.
COLUMNS_OF_2025 = (
    "Display name,DirSyncEnabled,User principal name,Object Id,First name,Last name,When created,"
    "Soft deletion time stamp,Title,Department,Preferred data location,City,CountryOrRegion,Office,StateOrProvince,"
    "Usage location,Last dirsync time,Block credential,Licenses,Password never expires,Last password change time stamp,"
    "Mobile Phone,Phone number,Postal code,Preferred language,Street address,Fax,Proxy addresses"
)

# Those of Entra's "Download users".
COLUMNS_OF_ENTRA = (
    "userPrincipalName,displayName,surname,mail,givenName,id,userType,jobTitle,department,accountEnabled,usageLocation,"
    "streetAddress,state,country,officeLocation,city,postalCode,telephoneNumber,mobilePhone,alternateEmailAddress,"
    "ageGroup,consentProvidedForMinor,legalAgeGroupClassification,companyName,creationType,directorySynced,"
    "invitationState,identityIssuer,createdDateTime"
)


def test_an_export_of_2025_is_read_by_its_own_columns() -> None:
    middle = "2022-03-18 19:49:35Z,,,,,,,,,US,,{},{},False,2022-03-18 19:49:35Z,,,,fr-FR,,,"
    admin = f"Admin,False,admin@contoso.example,1,Admin,,{middle.format('True', 'Unlicensed')}"
    anna = f"Anna,False,anna.upn@contoso.example,2,Anna,,{middle.format('False', 'Microsoft 365 Business Premium')}"
    rows = _read(f"{COLUMNS_OF_2025}\n{admin}\n{anna}smtp:a@contoso.example+SMTP:{ANNA}\n")
    assert [(2, "Block credential", Why.BLOCKED)] == _left(rows)
    account = Account(ANNA, username="anna.upn@contoso.example", display_name="Anna")
    assert [Person(account, language="fr-FR")] == _persons(rows)


def test_an_account_whose_licence_stands_in_the_details_alone_is_licensed() -> None:
    header = "License assignment details,Licenses,User principal name"
    rows = _read(f"{header}\nMicrosoft 365 E5,,{ANNA}\n,Microsoft 365 E5,{BERTA}\n,Unlicensed,carl@contoso.example\n")
    assert [ANNA, BERTA] == _addresses(rows)
    assert [(4, "Licenses", Why.UNLICENSED)] == _left(rows)


def test_empty_cells_after_the_last_column_are_none() -> None:
    assert [ANNA, BERTA] == _addresses(_read(f"address,name\n{ANNA},Anna,\n{BERTA},Berta,,,\n"))


HEADER = "User principal name,Block credential,Licenses,Soft Deletion Timestamp,User type"


@pytest.mark.parametrize("option", CASES)
def test_a_row_that_is_left_out_says_why_and_can_be_included(option: str) -> None:
    column, row, why = CASES[option]
    left = _only(_read(f"{HEADER}\n{row}\n"))
    assert (2, column, why, False) == (left.line, left.column, left.why, left.why.is_finding)
    assert f"--include-{option}" in left.reason
    assert 1 == len(_persons(_read(f"{HEADER}\n{row}\n", **_including(option))))
    assert left == _only(_read(f"{HEADER}\n{row}\n", **_including(*CASES.keys() - {option})))


def _including(*options: str) -> dict[str, Any]:
    return dict.fromkeys(options, True)


def test_entras_own_words_for_guests_and_blocked_accounts_count_too() -> None:
    rows = _read(f"userPrincipalName,userType,accountEnabled\n{ANNA},Guest,True\n{BERTA},Member,False\n")
    assert [(2, "userType", Why.GUEST), (3, "accountEnabled", Why.BLOCKED)] == _left(rows)


def test_an_account_without_licence_is_left_out_only_where_the_list_tells_licences() -> None:
    assert [Why.UNLICENSED] == [why for *_, why in _left(_read(f"upn,licenses\n{ANNA},\n"))]
    assert [ANNA] == _addresses(_read(f"upn\n{ANNA}\n"))


def test_whether_an_account_is_blocked_is_never_guessed() -> None:
    left = _only(_read(f"upn,Block credential\n{ANNA},perhaps\n"))
    assert (Why.UNUSABLE, "Block credential") == (left.why, left.column)
    assert "'perhaps'" in left.reason


def test_only_the_people_of_a_domain_that_was_asked_for_are_invited() -> None:
    table = read_table(BytesIO(f"address\n{ANNA}\nbob@fabrikam.example\n".encode()))
    rows = list(people(table, Selection(domains=frozenset({"contoso.example"}))))
    assert [ANNA] == _addresses(rows)
    assert [(3, "address", Why.OTHER_DOMAIN)] == _left(rows)


# Bad rows


BAD: Mapping[str, tuple[bytes, str]] = {
    "an address that is none": (b"anna@@contoso.example,x,y,\n", "address"),
    "no address": (b",,y,\n", "address"),
    "a username alone that is no address": (b",x,y,\n", "username"),
    "a username that is none": (b"anna@contoso.example,CONTOSO\\anna,y,\n", "username"),
    "a control character in the name": (b"anna@contoso.example,,a\x1bb,\n", "name"),
    "a name that is too long": (b"anna@contoso.example,," + b"x" * 257 + b",\n", "name"),
    "a language that is none": (b"anna@contoso.example,,y,Deutsch\n", "language"),
    "a NUL": (b"anna@contoso.example,,a\0b,\n", "name"),
    "octets that are no UTF-8": (b"anna@contoso.example,,J\xfcrgen,\n", "name"),
    "a character that was lost before": ("anna@contoso.example,,J\ufffdrgen,\n".encode(), "name"),
    "too few cells": (b"anna@contoso.example,x\n", ""),
    "too many cells": (b"anna@contoso.example,,y,,more\n", ""),
    "text after a closing quotation mark": (b'"anna@contoso.example"x,,y,\n', ""),
    "a cell that is too long": (b"anna@contoso.example,," + b"x" * (tables.MAX_CELL + 1) + b",\n", "name"),
    "a cell that is much too long": (b"anna@contoso.example,," + b"x" * 140_000 + b",\n", ""),
    "a line that is too long": (b"anna@contoso.example,," + b"x" * (3 * MAX_LINE) + b",\n", ""),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_row_is_named_with_line_column_and_reason_and_the_others_are_read(what: str) -> None:
    row, column = BAD[what]
    good = BERTA.encode() + b",,Berta,\n"
    rows = _read(b"address,username,name,language\n" + good + row + b"carl@contoso.example,,Carl,\n")
    assert [BERTA, "carl@contoso.example"] == _addresses(rows)
    (left,) = (each for each in rows if isinstance(each, LeftOut))
    assert (3, column, Why.UNUSABLE) == (left.line, left.column, left.why)
    assert left.reason.endswith(".")
    assert ANNA not in left.reason


def test_what_is_wrong_in_a_column_that_nobody_reads_spoils_nothing() -> None:
    assert [ANNA] == _addresses(_read(b"address,City\n" + ANNA.encode() + b",M\xfcnchen\0\n"))


def test_a_quotation_mark_that_is_never_closed_costs_its_own_row_alone() -> None:
    many = "".join(f"p{number}@contoso.example,x\n" for number in range(MAX_LINES_OF_A_ROW * 3))
    rows = _read(f'address,name\n{ANNA},"Anna\n{many}')
    assert [(2, "", Why.UNUSABLE)] == _left(rows)
    assert MAX_LINES_OF_A_ROW * 3 == len(_addresses(rows))
    assert list(range(3, 3 + MAX_LINES_OF_A_ROW * 3)) == [row.line for row in rows if isinstance(row, Listed)]


def test_a_quotation_mark_that_is_never_closed_before_the_end_costs_its_own_row_alone() -> None:
    rows = _read(f'address,name\n{ANNA},"Anna\n{BERTA},Berta\n')
    assert [(2, "", Why.UNUSABLE)] == _left(rows)
    assert [BERTA] == _addresses(rows)


def test_a_cell_in_quotation_marks_may_hold_line_breaks_and_the_next_rows_line_is_right() -> None:
    rows = _read(f'address,City\n{ANNA},"Main\r\nStreet\n\n1"\nbad,x\n')
    assert [ANNA] == _addresses(rows)
    assert [(6, "address", Why.UNUSABLE)] == _left(rows)


def test_empty_lines_are_no_rows() -> None:
    rows = _read(f"\n\naddress,name\n\n{ANNA},Anna\n,\n\n")
    assert [5] == [row.line for row in rows]


def test_a_list_that_is_too_long_is_read_to_the_limit_and_the_rest_is_told() -> None:
    content = f"address\n{ANNA}\n{BERTA}\ncarl@contoso.example\n".encode()
    rows = list(people(read_table(BytesIO(content), max_rows=2), Selection()))
    assert [ANNA, BERTA] == _addresses(rows)
    assert [(4, "", Why.UNUSABLE)] == _left(rows)


# How files are written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_list_is_read_in_every_form_that_excel_saves(encoding: str, separator: str, end: str) -> None:
    text = f'address,name{end}{ANNA},"Änna, 安娜 ""A"""{end}{BERTA},Berta'
    if separator != ",":
        text = text.replace('"Änna, ', '"Änna_ ').replace(",", separator).replace("Änna_", "Änna,")
    rows = _persons(_read(text, encoding))
    assert [(ANNA, 'Änna, 安娜 "A"'), (BERTA, "Berta")] == [
        (person.account.address, person.account.display_name) for person in rows
    ]


def test_big_endian_utf_16_is_known_by_its_mark() -> None:
    assert [ANNA] == _addresses(_read(b"\xfe\xff" + f"address\n{ANNA}\n".encode("utf-16-be")))


def test_the_name_of_a_column_may_be_written_in_several_lines() -> None:
    rows = _read(f'\naddress;"Display\r\nname";Seat\r\n{ANNA};Anna;1\r\nbad;x;2\r\n')
    assert ["Anna"] == [person.account.display_name for person in _persons(rows)]
    assert [(5, "address", Why.UNUSABLE)] == _left(rows)


def test_the_name_of_a_column_is_told_without_what_would_disturb_a_screen() -> None:
    assert "[E-mail" == _only(_read("\x1b[E-mail\u202e,name\nbad,x\n")).column
    long = "-" * 1000
    assert 40 >= len(_only(_read(f"e{long}mail,name\nbad,x\n")).column)


def test_excels_own_line_about_the_separator_is_no_header() -> None:
    assert [ANNA] == _addresses(_read(f"sep=;\naddress;name\n{ANNA};Anna\n"))


def test_a_broken_character_in_utf_16_costs_its_row_alone() -> None:
    start, rest = f"address,name\n{ANNA},Anna".encode("utf-16"), f"\n{BERTA},Berta\n".encode("utf-16-le")
    rows = _read(start + b"\x00\xd8" + rest)
    assert [BERTA] == _addresses(rows)
    assert [(2, "name", Why.UNUSABLE)] == _left(rows)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"\n\n", "The file is empty"),
        (b"PK\x03\x04rest", "save it as 'CSV UTF-8'"),
        (b"\xd0\xcf\x11\xe0rest", "save it as 'CSV UTF-8'"),
        (b"anna@contoso.example,Anna\n", "The first line holds an address"),
        (b'address,"name\nanna@contoso.example,Anna\n', "The first line is not written as CSV is."),
        (b'"address"x,name\nanna@contoso.example,Anna\n', "The first line is not written as CSV is."),
        (b"Adress,City\nx,y\n", "Is 'Adress' meant to be 'address'?"),
        (b"E-Mail-Adresse\nx\n", "Is 'E-Mail-Adresse' meant to be 'address'?"),
        (b"User principle name\nx\n", "Is 'User principle name' meant to be 'username'?"),
        (b"Street,City\nx,y\n", "The first line has 'Street', 'City'; address, username"),
        (b"\x89PNG\r\n\x1a\n\0\0", "No column holds addresses"),
        (b"x" * (MAX_LINE + 1), "The first line cannot be read"),
    ],
)
def test_a_file_that_is_no_list_of_people_is_explained(content: bytes, said: str) -> None:
    with pytest.raises(InvalidTable) as refusal:
        _read(content)
    assert said in str(refusal.value)


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-16", "surrogatepass")))
def test_whatever_the_octets_are_they_are_read_or_refused(content: bytes) -> None:
    for whole in (content, b"address,name\n" + content, "address;name\n".encode("utf-16") + content):
        try:
            rows = _read(whole)
        except InvalidInput:
            continue
        assert sorted(row.line for row in rows) == [row.line for row in rows]


_CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufffd"), max_size=20)


@given(st.lists(st.tuples(st.sampled_from(["x", '"', '""', "'", "=x", "a\nb", ",", ""]), _CELLS), max_size=8))
def test_good_rows_among_any_others_are_all_found(others: list[tuple[str, str]]) -> None:
    """A bad row may take lines with it that it quotes, and never a row that is written as CSV is."""
    file = StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["address", "name"])
    for number, (address, name) in enumerate(others):
        writer.writerow([address, name])
        writer.writerow([f"p{number}@contoso.example", "x"])
    expected = {f"p{number}@contoso.example" for number in range(len(others))}
    assert expected == set(_addresses(_read(file.getvalue())))


# Formulas


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "\0"])
def test_a_cell_that_a_spreadsheet_would_compute_is_written_as_text(first: str) -> None:
    assert f"'{first}1+1" == neutralise(f"{first}1+1")
    assert f"{first}1+1" == restore(f"'{first}1+1")


def test_an_ordinary_cell_is_written_as_it_is() -> None:
    for cell in ("", "Anna", "o'neil", "'quoted'", "a=b"):
        assert cell == neutralise(cell) == restore(cell)


_ODD = st.text(st.sampled_from("'=+-@\t\r\n a,;\"ä"), max_size=8)
_HOSTILE = _ODD | st.text(st.characters(codec="utf-8"), max_size=8)


@given(_HOSTILE)
def test_what_was_neutralised_is_restored_and_never_begins_a_formula(cell: str) -> None:
    written = neutralise(cell)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell == restore(written)


_ATEXT = "abcXYZ019!#$%&'*+/=?^_`{|}~-"
_LOCALS = st.text(st.sampled_from(_ATEXT), min_size=1, max_size=12)
_NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=20)


@given(st.lists(st.tuples(_LOCALS, _NAMES), max_size=10))
def test_what_is_exported_and_imported_is_the_same_people(listed: list[tuple[str, str]]) -> None:
    persons = []
    for local, name in listed:
        try:
            persons.append(Person(Account(f"{local}@contoso.example", display_name=name), language="de"))
        except InvalidInput:
            continue
    file = StringIO(newline="")
    write = spreadsheet(file, ["address", "username", "name", "language"])
    for person in persons:
        account = person.account
        write([account.address, account.username, account.display_name, person.language])
    assert [person for person in persons if "\ufffd" not in person.account.display_name] == _persons(
        _read(file.getvalue(), "utf-8-sig", guests=True)
    )


def test_an_address_that_looks_like_a_formula_is_a_good_one() -> None:
    assert ["=1+1@contoso.example"] == _addresses(_read("address\n=1+1@contoso.example\n"))


# Batches


class Failing(BytesIO):
    """A file on a disk that cannot be read any further."""

    def __init__(self, content: bytes, *, readable: int) -> None:
        super().__init__(content)
        self._readable = readable

    def read1(self, size: int | None = -1, /) -> bytes:
        """As much as can be read, and then the disk's error."""
        return self.read(size)

    def read(self, size: int | None = -1, /) -> bytes:
        """As much as can be read, and then the disk's error."""
        if self.tell() >= self._readable:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size)


def test_a_disk_that_fails_in_the_middle_ends_the_import_after_what_was_read() -> None:
    text = "address\n" + "".join(f"person{number}@contoso.example\n" for number in range(2000))
    rows = people(read_table(Failing(text.encode(), readable=20_000)), Selection())
    register = Register()
    done = []
    with pytest.raises(InvalidTable, match="The file cannot be read any further: Input/output error"):
        done += [len(batch) for batch in invite_in_batches(rows, register.invite, pause=register.pauses.append, size=9)]
    assert register.batches
    assert {9} == set(register.batches)


class Register:
    """Invites whoever is of contoso.example; remembers the batches, and is locked as often as it is told."""

    def __init__(self, *, locked: int = 0) -> None:
        self.batches: list[int] = []
        self.pauses: list[float] = []
        self._locked = locked
        self._invited: set[str] = set()

    def invite(self, persons: Sequence[Person]) -> Mapping[str, Invited]:
        if self._locked:
            self._locked -= 1
            raise StoreUnavailable("locked", reason="locked")
        self.batches.append(len(persons))
        told = {}
        for person in persons:
            key = person.account.key
            if person.account.domain != "contoso.example":
                told[key] = Invited.UNKNOWN_DOMAIN
            else:
                told[key] = Invited.KEPT_LINK if key in self._invited else Invited.NEW_LINK
        self._invited |= told.keys()
        return told

    def run(self, text: str, size: int = 2) -> list[Outcome]:
        batches = invite_in_batches(_read(text), self.invite, pause=self.pauses.append, size=size)
        return [outcome for batch in batches for outcome in batch]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_person_who_is_listed_again_is_invited_once_and_the_report_says_which_row_counts(size: int) -> None:
    text = f"address,name\n{ANNA},Anna\n{BERTA},Berta\nANNA@Contoso.example,Anna O\n{ANNA},Anna P\n"
    outcomes = Register().run(text, size)
    assert ["invited", "invited", "kept", "kept"] == [outcome.result for outcome in outcomes]
    assert ["", "", "line 2;", "line 4;"] == [" ".join(outcome.reason.split()[5:7]) for outcome in outcomes]


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 10))
def test_every_row_that_names_a_person_again_names_the_row_before(numbers: list[int], size: int) -> None:
    outcomes = Register().run("address\n" + "".join(f"p{number}@contoso.example\n" for number in numbers), size)
    told: dict[int, int] = {}
    for outcome, number in zip(outcomes, numbers, strict=True):
        before = f"The same person as in line {told[number]}; this line counts." if number in told else ""
        assert before == outcome.reason
        told[number] = outcome.line


def test_persons_who_stand_far_apart_in_a_long_list_are_found_to_be_the_same() -> None:
    count = 10_000
    text = "address\n" + "".join(f"p{number}@contoso.example\n" for number in range(count)) * 2
    outcomes = Register().run(text, 500)
    assert [""] * count == [outcome.reason for outcome in outcomes[:count]]
    assert [f"The same person as in line {line}; this line counts." for line in range(2, count + 2)] == [
        outcome.reason for outcome in outcomes[count:]
    ]


def test_a_domain_that_is_not_configured_leaves_its_rows_out_and_is_summed_up() -> None:
    tally = Tally()
    for outcome in Register().run(f"address\nbob@fabrikam.example\n{ANNA}\nbeth@fabrikam.example\n"):
        tally.add(outcome)
    assert ({Why.UNKNOWN_DOMAIN: 2}, {"fabrikam.example": 2}) == (tally.left_out, tally.unknown_domains)
    assert (3, 1, True) == (tally.rows, tally.people, tally.has_findings)


def test_what_is_left_out_as_it_should_be_is_no_finding() -> None:
    tally = Tally()
    for outcome in Register().run(f"upn,Block credential\n{ANNA},True\n{BERTA},False\n"):
        tally.add(outcome)
    assert (1, False) == (tally.people, tally.has_findings)


def test_a_database_that_is_locked_for_a_while_is_waited_for() -> None:
    register = Register(locked=3)
    assert ["invited"] == [outcome.result for outcome in register.run(f"address\n{ANNA}\n")]
    assert 3 == len(register.pauses)


@pytest.mark.parametrize("reason", ["locked", "unreachable"])
def test_a_database_that_does_not_come_back_ends_the_import(reason: str) -> None:
    pauses: list[float] = []

    def refuse(persons: Sequence[Person]) -> Mapping[str, Invited]:
        raise StoreUnavailable("gone", reason=reason)  # type: ignore[arg-type]  # as the parameters say

    with pytest.raises(StoreUnavailable):
        next(invite_in_batches(_read(f"address\n{ANNA}\n"), refuse, pause=pauses.append))
    assert (7 if reason == "locked" else 0) == len(pauses)


def test_no_more_of_a_list_is_read_than_the_present_batch() -> None:
    register = Register()
    text = "address\n" + "".join(f"p{number}@contoso.example\n" for number in range(5))
    batches = invite_in_batches(iter(_read(text)), register.invite, pause=register.pauses.append, size=2)
    next(batches)
    assert [2] == register.batches
    assert [2, 1] == [len(batch) for batch in batches]
