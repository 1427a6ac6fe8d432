"""The declarative Exchange account: each declaration in a file of its own, as MDMs take them.

The account names the identity and the activation names the account, so the three belong together.
"""

import json

from provisioner.export.form import JSON, File, Form, Piece, Share, named
from provisioner.export.writing import write_json

_WRAPPED = named("account-exchange")


def _write(share: Share) -> list[File]:
    return [
        _file(share, piece, number, declaration)
        for piece in share.pieces
        if _WRAPPED(piece.fmt)
        for number, declaration in enumerate(json.loads(piece.content), start=1)
    ]


def _file(share: Share, piece: Piece, number: int, declaration: dict[str, object]) -> File:
    kind = str(declaration["Type"]).rpartition(".")[2]
    content = write_json(declaration)
    return File(f"declarations/{share.stem}-{number}-{kind}.json", JSON, content, content, piece.fmt.id)


FORM = Form(
    id="declarations",
    title="Apple's declarations of the account, three files in their order: use them or the profiles, not both",
    wraps=_WRAPPED,
    write=_write,
)
