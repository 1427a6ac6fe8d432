"""Whether black or white words stand out on an organisation's colour, so that its button can always be read.

WCAG 2.2, definitions of relative luminance and contrast ratio: the better of the two has at least 4.58:1 on any colour.
"""

_BLACK, _WHITE = "#000", "#fff"


def text_colour(colour: str) -> str:
    """``#000`` or ``#fff``: whichever has the greater contrast on ``colour``, written ``#rrggbb``."""
    luminance = _luminance(colour)
    return _WHITE if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else _BLACK


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
