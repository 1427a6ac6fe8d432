"""Managed configuration of apps on Android: Google Play's list of properties, which Intune's JSON editor takes."""

from provisioner.export.form import File, Form, Piece, Share, named, one_file_each

_WRAPPED = named("outlook-android-intune", "gmail-android-intune")


def _write(share: Share, piece: Piece) -> File:
    name = f"apps/android/{share.stem}-{piece.fmt.id}.{piece.fmt.suffix}"
    return File(name, piece.document.media_type, piece.document.content, piece.content, piece.fmt.id)


FORM = Form(
    id="app-play",
    title="the configuration of Outlook or Gmail on Android, to paste as JSON; choose one of the two apps",
    wraps=_WRAPPED,
    write=lambda share: one_file_each(share, _WRAPPED, _write),
)
