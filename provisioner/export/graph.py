"""What Intune's custom profiles share in Microsoft Graph: the file as base64, under its name."""

import plistlib
from base64 import b64encode

from provisioner.export.form import JSON, File, Piece, Share, listed_as
from provisioner.export.writing import write_json


def custom_configuration(share: Share, piece: Piece, *, kind: str, **more: str) -> File:
    """The body that creates a configuration of the type ``kind`` (``/deviceManagement/deviceConfigurations``)."""
    profile = plistlib.loads(piece.content)
    name = f"intune/custom/{piece.folder}/{share.stem}-{piece.fmt.id}.json"
    body = {
        "@odata.type": kind,
        "displayName": listed_as(name),
        "description": profile["PayloadDescription"],
        "payloadName": profile["PayloadDisplayName"],
        "payloadFileName": f"{share.stem}-{piece.fmt.id}.{piece.fmt.suffix}",
        "payload": b64encode(piece.document.content).decode(),
        **more,
    }
    return File(name, JSON, write_json(body), piece.content, piece.fmt.id)
