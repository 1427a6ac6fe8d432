"""Apple Business: the request that creates a configuration, with the profile as XML text inside.

Apple Business API, "Create a configuration"; a CUSTOM_SETTING whose file name ends in .mobileconfig. Text cannot carry
a signature, so the profile is the one without.
"""

import plistlib

from provisioner.export.form import JSON, File, Form, Piece, Share, is_profile, one_file_each
from provisioner.export.writing import write_json
from provisioner.format import Platform

_PLATFORMS = {Platform.IPHONE: "PLATFORM_IOS", Platform.MAC: "PLATFORM_MACOS"}


def _write(share: Share, piece: Piece) -> File:
    assert piece.platform is not None  # of every profile
    attributes = {
        "type": "CUSTOM_SETTING",
        "name": plistlib.loads(piece.content)["PayloadDisplayName"],
        "configuredForPlatforms": [_PLATFORMS[piece.platform]],
        "customSettingsValues": {
            "configurationProfile": piece.content.decode(),
            "filename": f"{share.stem}-{piece.fmt.id}.{piece.fmt.suffix}",
        },
    }
    body = {"data": {"type": "configurations", "attributes": attributes}}
    name = f"apple-business/{piece.folder}/{share.stem}-{piece.fmt.id}.json"
    return File(name, JSON, write_json(body), piece.content, piece.fmt.id)


FORM = Form(
    id="apple-business-json",
    title="the request that creates the configuration",
    wraps=is_profile,
    write=lambda share: one_file_each(share, is_profile, _write),
)
