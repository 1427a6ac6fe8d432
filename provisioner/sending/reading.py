"""What people read of an organisation: whom to write to, and its colour made readable."""

import re

from provisioner.address import normalise_address
from provisioner.errors import InvalidAddress
from provisioner.organisation import Organisation

_OUR_ACCENT = "#0b57d0"
_BLACK, _WHITE = "#000000", "#ffffff"
_ADDRESS = re.compile(r"[^\s,;<>()@]+@[^\s,;<>()@]+")


def contact_address(organisation: Organisation) -> str:
    """The first mail address in the organisation's support contact; empty where there is none."""
    for found in _ADDRESS.findall(organisation.support_contact):
        try:
            return normalise_address(found)
        except InvalidAddress:
            continue
    return ""


def colours(organisation: Organisation) -> tuple[str, str]:
    """The organisation's colour, and black or white, whichever is better read on it (WCAG 2.2, relative luminance)."""
    accent = organisation.accent_colour or _OUR_ACCENT
    against = _luminance(accent) + 0.05  # the better of the two contrasts is at least 4.58
    return accent, _WHITE if 1.05 / against >= against / 0.05 else _BLACK


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
