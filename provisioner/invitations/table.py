"""A CSV file as rows that tell something about people; a row that cannot be read is named, and the next one is read.

Rules: RFC 4180, with semicolons or tabs where the header is written so, as Excel does in half of Europe. Never more
than one row is in memory.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from provisioner.errors import InvalidTable
from provisioner.invitations.columns import Field, columns_known, doubts, require_address
from provisioner.invitations.lines import LOST, Lines, Unusable
from provisioner.invitations.spreadsheet import restore

MAX_ROWS = 1_000_000
MAX_CELL = 32 * 1024  # characters; hundreds of proxy addresses

_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class TableRow:
    """What a row tells, as it was before a spreadsheet's formulas were neutralised; ``line`` is where it begins."""

    line: int
    cells: Mapping[Field, str]


@dataclass(frozen=True, slots=True)
class UnusableRow:
    """A row that cannot be read: where it begins, which column is the reason (empty: the whole row), and why."""

    line: int
    column: str
    reason: str


class Table:
    """The rows of one file, to be read once."""

    def __init__(self, lines: Lines, *, delimiter: str, header: list[str], max_rows: int) -> None:
        self.encoding = lines.encoding
        self.columns = columns_known(header)
        self.doubts = doubts(header, self.columns)
        self._lines = lines
        self._delimiter = delimiter
        self._width = len(header)
        self._max_rows = max_rows

    def rows(self) -> Iterator[TableRow | UnusableRow]:
        """Each row in its order, without the empty ones. Past the most that are read, that is told."""
        number = 0
        for line, cells in self._records():
            if isinstance(cells, str):
                yield UnusableRow(line, "", cells)
            elif any(cells):
                yield self._row(line, cells)
            else:
                continue
            number += 1
            if number == self._max_rows:
                reason = f"After {number} rows the rest of the file was not read. Divide it into several."
                yield UnusableRow(line + 1, "", reason)
                return

    def _records(self) -> Iterator[tuple[int, list[str] | str]]:
        """The line and the cells of each row, or the reason why it has none."""
        reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        while True:
            self._lines.end_row()
            try:
                cells: list[str] | str = next(reader)
            except StopIteration:
                return
            except Unusable as reason:
                self._lines.give_back()
                cells = str(reason)
            except csv.Error as reason:
                self._lines.give_back()
                cells = f"The row is not written as CSV is ({reason}). See its quotation marks."
            yield self._lines.number, cells

    def _row(self, line: int, cells: list[str]) -> TableRow | UnusableRow:
        if len(cells) < self._width or any(cells[self._width :]):
            return UnusableRow(line, "", f"The row has {len(cells)} cells and the first line {self._width}.")
        told: dict[Field, str] = {}
        for field, column in self.columns.items():
            cell = cells[column.position]
            reason = _refused(cell, self.encoding)
            if reason:
                return UnusableRow(line, column.name, reason)
            told[field] = restore(cell)
        return TableRow(line, told)


def read_table(file: BinaryIO, *, max_rows: int = MAX_ROWS) -> Table:
    """The table in ``file``, which can be sought in. Raises InvalidTable where it is none that tells addresses."""
    lines = Lines(file)
    try:
        _go_to_header(lines)
    except Unusable as reason:
        raise InvalidTable(f"The first line cannot be read: {reason}") from None
    delimiter, header = _header(lines)
    require_address(columns_known(header), header)
    return Table(lines, delimiter=delimiter, header=header, max_rows=max_rows)


def _go_to_header(lines: Lines) -> None:
    """Past empty lines and Excel's ``sep=;``, to the line with the names of the columns."""
    for line in lines:
        if line.strip() and not line.lower().startswith("sep="):
            lines.give_back(but=0)
            return
        lines.end_row()
    raise InvalidTable(
        "The file is empty. A first line such as 'address,name' and a line for each person were expected."
    )


def _header(lines: Lines) -> tuple[str, list[str]]:
    """The delimiter that makes most of the first row, and the cells it makes."""
    tries = [(delimiter, *_first_row(lines, delimiter)) for delimiter in _DELIMITERS]
    delimiter, header, length = max(tries, key=lambda made: (len(columns_known(made[1])), len(made[1])))
    if not columns_known(header) and not all(cells for _, cells, _ in tries):
        raise InvalidTable("The first line is not written as CSV is. See its quotation marks.")
    for _ in range(length):
        next(lines)
    lines.end_row()
    return delimiter, header


def _first_row(lines: Lines, delimiter: str) -> tuple[list[str], int]:
    """The cells that ``delimiter`` makes of the next row (none: it cannot be read), and its lines; nothing is taken."""
    try:
        cells = next(csv.reader(lines, delimiter=delimiter, strict=True))
    except (csv.Error, Unusable):
        cells = []
    return cells, lines.give_back(but=0)


def _refused(cell: str, encoding: str) -> str:
    if len(cell) > MAX_CELL:
        return f"The cell is longer than {MAX_CELL} characters."
    if "\0" in cell:
        return "The cell holds a NUL, which no text has."
    if LOST in cell:
        return (
            f"The cell holds octets that are not {encoding.upper().removesuffix('-SIG')}, or a character that was "
            "lost before (U+FFFD). Save the list as 'CSV UTF-8'."
        )
    return ""
