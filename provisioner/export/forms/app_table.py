"""Managed configuration of an app on iPhone and iPad: a table of keys, for consoles that have fields for them."""

from provisioner.export.form import File, Form, Piece, Share, named, one_file_each

_WRAPPED = named("outlook-ios-keys")


def _write(share: Share, piece: Piece) -> File:
    name = f"apps/iphone-ipad/{share.stem}-{piece.fmt.id}.{piece.fmt.suffix}"
    return File(name, piece.document.media_type, piece.document.content, piece.content, piece.fmt.id)


FORM = Form(
    id="app-table",
    title="Outlook's configuration on iPhone and iPad, a table of keys, types and values to type in",
    wraps=_WRAPPED,
    write=lambda share: one_file_each(share, _WRAPPED, _write),
)
