"""Makes the mail address and the telephone number in a support contact something one can tap.

mailto: RFC 6068; tel: RFC 3966. A contact is one line such as "IT help desk, help@contoso.com, +1 425 555 0100".
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from provisioner.address import normalise_address
from provisioner.errors import InvalidAddress

_MIN_DIGITS, _MAX_DIGITS = 6, 15  # ITU-T E.164: 15 at most
_MIN_UNGROUPED = 7  # digits in one piece that are fewer may be a post code or an extension
# A contact has at most 100 characters, and no part of this can be matched in two ways.
_LINKABLE = re.compile(r"(?P<mail>[^\s,;<>()@]+@[^\s,;<>()@]+)|(?P<phone>(?:\+|\(?)[0-9][0-9 ()/.\-]*[0-9])")
_INTERNATIONAL = re.compile(r"\+|00[1-9]")
_TRUNK_PREFIX = re.compile(r"\(0\)")  # dialled inside the country only, never after its code
_YEAR = r"(?:19|20)[0-9]{2}"
_NO_PHONE = re.compile(
    rf"{_YEAR}[-./][0-9]{{1,2}}[-./][0-9]{{1,2}}.*"  # 2026-11-23
    rf"|[0-9]{{1,2}}[-./][0-9]{{1,2}}[-./](?:{_YEAR}|[0-9]{{2}})"  # 23.11.2026
    rf"|{_YEAR}(?:0[1-9]|1[0-2])[0-3][0-9]|{_YEAR} ?- ?{_YEAR}"  # 20261123, 2024-2026
    r"|[0-9]{1,2}\.[0-9]{2} ?- ?[0-9]{1,2}\.[0-9]{2}"  # 08.00-17.00
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}"  # 192.0.2.10
    r"|[0-9]+\.[0-9]+\.[0-9]{5,}"  # 16.89.24091630
)


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


def mail_request(contact: str, *, subject: str, body: str) -> str:
    """The mailto: address that asks whoever ``contact`` names; "" where it names no mail address."""
    addresses = (part.href for part in contact_parts(contact) if part.href.startswith("mailto:"))
    query = f"subject={quote(subject, safe='')}&body={quote(body, safe='')}"  # RFC 6068 section 2: %20, never +
    return next((f"{address}?{query}" for address in addresses), "")


def _mail(text: str) -> str:
    try:
        return f"mailto:{quote(normalise_address(text), safe='@')}"
    except InvalidAddress:
        return ""


def _telephone(text: str) -> str:
    international = _INTERNATIONAL.match(text) is not None
    digits = re.sub(r"[^0-9]", "", _TRUNK_PREFIX.sub("", text) if international else text)
    least = _MIN_UNGROUPED if text.isdigit() else _MIN_DIGITS
    if not least <= len(digits) <= _MAX_DIGITS or not (international or _is_grouped_as_a_phone(text)):
        return ""
    return f"tel:{'+' if text.startswith('+') else ''}{digits}"


def _is_grouped_as_a_phone(text: str) -> bool:
    """Whether this is no date, time, version or address of a machine, nor has single digits after its first group."""
    _, *later = re.findall(r"[0-9]+", text)
    return all(len(group) > 1 for group in later) and _NO_PHONE.fullmatch(text) is None
