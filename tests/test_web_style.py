"""Everybody can read the pages: contrast as WCAG 2.2 asks (1.4.3), in light and in dark."""

import re

import pytest

from tests.websites import TEMPLATES

PAIRS = [
    *(("text", ground) for ground in ("ground", "card", "warn")),
    *(("quiet", ground) for ground in ("ground", "card")),
    *(("accent", ground) for ground in ("ground", "card", "warn")),
    ("on-accent", "accent"),
]
_STYLE = (TEMPLATES / "style.css").read_text()


def _colours(rule: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", rule))


LIGHT, DARK = (_colours(rule) for rule in re.findall(r":root \{([^}]*)\}", _STYLE)[:2])


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    digits = colour.removeprefix("#")
    parts = [digits[i : i + 2] for i in (0, 2, 4)] if len(digits) == 6 else [2 * digit for digit in digits]
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (int(part, 16) / 255 for part in parts)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_words_stand_out_from_what_is_behind_them(colours: dict[str, str], front: str, back: str) -> None:
    lighter, darker = sorted((_luminance(colours[front]), _luminance(colours[back])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_nothing_is_loaded_from_elsewhere_and_zoom_is_never_forbidden() -> None:
    texts = [path.read_text() for path in TEMPLATES.iterdir()]
    assert len(texts) > 10
    for text in texts:
        assert not re.search(r"url\(|@import|https?://|user-scalable|maximum-scale", text)
