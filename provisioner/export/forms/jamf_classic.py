"""Jamf Pro's Classic API: the profile as escaped text inside the XML that creates it.

``/JSSResource/mobiledeviceconfigurationprofiles`` and ``/JSSResource/osxconfigurationprofiles``. A phone's profile is
the device's, a Mac's mail account is the user's.
"""

import plistlib

from provisioner.export.form import File, Form, Piece, Share, is_profile, one_file_each
from provisioner.format import Platform
from provisioner.xmltree import node, write_xml

_ROOT = {Platform.IPHONE: "configuration_profile", Platform.MAC: "os_x_configuration_profile"}
_LEVEL = {"System": "Device Level", "User": "User Level"}


def _write(share: Share, piece: Piece) -> File:
    assert piece.platform is not None  # of every profile
    profile = plistlib.loads(piece.content)
    is_mac = piece.platform is Platform.MAC
    root = node(
        _ROOT[piece.platform],
        node(
            "general",
            node("name", f"{profile['PayloadDisplayName']} ({piece.fmt.id})"),
            node("description", profile["PayloadDescription"]),
            node("distribution_method" if is_mac else "deployment_method", "Install Automatically"),
            node("level", "User" if is_mac else _LEVEL[profile["PayloadScope"]]),
            node("redeploy_on_update", "Newly Assigned"),
            node("payloads", piece.content.decode()),
        ),
        node("scope"),
    )
    name = f"jamf/{piece.folder}/{share.stem}-{piece.fmt.id}.xml"
    return File(name, "application/xml", write_xml(root), piece.content, piece.fmt.id)


FORM = Form(
    id="jamf-classic",
    title="the body of the Classic API's request that creates the profile",
    wraps=is_profile,
    write=lambda share: one_file_each(share, is_profile, _write),
    for_person=False,  # the API is reported not to take signed profiles
)
