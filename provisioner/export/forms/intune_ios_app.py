"""Intune, iPhone and iPad: the Graph body of an app configuration policy (``iosMobileAppConfiguration``, v1.0)."""

from base64 import b64encode
from types import MappingProxyType

from provisioner.export.form import JSON, File, Form, Piece, Share, listed_as, named, one_file_each
from provisioner.export.writing import write_json

_APP = "PUT-THE-ID-OF-OUTLOOK-FOR-IOS-IN-YOUR-TENANT-HERE"
_WRAPPED = named("outlook-ios")


def _write(share: Share, piece: Piece) -> File:
    name = f"intune/apps/{share.stem}-{piece.fmt.id}.json"
    body = {
        "@odata.type": "#microsoft.graph.iosMobileAppConfiguration",
        "displayName": listed_as(name),
        "description": "",
        "targetedMobileApps": [_APP],
        "encodedSettingXml": b64encode(piece.content).decode(),
    }
    return File(name, JSON, write_json(body), piece.content, piece.fmt.id)


FORM = Form(
    id="intune-ios-app",
    title="the Graph body of Outlook's configuration on iPhone and iPad",
    wraps=_WRAPPED,
    write=lambda share: one_file_each(share, _WRAPPED, _write),
    for_person=False,
    placeholders=MappingProxyType(
        {_APP: "the id (a GUID) that Outlook for iPhone and iPad has among the apps of your tenant"}
    ),
)
