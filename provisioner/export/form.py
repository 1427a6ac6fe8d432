"""What a form is: the shape of file in which an MDM wants our documents, such as a profile inside a JSON body.

A form is one file in ``forms/`` that ends with ``FORM = Form(...)``. It is pure: it wraps documents that are already
written, and knows no MDM; which MDM takes which forms stands in the MDMs' fact files.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType

from provisioner.format import Format, Platform, Variables
from provisioner.model import Document
from provisioner.profile import MEDIA_TYPE

JSON = "application/json"

_FOLDERS = {Platform.IPHONE: "iphone-ipad", Platform.MAC: "mac"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One document as an MDM gets it."""

    fmt: Format
    document: Document  # signed or not, as it is handed over
    content: bytes  # the document without its signature
    platform: Platform | None = None  # of a profile: IPHONE, for iPads too, or MAC

    @property
    def folder(self) -> str:
        """Where files for this kind of device lie."""
        return _FOLDERS[self.platform] if self.platform else "apps"


@dataclass(frozen=True, slots=True)
class Share:
    """Everything for one person, or for everybody of a domain."""

    stem: str  # that the names of the files begin with
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class File:
    """One file of the set. ``inside`` are the documents in it without a signature."""

    name: str  # with its folder
    media_type: str
    content: bytes
    inside: bytes
    format_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One shape of file, as declared at the end of its module."""

    id: str
    title: str  # one line that follows "…/: " in the set's README
    wraps: Callable[[Format], bool]  # which documents it is made of
    write: Callable[[Share], Iterable[File]]  # all of the share's documents that it wraps are in it
    for_domain: bool = True  # there is one for all, with the MDM's variables
    for_person: bool = True
    placeholders: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # name -> what to put there


def is_profile(fmt: Format) -> bool:
    """Whether an MDM can install it as a profile; declarations inside a profile are for installing by hand alone."""
    return fmt.media_type == MEDIA_TYPE and Variables in fmt.subjects


def named(*format_ids: str) -> Callable[[Format], bool]:
    """Whether a format is one of these, where it exists."""
    return lambda fmt: fmt.id in format_ids


def listed_as(file: str) -> str:
    """What an MDM's own list calls the thing that ``file`` makes: the same whatever the organisation is called."""
    place = PurePosixPath(file)
    return f"Provisioner: {place.stem} ({place.parent.name})"


def one_file_each(share: Share, wraps: Callable[[Format], bool], write: Callable[[Share, Piece], File]) -> list[File]:
    """The file that ``write`` makes of each document which ``wraps`` wants."""
    return [write(share, piece) for piece in share.pieces if wraps(piece.fmt)]
