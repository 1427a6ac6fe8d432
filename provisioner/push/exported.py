"""The files of a set as they are pushed, out of the ZIP that ``export`` wrote, each as its manifest knows it.

The ZIP may have been mailed around: what is not as it was exported is refused, and so is a set for another MDM.
"""

import json
import plistlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from struct import error as StructError  # noqa: N812
from typing import Any
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile
from zlib import error as NoDeflate  # noqa: N812

from provisioner.errors import InvalidInput, printable
from provisioner.mdm import Mdm

_MANIFEST = "manifest.json"
_MAX_FILES = 1000  # a set for a domain has a dozen
_MAX_OCTETS = 16 * 1024 * 1024  # of one file; the most that any of the MDMs takes
# What zipfile raises for a file that is damaged or has a password.
_UNREADABLE = (OSError, BadZipFile, NoDeflate, KeyError, ValueError, EOFError, StructError, RuntimeError)


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file of a set: its name inside it, and its bytes."""

    name: str
    content: bytes


def read_export(
    place: Path, mdm: Mdm, *, wants: Callable[[str], bool], for_people: bool, only: tuple[str, ...] = ()
) -> tuple[ExportedFile, ...]:
    """The files in the ZIP ``place`` that ``wants`` wants by their names, in the order of the set.

    ``for_people`` is whether the set has to be one with each person's own files. ``only`` are patterns such as
    ``mac/*``. Raises InvalidInput where the set is for another MDM, changed, or holds nothing that is wanted.
    """
    try:
        with ZipFile(place) as archive:
            manifest = _manifest(place, archive)
            _refuse_other(manifest, mdm, for_people=for_people)
            names = [name for name in manifest["files"] if wants(name) and _is_meant(name, only)]
            _refuse_number(names, mdm, only)
            return tuple(_read(archive, name, manifest["files"][name]) for name in names)
    except _UNREADABLE as failure:
        reason = failure.strerror if isinstance(failure, OSError) and failure.strerror else "it is no set, or damaged"
        raise InvalidInput(f"{place} cannot be read: {reason}. Give a ZIP that 'provisioner export' wrote.") from None


def _manifest(place: Path, archive: ZipFile) -> dict[str, Any]:
    try:
        manifest = json.loads(archive.read(_MANIFEST))
        return {
            "mdm": str(manifest["mdm"]),
            "mode": str(manifest["mode"]),
            "files": {_name(entry["file"]): str(entry["sha256"]) for entry in manifest["files"]},
        }
    except (ValueError, TypeError, KeyError):
        raise InvalidInput(
            f"{place} holds no {_MANIFEST} as 'provisioner export' writes it. Give the ZIP as it was written."
        ) from None


def _name(name: object) -> str:
    """A file's name, which can be shown on a terminal. Raises ValueError."""
    if not isinstance(name, str) or not name.isprintable():
        raise ValueError
    return name


def _refuse_other(manifest: Mapping[str, Any], mdm: Mdm, *, for_people: bool) -> None:
    if manifest["mdm"] != mdm.id:
        raise InvalidInput(
            f"This set is for {printable(manifest['mdm'])}, and not for {mdm.name}. Export one: 'provisioner export "
            f"--mdm {mdm.id}'."
        )
    if (manifest["mode"] == "personal") != for_people:
        raise InvalidInput(
            f"{mdm.name} fills nobody in, and this set is for everybody of a domain. Export one with --csv FILE."
            if for_people
            else f"{mdm.name} would install each person's own files for everybody. Export a set with --domain DOMAIN."
        )


def _is_meant(name: str, only: tuple[str, ...]) -> bool:
    return not only or any(fnmatchcase(name, pattern) for pattern in only)


def _refuse_number(names: list[str], mdm: Mdm, only: tuple[str, ...]) -> None:
    idle = [pattern for pattern in only if not any(fnmatchcase(name, pattern) for name in names)]
    if idle or not names:
        wanted = f" that is called like {' or '.join(idle)}" if idle else ""
        raise InvalidInput(f"The set holds no file for the API of {mdm.name}{wanted}, so nothing is pushed.")
    if len(names) > _MAX_FILES:
        raise InvalidInput(f"{len(names)} files are meant, and {_MAX_FILES} can be pushed at once. Choose with --only.")


def _read(archive: ZipFile, name: str, digest: str) -> ExportedFile:
    if archive.getinfo(name).file_size > _MAX_OCTETS:
        raise InvalidInput(f"{name} is larger than {_MAX_OCTETS} bytes, which no MDM takes.")
    content = archive.read(name)
    if sha256(content).hexdigest() != digest:
        raise InvalidInput(f"{name} is not as it was exported: {_MANIFEST} has another SHA-256. Export again.")
    return ExportedFile(name, content)


def plist_in(file: ExportedFile, *names: str) -> dict[str, Any]:
    """The property list in ``file``, which has these names. Raises InvalidInput."""
    try:
        found = plistlib.loads(file.content, fmt=plistlib.FMT_XML)
    except (ValueError, ExpatError, plistlib.InvalidFileException):
        raise not_as_exported(file) from None
    return _with(found, names, file)


def json_in(file: ExportedFile, *names: str) -> dict[str, Any]:
    """The JSON object in ``file``, which has these names. Raises InvalidInput."""
    try:
        found = json.loads(file.content)
    except (ValueError, RecursionError):
        raise not_as_exported(file) from None
    return _with(found, names, file)


def _with(found: object, names: tuple[str, ...], file: ExportedFile) -> dict[str, Any]:
    if not isinstance(found, dict) or any(name not in found for name in names):
        raise not_as_exported(file)
    return found


def not_as_exported(file: ExportedFile) -> InvalidInput:
    """The error that says that no export has written ``file`` so."""
    return InvalidInput(f"{printable(file.name, 120)} is not as 'provisioner export' writes it. Export again.")
