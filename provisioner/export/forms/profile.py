"""The profile as it is: a file that nearly every MDM imports."""

from provisioner.export.form import File, Form, Piece, Share, is_profile, one_file_each


def _write(share: Share, piece: Piece) -> File:
    name = f"{piece.folder}/{share.stem}-{piece.fmt.id}.{piece.fmt.suffix}"
    return File(name, piece.document.media_type, piece.document.content, piece.content, piece.fmt.id)


FORM = Form(
    id="profile",
    title="a configuration profile for each kind of device, to import as it is",
    wraps=is_profile,
    write=lambda share: one_file_each(share, is_profile, _write),
)
