"""Apple's InstallProfile command with the profile inside: what NanoMDM puts into a device's queue.

Apple device-management schema, mdm/commands/profile.install.yaml. The CommandUUID is derived from the profile, so that
the same export makes the same command.
"""

import plistlib
from uuid import NAMESPACE_URL, uuid5

from provisioner.export.form import File, Form, Piece, Share, is_profile, one_file_each


def _write(share: Share, piece: Piece) -> File:
    identifier = uuid5(NAMESPACE_URL, piece.content.decode())
    command = {
        "Command": {"RequestType": "InstallProfile", "Payload": piece.document.content},
        "CommandUUID": str(identifier).upper(),
    }
    content = plistlib.dumps(command, fmt=plistlib.FMT_XML, sort_keys=True)
    name = f"commands/{piece.folder}/{share.stem}-{piece.fmt.id}.plist"
    return File(name, "application/xml", content, piece.content, piece.fmt.id)


FORM = Form(
    id="install-profile-command",
    title="the InstallProfile command with the profile inside",
    wraps=is_profile,
    write=lambda share: one_file_each(share, is_profile, _write),
)
