"""The lines of a text file in whatever encoding it has, one at a time, so that a damaged one does not spoil the next.

Excel and the admin centre write UTF-8 with and without a byte order mark, and UTF-16. Octets that are none become
U+FFFD (Unicode 3.9, "Unpaired surrogates" and "U+FFFD Substitution of Maximal Subparts"), which shows in their row.
"""

import codecs
from collections import deque
from io import TextIOWrapper
from typing import BinaryIO

from provisioner.errors import InvalidTable

MAX_LINE = 256 * 1024  # characters
MAX_LINES_OF_A_ROW = 50  # a quoted cell may hold line breaks; a quotation mark that is never closed holds all of them

LOST = "\N{REPLACEMENT CHARACTER}"

_LOOKED_AT = 4096  # octets
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx is a ZIP archive, .xls an OLE compound file
_TOO_LONG = "\0"


class Unusable(Exception):  # it is told, not raised to a person
    """The row that begins at this line cannot be read."""


class Lines:
    """Iterates over the lines for a reader of rows, which may take several, and gives back what it took too much.

    ``number`` is the number of the line that the present row begins at. Raises InvalidTable for what is no text.
    """

    def __init__(self, file: BinaryIO) -> None:
        head = file.read(_LOOKED_AT)
        if head.startswith(_WORKBOOKS):
            raise InvalidTable(
                "The file is a spreadsheet's workbook, and text was expected. Open it and save it as 'CSV UTF-8'."
            )
        file.seek(0)
        self.encoding = _encoding(head)
        self._text = TextIOWrapper(file, encoding=self.encoding, errors="replace", newline="")
        self._given_back: deque[str] = deque()
        self._taken: list[str] = []
        self.number = 1

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        """The next line with its end. Raises Unusable where it, or the row it belongs to, is too long."""
        if len(self._taken) == MAX_LINES_OF_A_ROW:
            raise Unusable(
                f"The row goes on for more than {MAX_LINES_OF_A_ROW} lines: a quotation mark is opened and not closed."
            )
        line = self._given_back.popleft() if self._given_back else self._read()
        if not line:
            raise StopIteration
        self._taken.append(line)
        if line is _TOO_LONG:
            raise Unusable(f"The line is longer than {MAX_LINE} characters.")
        return line

    def end_row(self) -> None:
        """The present row is read; the next begins at the next line."""
        self.number += len(self._taken)
        self._taken.clear()

    def give_back(self, *, but: int = 1) -> int:
        """The present row is only its first lines after all; says how many it had."""
        taken = len(self._taken)
        self._given_back.extendleft(reversed(self._taken[but:]))
        del self._taken[but:]
        return taken

    def _read(self) -> str:
        try:
            line = self._text.readline(MAX_LINE + 1)
        except OSError as failure:
            raise InvalidTable(f"The file cannot be read any further: {failure.strerror}.") from None
        if len(line) <= MAX_LINE:
            return line
        while line and not line.endswith(("\n", "\r")):
            line = self._text.readline(MAX_LINE)
        return _TOO_LONG


def _encoding(head: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    # In UTF-16 without a mark, every other octet of what is written in ASCII, such as the header, is NUL.
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 > len(head) and min(even, odd) * 8 < max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"
