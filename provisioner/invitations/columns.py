"""Which column of a list means what, matched loosely: without case, blanks and punctuation.

Ours are address, username, name and language. The others are those of the Microsoft 365 admin centre's user export, as
an administrator has published it (the README of attilamacskasy/openidsync, read on 2026-11-26), of Entra's, and what
such columns are usually called. Microsoft documents neither list, so a file of which none is known is explained.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from provisioner.errors import InvalidTable, printable


class Field(Enum):
    """What a column tells of a person."""

    ADDRESS = "address"
    USERNAME = "username"
    NAME = "name"
    LANGUAGE = "language"
    PROXIES = "proxy addresses"
    BLOCKED = "block credential"
    ENABLED = "account enabled"
    USER_TYPE = "user type"
    LICENCES = "licenses"
    ASSIGNMENTS = "license assignment details"
    DELETED = "soft deletion time stamp"


# Of two columns that mean the same, the one that stands first here counts.
_NAMES: Mapping[str, Field] = {
    "emailaddress": Field.ADDRESS,
    "email": Field.ADDRESS,
    "mail": Field.ADDRESS,
    "primarysmtpaddress": Field.ADDRESS,
    "mailbox": Field.ADDRESS,
    "address": Field.ADDRESS,
    "userprincipalname": Field.USERNAME,
    "upn": Field.USERNAME,
    "username": Field.USERNAME,
    "signinname": Field.USERNAME,
    "displayname": Field.NAME,
    "fullname": Field.NAME,
    "name": Field.NAME,
    "preferredlanguage": Field.LANGUAGE,
    "language": Field.LANGUAGE,
    "lang": Field.LANGUAGE,
    "proxyaddresses": Field.PROXIES,
    "emailaddresses": Field.PROXIES,
    "blockcredential": Field.BLOCKED,
    "signinblocked": Field.BLOCKED,
    "blocksignin": Field.BLOCKED,
    "accountenabled": Field.ENABLED,
    "usertype": Field.USER_TYPE,
    "licenses": Field.LICENCES,
    "licences": Field.LICENCES,
    "assignedlicenses": Field.LICENCES,
    "licenseassignmentdetails": Field.ASSIGNMENTS,  # older exports name the licence here alone
    "softdeletiontimestamp": Field.DELETED,
    "softdeletedtimestamp": Field.DELETED,
    "deleteddatetime": Field.DELETED,
}
_RANKS = {name: rank for rank, name in enumerate(_NAMES)}
_SHOWN = 12  # columns, in a message
_LONGEST_SHOWN = 40  # characters of a column's name
# How much of a name is right, by difflib's ratio. No column of an export comes near to another one.
_NEARLY = 0.85
_SIMILAR = 0.75  # where nothing else tells an address
_ADDRESSED_BY = (Field.ADDRESS, Field.PROXIES, Field.USERNAME)
_PUNCTUATION = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: where it stands in a row, and what the file calls it, as a screen can show it."""

    position: int
    name: str


def columns_known(header: Sequence[str]) -> Mapping[Field, Column]:
    """The columns of ``header`` that mean something here."""
    found: dict[Field, tuple[int, Column]] = {}
    for position, name in enumerate(header):
        spelled = _spelled(name)
        field = _NAMES.get(spelled)
        if field and (field not in found or _RANKS[spelled] < found[field][0]):
            found[field] = _RANKS[spelled], Column(position, _shown(name))
    return {field: column for field, (_, column) in found.items()}


def require_address(columns: Mapping[Field, Column], header: Sequence[str]) -> None:
    """Raise InvalidTable, explaining what was found and expected, where no column tells whose mailbox a row is."""
    if any(field in columns for field in _ADDRESSED_BY):
        return
    if any("@" in name for name in header):
        raise InvalidTable(
            "The first line holds an address where the names of the columns were expected. Put a line such as "
            "'address,name' above it."
        )
    shown = ", ".join(printable(name.strip()) for name in header[:_SHOWN])
    more = f" and {len(header) - _SHOWN} more" if len(header) > _SHOWN else ""
    raise InvalidTable(
        f"No column holds addresses. The first line has {shown}{more}; address, username, name and language were "
        "expected, or the admin centre's User principal name, Proxy addresses, Display name and Preferred language. "
        f"{_suggestion(header)}"
    )


def doubts(header: Sequence[str], columns: Mapping[Field, Column]) -> Sequence[str]:
    """A sentence for each column of ``header`` that is not read, and that somebody may believe to be."""
    told = [_doubt(position, name, columns) for position, name in enumerate(header)]
    return [sentence for sentence in told if sentence]


def _doubt(position: int, name: str, columns: Mapping[Field, Column]) -> str:
    field = _NAMES.get(_spelled(name))
    if field and columns[field].position != position:
        return (
            f"The column {_shown(name)!r} is not read, because {columns[field].name!r} tells the same. Take one of the "
            "two away."
        )
    meant = None if field else _nearest(name, _NEARLY)
    if meant and meant not in columns:
        return f"The column {_shown(name)!r} is not read. If it is meant to be {meant.value!r}, rename it."
    return ""


def _suggestion(header: Sequence[str]) -> str:
    for name in header:
        field = _nearest(name, _SIMILAR)
        if field in _ADDRESSED_BY:
            return f"Is {printable(name.strip())} meant to be {field.value!r}?"
    return "Name the column that holds the addresses 'address'."


def _nearest(name: str, cutoff: float) -> Field | None:
    """What the column ``name`` means if it is mistyped; of several that it resembles, the one that counts first."""
    near = get_close_matches(_spelled(name), _NAMES, n=len(_NAMES), cutoff=cutoff)
    return _NAMES[min(near, key=lambda each: _RANKS[each])] if near else None


def _shown(name: str) -> str:
    printing = (character for character in " ".join(name.split()) if character.isprintable())
    return "".join(printing)[:_LONGEST_SHOWN]


def _spelled(name: str) -> str:
    return _PUNCTUATION.sub("", name.casefold())
