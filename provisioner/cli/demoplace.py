"""The directory of a demonstration: marked as one, used by one demonstration at a time, with its own identity in it."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioner.app import clock, signing_identity
from provisioner.cli.output import NotWritten
from provisioner.config import Settings
from provisioner.errors import AlreadyExists, IdentityNotInDate, InvalidInput, NoIdentity
from provisioner.signing import create_demo_identity, remove_demo_identity

_MARK = "DEMO.txt"
_MARK_TEXT = "A throw-away demonstration of Provisioner. Everything in this directory may be deleted.\n"
_AUTHORITY = "ca.pem"


@contextmanager
def hold(place: Path) -> Iterator[None]:
    """Keep ``place`` for this process while the block runs, and mark it as a demonstration's.

    Raises InvalidInput where something else is kept there, AlreadyExists where a demonstration runs there, and
    NotWritten where it cannot be written.
    """
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_free_or_marked(place):
            raise InvalidInput(
                f"{place} holds something that is no demonstration, and is left alone. Name a new directory, or an "
                "earlier demonstration's."
            )
        mark = (place / _MARK).open("a+", encoding="utf-8")
    except OSError as failure:
        raise NotWritten(f"The directory {place} cannot be used: {failure.strerror}.") from None
    with mark:
        _lock(mark.fileno(), place)
        if mark.tell() == 0:
            mark.write(_MARK_TEXT)
            mark.flush()
        yield


def _is_free_or_marked(place: Path) -> bool:
    """Whether our mark is there, or nothing else than perhaps a mark that a sudden end has left empty."""
    mark = place / _MARK
    if not mark.exists():
        return not any(place.iterdir())
    if not mark.is_file():
        return False
    with mark.open("rb") as file:
        content = file.read(len(_MARK_TEXT) + 1).decode(errors="replace")
    return content == _MARK_TEXT or (content == "" and [mark] == list(place.iterdir()))


def _lock(descriptor: int, place: Path) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with this process, and is not the workers' too
    except (BlockingIOError, PermissionError):
        raise AlreadyExists(
            f"A demonstration is running in {place} already. Stop it, or name another directory."
        ) from None


def make_identity(settings: Settings) -> Path:
    """See that there is a demo identity in date; returns the certificate of its authority (PEM).

    Raises IdentityUnusable or IdentityNotInDate where somebody has put another identity there that cannot be used,
    and NotWritten.
    """
    directory = settings.identity_dir
    for unfinished in settings.data_dir.glob(".demo-identity-*"):  # of a start that ended suddenly
        shutil.rmtree(unfinished, ignore_errors=True)
    try:
        signing_identity(settings)
    except NoIdentity:
        return _create(directory)
    except IdentityNotInDate as finding:
        _remove(directory, finding)
        return _create(directory)
    return directory / _AUTHORITY


def _remove(directory: Path, finding: IdentityNotInDate) -> None:
    try:
        removed = remove_demo_identity(directory)
    except OSError as failure:
        raise NotWritten(f"The demo identity in {directory} could not be removed: {failure.strerror}.") from None
    if not removed:
        raise IdentityNotInDate(
            f"{finding} The identity in {directory} is not the demonstration's own and is left alone: replace it, take "
            "it away, or name another directory."
        )


def _create(directory: Path) -> Path:
    try:
        return create_demo_identity(directory, now=clock(), organisation="Contoso")
    except OSError as failure:
        raise NotWritten(f"A demo identity could not be written into {directory}: {failure.strerror}.") from None
