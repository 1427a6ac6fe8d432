"""Fleet: the configuration of an app on Android, inside the one member that Fleet takes beside widgets.

Fleet refuses an object with any other top-level key than ``managedConfiguration`` and ``workProfileWidgets``.
"""

import json

from provisioner.export.form import JSON, File, Form, Piece, Share, named, one_file_each
from provisioner.export.writing import write_json

_WRAPPED = named("outlook-android", "gmail-android")


def _write(share: Share, piece: Piece) -> File:
    body = {"managedConfiguration": json.loads(piece.content)}
    name = f"apps/android/{share.stem}-{piece.fmt.id}.{piece.fmt.suffix}"
    return File(name, JSON, write_json(body), piece.content, piece.fmt.id)


FORM = Form(
    id="fleet-android-app",
    title="the configuration of Outlook or Gmail on Android, for the app's software title; choose one of the two apps",
    wraps=_WRAPPED,
    write=lambda share: one_file_each(share, _WRAPPED, _write),
)
