"""The people of a personal export: the lists that invitations are made of, read the same way.

A row that cannot be used stops the export before anything is written: of a set for an MDM nobody would notice that one
person is missing. Guests and accounts that are blocked, deleted or without a licence are left out, as there.
"""

from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from provisioner.errors import InvalidSetting
from provisioner.invitations import LeftOut, Selection, Table, Why, people, read_table
from provisioner.model import Account


class Row(NamedTuple):
    """A person, the line of the file where they begin, and the language that it says for them."""

    number: int
    account: Account
    language: str  # a BCP 47 tag; empty: the file says none


def read_people(file: Path, left_out: Counter[Why]) -> Iterator[Row]:
    """Every person of ``file``, one after the other; ``left_out`` counts the rows of those who are left out.

    Raises InvalidSetting naming the row, and never an address.
    """
    try:
        with file.open("rb") as content:
            table = read_table(content)  # kept here: whoever drops it closes the file
            yield from _read(file, table, left_out)
    except OSError as failure:
        raise InvalidSetting(f"The file {file} cannot be read: {failure.strerror or 'it is no plain file'}.") from None


def _read(file: Path, table: Table, left_out: Counter[Why]) -> Iterator[Row]:
    if table.doubts:
        raise InvalidSetting("\n".join(f"{file}: {doubt}" for doubt in table.doubts))
    seen: set[bytes] = set()
    for entry in people(table, Selection()):
        if isinstance(entry, LeftOut):
            if entry.why.is_finding:
                column = f", column {entry.column}" if entry.column else ""
                raise InvalidSetting(f"{file}: row {entry.line}{column}: {entry.reason}")
            left_out[entry.why] += 1
            continue
        account = entry.person.account
        digest = blake2b(account.key.encode(), digest_size=8).digest()
        if digest in seen:
            raise InvalidSetting(f"{file}: row {entry.line} names a mailbox that an earlier row names too. Remove one.")
        seen.add(digest)
        yield Row(entry.line, account, entry.person.language)
    if not seen and left_out:
        others = ", ".join(f"{count} {why.value}" for why, count in left_out.most_common())
        raise InvalidSetting(f"{file} names nobody who gets a file; left out are {others}.")
    if not seen:
        raise InvalidSetting(f"{file} names nobody; a first line and a line for each person were expected.")
