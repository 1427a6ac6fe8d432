"""What a row of a list says of a person: mailbox, sign-in name, name and language; or why it invites nobody.

In the admin centre's export the username is the User principal name, and the address the one of the Proxy addresses
that is written with capital ``SMTP:`` (the primary one), or else the User principal name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from provisioner.errors import InvalidDisplayName, InvalidInput, InvalidUsername, printable
from provisioner.invitations.columns import Column, Field
from provisioner.invitations.table import Table, TableRow, UnusableRow
from provisioner.model import Account
from provisioner.store.invitations import Person


class Why(Enum):
    """Why a row is left out. Only ``unusable`` and ``unknown domain`` want to be mended."""

    UNUSABLE = "unusable"
    UNKNOWN_DOMAIN = "unknown domain"
    OTHER_DOMAIN = "other domain"
    GUEST = "guest"
    BLOCKED = "blocked"
    DELETED = "deleted"
    UNLICENSED = "unlicensed"

    @property
    def is_finding(self) -> bool:
        """Whether somebody has to mend it; the others are left out as they should be."""
        return self in (Why.UNUSABLE, Why.UNKNOWN_DOMAIN)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that invites nobody: its first line, the column that is the reason (empty: the whole row), and why."""

    line: int
    column: str
    reason: str
    why: Why


@dataclass(frozen=True, slots=True)
class Listed:
    """A row that invites somebody."""

    line: int
    person: Person
    column: str  # that the address comes from


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Whom to invite of those that the list has."""

    domains: frozenset[str] = frozenset()  # none: of every configured domain
    guests: bool = False
    blocked: bool = False
    deleted: bool = False
    unlicensed: bool = False


def people(table: Table, selection: Selection) -> Iterator[Listed | LeftOut]:
    """Whom each row invites, or why nobody."""
    for row in table.rows():
        if isinstance(row, UnusableRow):
            yield LeftOut(row.line, row.column, row.reason, Why.UNUSABLE)
        else:
            yield _read(row, table.columns, selection)


class _Left(Exception):
    def __init__(self, field: Field, why: Why, reason: str) -> None:
        super().__init__(reason)
        self.field, self.why = field, why


def _read(row: TableRow, columns: Mapping[Field, Column], selection: Selection) -> Listed | LeftOut:
    field = Field.ADDRESS
    try:
        _select(row.cells, selection)
        field, address = _address(row.cells)
        account = Account(
            address, username=row.cells.get(Field.USERNAME, ""), display_name=row.cells.get(Field.NAME, "")
        )
        language = _language(row.cells.get(Field.LANGUAGE, ""))
    except _Left as left:
        return LeftOut(row.line, columns[left.field].name, str(left), left.why)
    except InvalidInput as refusal:
        blamed = _BLAMED.get(type(refusal), field)
        return LeftOut(row.line, columns[blamed].name, str(refusal), Why.UNUSABLE)
    if selection.domains and account.domain not in selection.domains:
        reason = "The address is of a domain that was not asked for."
        return LeftOut(row.line, columns[field].name, reason, Why.OTHER_DOMAIN)
    known = bool(row.cells.get(Field.USERNAME, "").strip())
    return Listed(row.line, Person(account, language=language, username_known=known), columns[field].name)


_BLAMED: Mapping[type[InvalidInput], Field] = {InvalidUsername: Field.USERNAME, InvalidDisplayName: Field.NAME}


def _select(cells: Mapping[Field, str], selection: Selection) -> None:
    """Return where the row may invite somebody."""
    if not selection.guests:
        _refuse_guests(cells)
    if not selection.blocked:
        _refuse_blocked(cells)
    if not selection.deleted and cells.get(Field.DELETED, "").strip():
        raise _Left(Field.DELETED, Why.DELETED, "The account is deleted. --include-deleted invites it.")
    if not selection.unlicensed and not _is_licensed(cells):
        raise _Left(Field.LICENCES, Why.UNLICENSED, "The account has no licence. --include-unlicensed invites it.")


_NO_LICENCE = ("", "unlicensed", "unlicenced", "[]")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_GUEST = "#ext#"


def _is_licensed(cells: Mapping[Field, str]) -> bool:
    """Also where the list tells nothing of licences."""
    told = [_spelled(cells.get(field, "")) for field in (Field.LICENCES, Field.ASSIGNMENTS)]
    return Field.LICENCES not in cells or any(licence not in _NO_LICENCE for licence in told)


def _refuse_guests(cells: Mapping[Field, str]) -> None:
    for field, mark in ((Field.USERNAME, _GUEST), (Field.ADDRESS, _GUEST), (Field.USER_TYPE, "guest")):
        if mark in cells.get(field, "").casefold():
            raise _Left(field, Why.GUEST, "The account is a guest's. --include-guests invites it.")


def _refuse_blocked(cells: Mapping[Field, str]) -> None:
    for field, blocks in ((Field.BLOCKED, True), (Field.ENABLED, False)):
        spelled = _spelled(cells.get(field, ""))
        if spelled and spelled not in _TRUTH:
            raise _Left(field, Why.UNUSABLE, f"True or False was expected, found {printable(cells[field])}.")
        if spelled and _TRUTH[spelled] is blocks:
            raise _Left(field, Why.BLOCKED, "The account may not sign in. --include-blocked invites it.")


def _spelled(cell: str) -> str:
    return cell.strip().casefold()


# Entries are separated by +, ; , or blanks, and each begins with its kind; a + before anything else is the address's.
_BETWEEN_PROXIES = re.compile(r"[+;,|\s]+(?=[A-Za-z0-9]+:)")
_PRIMARY = "SMTP:"


def _address(cells: Mapping[Field, str]) -> tuple[Field, str]:
    """The address, and the column that tells it, or that should where none does."""
    if cells.get(Field.ADDRESS, "").strip():
        return Field.ADDRESS, cells[Field.ADDRESS]
    primary = _primary(cells.get(Field.PROXIES, ""))
    if primary:
        return Field.PROXIES, primary
    if cells.get(Field.USERNAME, "").strip():
        return Field.USERNAME, cells[Field.USERNAME]
    return next(field for field in (Field.ADDRESS, Field.USERNAME, Field.PROXIES) if field in cells), ""


def _primary(proxies: str) -> str:
    entries = _BETWEEN_PROXIES.split(proxies.strip())
    primary = [entry.removeprefix(_PRIMARY) for entry in entries if entry.startswith(_PRIMARY)]
    if len(primary) > 1:
        raise _Left(Field.PROXIES, Why.UNUSABLE, f"{len(primary)} entries begin with {_PRIMARY}; one was expected.")
    return primary[0].rstrip("+;,| ") if primary else ""


_TAG = re.compile(r"([A-Za-z]{2,3})((?:-[A-Za-z0-9]{2,8}){0,3})")


def _language(cell: str) -> str:
    """The language tag in its usual case (RFC 5646 section 2.1.1); of several, the first."""
    told = cell.partition(";")[0].strip().replace("_", "-")
    if not told:
        return ""
    tag = _TAG.fullmatch(told)
    if not tag:
        raise _Left(
            Field.LANGUAGE, Why.UNUSABLE, f"A language such as de or pt-BR was expected, found {printable(told)}."
        )
    parts = [_cased(part) for part in tag.group(2).split("-")[1:]]
    return "-".join([tag.group(1).lower(), *parts])


def _cased(part: str) -> str:
    return part.upper() if len(part) == 2 else part.title() if len(part) == 4 and part.isalpha() else part.lower()
