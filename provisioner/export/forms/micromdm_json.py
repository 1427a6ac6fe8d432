"""MicroMDM's request that installs a profile on one device."""

from base64 import b64encode
from types import MappingProxyType

from provisioner.export.form import JSON, File, Form, Piece, Share, is_profile, one_file_each
from provisioner.export.writing import write_json

_UDID = "PUT-THE-DEVICE-UDID-HERE"


def _write(share: Share, piece: Piece) -> File:
    body = {
        "udid": _UDID,
        "request_type": "InstallProfile",
        "payload": b64encode(piece.document.content).decode(),
    }
    name = f"micromdm/{piece.folder}/{share.stem}-{piece.fmt.id}.json"
    return File(name, JSON, write_json(body), piece.content, piece.fmt.id)


FORM = Form(
    id="micromdm-json",
    title="the request that installs the profile on one device",
    wraps=is_profile,
    write=lambda share: one_file_each(share, is_profile, _write),
    placeholders=MappingProxyType({_UDID: "the UDID of the person's device, as MicroMDM lists it"}),
)
