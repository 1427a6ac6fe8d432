"""One catalogue: its messages, and how it is written down, byte for byte the same on every machine and day."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import generate_po, read_po

_KEPT = ("Language", "Plural-Forms", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")


class Catalogue(Catalog):
    """Babel's catalogue without what changes while no text does: dates, people, line numbers, versions."""

    def __init__(self, locale: str | None) -> None:
        super().__init__(locale=locale, header_comment="# Translations template for Provisioner.", fuzzy=False)

    def _get_mime_headers(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in super()._get_mime_headers() if name in _KEPT]

    mime_headers = property(_get_mime_headers)

    def entries(self) -> Iterator[Message]:
        """The messages without the header."""
        return (message for message in self if message.id)

    def po(self) -> bytes:
        """The catalogue as people edit it."""
        return "".join(generate_po(self, include_lineno=False, sort_by="location", width=0)).encode()

    def mo(self) -> bytes:
        """The catalogue as the product reads it."""
        written = BytesIO()
        write_mo(written, self)
        return written.getvalue()


def read(file: Path) -> Catalog:
    """What the translators of ``file`` wrote. Raises PoFileError where it is no PO file."""
    with file.open("rb") as opened:
        return read_po(opened, abort_invalid=True)


def update(template: Catalogue, locale: str, translated: Catalog) -> Catalogue:
    """The catalogue of ``locale`` with the template's messages; ``translated`` has what is there already.

    A translation is kept for exactly its message: one that was made for a similar sentence may be wrong. Those of
    messages that are not there (any more, or not yet: another branch may have them) stay at the end as obsolete.
    """
    known = _by_message(translated)
    updated = Catalogue(locale)
    for message in template.entries():
        kept = known.pop(_identity(message), None)
        updated.add(
            message.id,
            kept.string if kept else None,
            locations=message.locations,
            auto_comments=message.auto_comments,
            user_comments=kept.user_comments if kept else (),
            flags=kept.flags if kept else (),
            context=message.context,
        )
    for identity in sorted(known):
        updated.obsolete[identity] = known[identity]
    return updated


def _by_message(translated: Catalog) -> dict[str, Message]:
    """Every message of ``translated`` that has a translation, obsolete or not."""
    messages = [*translated.obsolete.values(), *translated]
    return {_identity(message): message for message in messages if message.id and any(forms(message.string))}


def _identity(message: Message) -> str:
    """What makes it the same message in two catalogues: its context, and its id in both numbers where it counts."""
    return repr((message.context or "", message.id))


def forms(text: object) -> tuple[str, ...]:
    """The forms of a message's id or string: several where it counts, otherwise one; "" for what is not there."""
    return tuple(str(form or "") for form in (text if isinstance(text, tuple | list) else (text,)))
