"""``manifest.json``: what is in a set, made of which facts by which version; written while the set is.

Each file has its SHA-256, and that of the documents inside without their signatures: a signature has its own time, so
a second run of the same people changes the first and never the second.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from hashlib import sha256
from typing import BinaryIO

from provisioner import __version__
from provisioner.export.form import File
from provisioner.model import Evidence, MailProvider


@dataclass(frozen=True, slots=True)
class Entry:
    """One file's line, and what the archive needs beside it."""

    file: str
    media_type: str
    sha256: str
    content_sha256: str
    format: str
    provider: str
    signed: bool


def entry_of(file: File, *, provider: str, signed: bool) -> Entry:
    """The line for ``file``."""
    return Entry(
        file=file.name,
        media_type=file.media_type,
        sha256=sha256(file.content).hexdigest(),
        content_sha256=sha256(file.inside).hexdigest(),
        format=file.format_id,
        provider=provider,
        signed=signed,
    )


class Manifest:
    """Written line by line into ``file``."""

    def __init__(self, file: BinaryIO, *, mdm: str, mode: str, providers: Iterable[MailProvider]) -> None:
        self._file = file
        self._count = 0
        head = {
            "product": "provisioner",
            "version": __version__,
            "mdm": mdm,
            "mode": mode,
            "catalogue": {provider.id: catalogue_day(provider).isoformat() for provider in providers},
        }
        self._file.write(json.dumps(head, ensure_ascii=False, indent=1)[:-2].encode() + b',\n "files": [')

    def add(self, entry: Entry) -> None:
        """Add a file's line."""
        line = json.dumps({field.name: getattr(entry, field.name) for field in fields(entry)}, ensure_ascii=False)
        self._file.write((",\n  " if self._count else "\n  ").encode() + line.encode())
        self._count += 1

    def close(self) -> None:
        """Write the end."""
        self._file.write(b"\n ]\n}\n")


def catalogue_day(provider: MailProvider) -> date:
    """The day on which the newest of a provider's facts was checked."""
    return max(_days(provider))


def _days(value: object) -> Iterable[date]:
    if isinstance(value, Evidence):
        yield value.checked
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _days(part)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _days(getattr(value, field.name))
