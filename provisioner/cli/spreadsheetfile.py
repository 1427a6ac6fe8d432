"""A CSV file for a spreadsheet, which is at its place entirely or not at all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from provisioner.cli.output import file_at, naming

Row = Iterable[object]


@contextmanager
def spreadsheet_at(path: Path, header: Sequence[str]) -> Iterator[Callable[[Row], None]]:
    """Writes rows to a file that is at ``path`` when the block has ended. Raises NotWritten."""
    from provisioner.invitations import spreadsheet

    with file_at(path) as file:
        text = TextIOWrapper(file, encoding="utf-8-sig", newline="")  # with its mark, Excel reads it as what it is
        write = spreadsheet(text, header)

        def write_row(row: Row) -> None:
            with naming(path):
                write(row)

        yield write_row
        with naming(path):
            text.flush()
        text.detach()
