"""Makes the mail address and the telephone number in a support contact something one can tap.

mailto: RFC 6068; tel: RFC 3966. A contact is one line such as "IT help desk, help@contoso.com, +1 425 555 0100".
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from provisioner.address import normalise_address
from provisioner.errors import InvalidAddress

_MIN_DIGITS, _MAX_DIGITS = 5, 15  # ITU-T E.164: 15 at most
# A contact has at most 100 characters, and no part of this can be matched in two ways.
_LINKABLE = re.compile(r"(?P<mail>[^\s,;<>()@]+@[^\s,;<>()@]+)|(?P<phone>\+?[0-9][0-9 ()/.\-]*[0-9])")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the contact; ``href`` is empty where there is nothing to tap."""

    text: str
    href: str


def contact_parts(contact: str) -> list[Part]:
    """``contact`` cut where a mail address or telephone number begins and ends; joined, the texts are ``contact``."""
    parts: list[Part] = []
    end = 0
    for match in _LINKABLE.finditer(contact):
        href = _mail(match["mail"]) if match["mail"] else _telephone(match["phone"])
        if href:
            parts += [Part(contact[end : match.start()], ""), Part(match[0], href)]
            end = match.end()
    parts.append(Part(contact[end:], ""))
    return [part for part in parts if part.text]


def _mail(text: str) -> str:
    try:
        return f"mailto:{quote(normalise_address(text), safe='@')}"
    except InvalidAddress:
        return ""


def _telephone(text: str) -> str:
    digits = re.sub(r"[^0-9]", "", text)
    if not _MIN_DIGITS <= len(digits) <= _MAX_DIGITS:
        return ""
    return f"tel:{'+' if text.startswith('+') else ''}{digits}"
