"""Zentral's request that adds a version of a profile to an artifact (``/api/mdm/profiles/``)."""

from base64 import b64encode
from types import MappingProxyType

from provisioner.export.form import JSON, File, Form, Piece, Share, is_profile, one_file_each
from provisioner.export.writing import write_json
from provisioner.format import Platform

_ARTIFACT = "PUT-THE-ARTIFACT-ID-HERE"
_PLATFORMS = {Platform.IPHONE: ("ios", "ipados"), Platform.MAC: ("macos",)}


def _write(share: Share, piece: Piece) -> File:
    assert piece.platform is not None  # of every profile
    body: dict[str, object] = {
        "artifact": _ARTIFACT,
        "source": b64encode(piece.document.content).decode(),
        **dict.fromkeys(_PLATFORMS[piece.platform], True),
        "version": 1,
    }
    name = f"zentral/{piece.folder}/{share.stem}-{piece.fmt.id}.json"
    return File(name, JSON, write_json(body), piece.content, piece.fmt.id)


FORM = Form(
    id="zentral-json",
    title="the request that adds the profile to an artifact",
    wraps=is_profile,
    write=lambda share: one_file_each(share, is_profile, _write),
    placeholders=MappingProxyType({_ARTIFACT: "the id (a UUID) of the artifact; and count its version up"}),
)
