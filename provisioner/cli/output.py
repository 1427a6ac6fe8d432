"""How a command's answer is written: aligned columns for people, JSON for programs, bytes into files."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from stat import S_IMODE
from typing import Any, BinaryIO
from uuid import uuid4

import click

from provisioner.errors import ProvisionerError


class NotWritten(ProvisionerError):
    """What was asked for could not be written; of a file nothing is there."""


_NEW_FILE = 0o644  # and less where the user's mask says so
_SECRET_FILE = 0o600


def print_json(value: object) -> None:
    """Write ``value`` as one JSON document: values of ours by their fields, enumerations by their values."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def plain(value: object) -> Any:
    """``value`` in JSON's kinds of values; moments in ISO 8601, sets sorted."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(plain(name)): plain(item) for name, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    return str(value) if isinstance(value, (Path, IPv4Network, IPv6Network)) else value


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write ``rows`` under ``header`` in aligned columns."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_fields(entries: Mapping[str, str]) -> None:
    """Write names and values, one pair on each line."""
    width = max(map(len, entries))
    for name, value in entries.items():
        click.echo(f"{name.ljust(width)}  {value}".rstrip())


def write_file(path: Path, content: bytes, *, secret: bool = False) -> None:
    """Write ``content`` to ``path`` entirely or not at all; a ``secret`` is for its owner alone. Raises NotWritten."""
    with file_at(path, secret=secret) as file, naming(path):
        file.write(content)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """While the block writes to the file at ``path``: an OSError becomes NotWritten, which names it."""
    try:
        yield
    except OSError as failure:
        raise _not_written(path, failure) from None


@contextmanager
def file_at(path: Path, *, secret: bool = False) -> Iterator[BinaryIO]:
    """A file to write to, which is at ``path`` when the block has ended, entirely or not at all. Raises NotWritten.

    A ``secret`` is for its owner alone, whatever was there before.
    """
    told: BaseException | None = None
    try:
        with _opened(path, secret=secret) as file:
            try:
                yield file
            except BaseException as failure:
                told = failure
                raise
    except OSError as failure:
        if failure is told:  # what fails in the block is the block's to tell
            raise
        raise _not_written(path, failure) from None


def _not_written(path: Path, failure: OSError) -> NotWritten:
    return NotWritten(f"The file {path} could not be written: {failure.strerror}.")


def _opened(path: Path, *, secret: bool) -> AbstractContextManager[BinaryIO]:
    if path.exists() and not path.is_file():
        return path.open("wb")  # a device or a pipe: it cannot be replaced, and must not be
    return _replacing(path.resolve(), secret=secret)


@contextmanager
def _replacing(path: Path, *, secret: bool) -> Iterator[BinaryIO]:
    unfinished = path.with_name(f".{path.name[:100]}.{uuid4().hex}")
    mode = _SECRET_FILE if secret else _NEW_FILE
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:  # noqa: PTH123
            if path.exists() and not secret:
                os.fchmod(file.fileno(), S_IMODE(path.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_standard_output(content: bytes) -> None:
    """Write ``content`` to standard output as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def abandon_standard_output() -> None:
    """Throw away what standard output still holds: Python would try to write it at its end, and complain again."""
    with suppress(OSError, ValueError):  # ValueError: what stands for it in a test has no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def say_none_yet(what: str, data_dir: Path) -> None:
    """Say that a list is empty, and where was looked: another directory may have been meant."""
    click.echo(f"There is no {what} yet (data directory: {data_dir}).", err=True)
