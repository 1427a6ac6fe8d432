"""The people of a personal export: a CSV file (RFC 4180) in UTF-8 with the columns address, username and name.

``address`` alone is needed. A row that cannot be used stops the export before anything is written: of a set for an MDM
nobody would notice that one person is missing.
"""

import csv
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from provisioner.errors import InvalidInput, InvalidSetting, suggestion
from provisioner.model import Account

_COLUMNS = ("address", "username", "name")


class Row(NamedTuple):
    """A person and the row that names them; the head line is row 1."""

    number: int
    account: Account


def read_people(file: Path) -> Iterator[Row]:
    """Every person of ``file``, one after the other. Raises InvalidSetting naming the row, and never an address."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            yield from _read(file, csv.DictReader(lines, strict=True))
    except OSError as failure:
        raise InvalidSetting(f"The file {file} cannot be read: {failure.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidSetting(f"The file {file} is not UTF-8 text.") from None
    except csv.Error as failure:
        raise InvalidSetting(f"The file {file} is no CSV file: {failure}.") from None


def _read(file: Path, reader: "csv.DictReader[str]") -> Iterator[Row]:
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    if "address" not in names:
        raise InvalidSetting(f"{file}: no column is called address; the head line is {', '.join(_COLUMNS)}.")
    for name in names:
        if name not in _COLUMNS:
            raise InvalidSetting(f"{file}: a column is unknown. {suggestion(name, _COLUMNS)}")
    reader.fieldnames = names
    seen: set[bytes] = set()
    for number, cells in enumerate(reader, start=2):
        account = _account(file, number, cells)
        digest = blake2b(account.key.encode(), digest_size=8).digest()
        if digest in seen:
            raise InvalidSetting(f"{file}: row {number} names a mailbox that an earlier row names too. Remove one.")
        seen.add(digest)
        yield Row(number, account)
    if not seen:
        raise InvalidSetting(f"{file} names nobody; a head line and one row for each person were expected.")


def _account(file: Path, number: int, cells: "dict[str, str]") -> Account:
    if None in cells or None in cells.values():
        raise InvalidSetting(f"{file}: row {number} has not as many cells as the head line.")
    try:
        return Account(cells["address"], username=cells.get("username", ""), display_name=cells.get("name", ""))
    except InvalidInput as refusal:
        raise InvalidSetting(f"{file}: row {number}: {refusal}") from None
