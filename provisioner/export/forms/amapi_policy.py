"""Android Management API: the policy with an app's managed configuration inside (``policies.applications``).

The name of the app's package is the one that its Google Play form has.
"""

import json

from provisioner.export.form import JSON, File, Form, Piece, Share, named
from provisioner.export.writing import write_json

_FLAT = named("outlook-android", "gmail-android")
_PLAY = "-intune"  # what the same configuration's id ends with in Google Play's form
_WRAPPED = named("outlook-android", "gmail-android", f"outlook-android{_PLAY}", f"gmail-android{_PLAY}")


def _write(share: Share) -> list[File]:
    packages = {
        piece.fmt.id.removesuffix(_PLAY): json.loads(piece.content)["productId"].removeprefix("app:")
        for piece in share.pieces
        if _WRAPPED(piece.fmt) and not _FLAT(piece.fmt)
    }
    return [_policy(share, piece, packages[piece.fmt.id]) for piece in share.pieces if _FLAT(piece.fmt)]


def _policy(share: Share, piece: Piece, package: str) -> File:
    policy = {"applications": [{"packageName": package, "managedConfiguration": json.loads(piece.content)}]}
    name = f"policies/{share.stem}-{piece.fmt.id}.json"
    return File(name, JSON, write_json(policy), piece.content, piece.fmt.id)


FORM = Form(
    id="amapi-policy",
    title="a policy with the app's configuration; choose one of the two apps, and merge it into your own policy",
    wraps=_WRAPPED,
    write=_write,
    for_domain=False,
)
