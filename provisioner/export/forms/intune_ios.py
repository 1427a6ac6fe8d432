"""Intune, iPhone and iPad: the Graph body of a custom profile (``iosCustomConfiguration``, v1.0)."""

from provisioner.export.form import File, Form, Piece, Share, is_profile
from provisioner.export.graph import custom_configuration
from provisioner.format import Platform


def _wanted(piece: Piece) -> bool:
    return is_profile(piece.fmt) and piece.platform is Platform.IPHONE


def _write(share: Share) -> list[File]:
    kind = "#microsoft.graph.iosCustomConfiguration"
    return [custom_configuration(share, piece, kind=kind) for piece in share.pieces if _wanted(piece)]


FORM = Form(
    id="intune-ios",
    title="the Graph body of a custom profile for iPhone and iPad",
    wraps=is_profile,
    write=_write,
    for_person=False,
)
