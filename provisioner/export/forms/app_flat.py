"""Managed configuration of apps on Android: the object with a value for each key (Android Management API's shape)."""

from provisioner.export.form import File, Form, Piece, Share, named, one_file_each

_WRAPPED = named("outlook-android", "gmail-android")


def _write(share: Share, piece: Piece) -> File:
    name = f"apps/android/{share.stem}-{piece.fmt.id}.{piece.fmt.suffix}"
    return File(name, piece.document.media_type, piece.document.content, piece.content, piece.fmt.id)


FORM = Form(
    id="app-flat",
    title="the managed configuration of Outlook or Gmail on Android; choose one of the two apps",
    wraps=_WRAPPED,
    write=lambda share: one_file_each(share, _WRAPPED, _write),
)
