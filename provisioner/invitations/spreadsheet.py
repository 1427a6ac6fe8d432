"""CSV files for spreadsheets: a cell that would be taken for a formula is made plain text, and read back as it was.

Rules: RFC 4180 for the form; OWASP, "CSV Injection", for the characters that begin a formula. An address such as
``=1+1@example.com`` is a good one, so what is written is undone when it is read, and nothing is refused for it.
"""

import csv
import re
from collections.abc import Callable, Iterable
from typing import TextIO

# A cell that already begins like a neutralised one gets an apostrophe too, so that undoing finds what was there.
_DANGEROUS = re.compile(r"'*[=+\-@\t\r\n\0]")


def neutralise(cell: str) -> str:
    """``cell`` as a spreadsheet shows it and never computes it."""
    return f"'{cell}" if _DANGEROUS.match(cell) else cell


def restore(cell: str) -> str:
    """The cell that ``neutralise`` was given; any other is returned as it is."""
    return cell[1:] if cell.startswith("'") and _DANGEROUS.match(cell) else cell


def spreadsheet(file: TextIO, header: Iterable[str]) -> Callable[[Iterable[object]], None]:
    """Write ``header`` to ``file``, opened with ``newline=""``; returns what writes one more row."""
    writer = csv.writer(file)

    def write(row: Iterable[object]) -> None:
        writer.writerow([neutralise(str(cell)) for cell in row])

    write(header)
    return write
