"""Intune, Android Enterprise: the Graph body of an app configuration policy (``androidManagedStoreAppConfiguration``).

Graph beta alone. The configuration is Google Play's form as base64.
"""

import json
from base64 import b64encode
from types import MappingProxyType

from provisioner.export.form import JSON, File, Form, Piece, Share, listed_as, named, one_file_each
from provisioner.export.writing import write_json

_APPS = {
    "outlook-android-intune": "PUT-THE-ID-OF-OUTLOOK-FOR-ANDROID-IN-YOUR-TENANT-HERE",
    "gmail-android-intune": "PUT-THE-ID-OF-GMAIL-IN-YOUR-TENANT-HERE",
}
_WRAPPED = named(*_APPS)


def _write(share: Share, piece: Piece) -> File:
    name = f"intune/apps/{share.stem}-{piece.fmt.id}.json"
    body = {
        "@odata.type": "#microsoft.graph.androidManagedStoreAppConfiguration",
        "displayName": listed_as(name),
        "packageId": json.loads(piece.content)["productId"],
        "payloadJson": b64encode(piece.content).decode(),
        "targetedMobileApps": [_APPS[piece.fmt.id]],
        "profileApplicability": "default",
        "connectedAppsEnabled": False,
        "permissionActions": [],
    }
    return File(name, JSON, write_json(body), piece.content, piece.fmt.id)


FORM = Form(
    id="intune-android-app",
    title="the Graph body of Outlook's or Gmail's configuration on Android; choose one of the two apps",
    wraps=_WRAPPED,
    write=lambda share: one_file_each(share, _WRAPPED, _write),
    for_person=False,
    placeholders=MappingProxyType(
        dict.fromkeys(_APPS.values(), "the id (a GUID) that the app has among the apps of your tenant")
    ),
)
