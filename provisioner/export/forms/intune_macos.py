"""Intune, Mac: the Graph body of a custom profile (``macOSCustomConfiguration``), in the user's channel.

``deploymentChannel`` exists in Graph's beta alone, and cannot be changed later; a Mac's mail account is the user's.
"""

from provisioner.export.form import File, Form, Piece, Share, is_profile
from provisioner.export.graph import custom_configuration
from provisioner.format import Platform


def _wanted(piece: Piece) -> bool:
    return is_profile(piece.fmt) and piece.platform is Platform.MAC


def _write(share: Share) -> list[File]:
    kind = "#microsoft.graph.macOSCustomConfiguration"
    return [
        custom_configuration(share, piece, kind=kind, deploymentChannel="userChannel")
        for piece in share.pieces
        if _wanted(piece)
    ]


FORM = Form(
    id="intune-macos",
    title="the Graph body of a custom profile for Macs",
    wraps=is_profile,
    write=_write,
    for_person=False,
)
