"""The languages there are, what each calls itself, and which of them somebody reads.

Endonyms and directions: Unicode CLDR 47 (localeDisplayNames, layout). Tags: BCP 47 (RFC 5646); matching as in RFC 4647
section 3.4 (lookup); Accept-Language: RFC 9110 section 12.5.4.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

_MAX_LOOKED_AT = 256  # characters of a header; real ones are a fifth of it
# Chinese is asked for by region, and written in one of two scripts (CLDR 47, likelySubtags).
_SCRIPTS = {"zh": "zh-Hans", "zh-cn": "zh-Hans", "zh-sg": "zh-Hans", "zh-tw": "zh-Hant", "zh-hk": "zh-Hant"}
_SCRIPTS |= {"zh-mo": "zh-Hant", "iw": "he"}


@dataclass(frozen=True, slots=True)
class Language:
    """A language as people pick it."""

    tag: str  # BCP 47
    endonym: str
    right_to_left: bool = False

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``, as HTML's dir attribute has it."""
        return "rtl" if self.right_to_left else "ltr"


KNOWN = {
    language.tag: language
    for language in (
        Language("en", "English"),
        Language("de", "Deutsch"),
        Language("fr", "Français"),
        Language("es", "Español"),
        Language("ar", "العربية", right_to_left=True),
        Language("it", "Italiano"),
        Language("pt-BR", "Português (Brasil)"),
        Language("nl", "Nederlands"),
        Language("pl", "Polski"),
        Language("sv", "Svenska"),
        Language("tr", "Türkçe"),
        Language("uk", "Українська"),
        Language("he", "עברית", right_to_left=True),
        Language("hi", "हिन्दी"),
        Language("ja", "日本語"),
        Language("ko", "한국어"),
        Language("zh-Hans", "简体中文"),
        Language("zh-Hant", "繁體中文"),
    )
}


def choose_language(*, chosen: str, accept: str, offered: Collection[str], default: str) -> str:
    """The tag among ``offered`` that a person reads: what they chose, what their browser accepts, or ``default``.

    ``chosen`` is what the address says and ``accept`` the header; neither has to be well formed.
    """
    for wanted in (chosen, *_accepted(accept)):
        if found := _look_up(wanted, offered):
            return found
    return default


def _accepted(header: str) -> Iterator[str]:
    """The tags of an Accept-Language header, the most wanted first."""
    ranked: list[tuple[float, int, str]] = []
    for place, item in enumerate(header[:_MAX_LOOKED_AT].split(",")):
        tag, _, weight = item.partition(";")
        quality = _quality(weight)
        if tag.strip() and quality > 0:
            ranked.append((-quality, place, tag.strip()))
    return (tag for *_, tag in sorted(ranked))


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    if name.strip().lower() != "q":
        return 1
    try:
        return min(float(value), 1)
    except ValueError:
        return 0


def _look_up(wanted: str, offered: Collection[str]) -> str:
    """The offered tag for ``wanted``: as it is, or with its last parts left off; "" for none."""
    by_lower = {tag.lower(): tag for tag in offered}
    by_language = {tag.partition("-")[0].lower(): tag for tag in reversed([*offered])}
    tag = wanted.lower().replace("_", "-")
    while tag:
        for spelling in (tag, _SCRIPTS.get(tag, "").lower()):
            if spelling in by_lower:
                return by_lower[spelling]
        shorter = tag.rpartition("-")[0]
        if not shorter and tag != "zh":
            return by_language.get(tag, "")
        tag = shorter
    return ""
