"""What an MDM must not be given, refused with its name and the reason before anything is written.

A text that looks like a variable would be filled in or left as letters on every phone; a character that the MDM escapes
once more arrives as garbage; a file that is too large is not imported at all.
"""

import json
import plistlib
from collections.abc import Iterable, Iterator
from typing import Any

from provisioner.errors import DocumentTooLarge, MdmRefusal
from provisioner.export.form import JSON, Piece, is_profile
from provisioner.mdm import Mdm
from provisioner.model import Account
from provisioner.profile import MEDIA_TYPE
from provisioner.xmltree import read_xml

_WORDS = {
    "PayloadOrganization": "the organisation's name",
    "PayloadDisplayName": "a title with the organisation's name",
    "EmailAccountDescription": "a title with the organisation's name",
    "VisibleName": "a title with the organisation's name",
    "PayloadDescription": "a description with the organisation's name",
    "ConsentText": "the consent text",
}


def refuse_person(mdm: Mdm, account: Account, *, row: int) -> None:
    """Raise MdmRefusal where something of this person would be a variable to ``mdm``, or be broken there."""
    for what, text in (
        ("the address", account.address),
        ("the user name", account.username),
        ("the name", account.display_name),
    ):
        sign = _reserved_in(mdm, text)
        if sign:
            raise MdmRefusal(
                mdm.name,
                f"{what} in row {row} holds {sign}, which starts a variable there; what is meant for one person can "
                "hold none. Leave that person out, or set them up by a link.",
            )
        broken = "" if mdm.takes_signed else _unsafe_in(mdm, text)
        if broken:
            raise MdmRefusal(mdm.name, f"{what} in row {row} holds {broken}, which it escapes once too often.")


def refuse_texts(mdm: Mdm, pieces: Iterable[Piece], *, own: Iterable[str], signed: bool = False) -> None:
    """Raise MdmRefusal where a text, but for the subject's ``own`` values, is not safe in ``mdm``'s hands."""
    values = frozenset(own)
    for piece in pieces:
        for key, text in _texts(piece):
            if text in values:  # as a whole: the same letters inside another text would be a variable there
                continue
            _refuse_text(mdm, key, text, escapes=is_profile(piece.fmt) and not signed)


def _refuse_text(mdm: Mdm, key: str, text: str, *, escapes: bool) -> None:
    where = _WORDS.get(key, f"the value of {key}")
    sign = _reserved_in(mdm, text)
    if sign:
        raise MdmRefusal(mdm.name, f"{where} holds {sign}, which it would take for a variable. Write it without.")
    broken = _unsafe_in(mdm, text) if escapes else ""
    if broken:
        raise MdmRefusal(
            mdm.name,
            f"{where} holds {broken}, which it escapes once too often: people would see it garbled, or the "
            "profile would break. Write it without.",
        )


def refuse_large(mdm: Mdm, pieces: Iterable[Piece]) -> None:
    """Raise DocumentTooLarge where a profile is larger than ``mdm`` takes."""
    limit = mdm.profiles.limit if mdm.profiles else 0
    for piece in pieces:
        size = len(piece.document.content)
        if limit and size > limit and is_profile(piece.fmt):
            raise DocumentTooLarge(mdm.name, piece.fmt.id, size, limit)


def _reserved_in(mdm: Mdm, text: str) -> str:
    reserved = mdm.variables.reserved if mdm.variables else ()
    return next((sign for sign in reserved if sign in text), "")


def _unsafe_in(mdm: Mdm, text: str) -> str:
    unsafe = mdm.profiles.unsafe if mdm.profiles else ()
    return next((sign for sign in unsafe if sign in text), "")


def _texts(piece: Piece) -> Iterator[tuple[str, str]]:
    """Every text of a document with the key under which it stands."""
    content, media_type = piece.content, piece.document.media_type
    if media_type == MEDIA_TYPE:
        yield from _leaves("", plistlib.loads(content))
    elif media_type == JSON:
        yield from _leaves("", json.loads(content))
    else:
        yield from (("an entry", text) for text in read_xml(content).itertext())


def _leaves(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(key if key == "ConsentText" else name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(key, inner)
