"""The payload alone: the ``<dict>`` that a console puts into a profile of its own (custom settings).

Its text is that of the profile: the element is cut out of the property list, whose writing is plistlib's.
"""

import plistlib

from provisioner.export.form import File, Form, Piece, Share, is_profile, one_file_each

_START, _END = b'<plist version="1.0">\n', b"</plist>\n"


def _write(share: Share, piece: Piece) -> File:
    payload = plistlib.loads(piece.content)["PayloadContent"][0]
    written = plistlib.dumps(payload, fmt=plistlib.FMT_XML, sort_keys=True)
    content = written[written.index(_START) + len(_START) : -len(_END)]
    name = f"payload/{piece.folder}/{share.stem}-{piece.fmt.id}.xml"
    return File(name, "application/xml", content, piece.content, piece.fmt.id)


FORM = Form(
    id="payload-dict",
    title="the payload's <dict> alone, to paste into custom settings",
    wraps=is_profile,
    write=lambda share: one_file_each(share, is_profile, _write),
    for_person=False,
)
