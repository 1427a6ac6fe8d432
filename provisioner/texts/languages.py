"""The languages there are, what each calls itself, and which of them somebody reads.

Endonyms and directions: Unicode CLDR 47 (localeDisplayNames, layout). Tags: BCP 47 (RFC 5646); matching as in RFC 4647
section 3.4 (lookup); Accept-Language: RFC 9110 section 12.5.4.
"""

from collections.abc import Collection
from dataclasses import dataclass

_MAX_LOOKED_AT = 256  # characters of a header; real ones are a fifth of it
_MAX_TAG = 35  # characters; RFC 5646 section 4.4.1: longer ones are not in use
# Chinese is asked for by region, and written in one of two scripts (CLDR 47, likelySubtags); he was once called iw.
_OTHER_NAMES = {"zh": "zh-Hans", "zh-cn": "zh-Hans", "zh-sg": "zh-Hans", "zh-tw": "zh-Hant", "zh-hk": "zh-Hant"}
_OTHER_NAMES |= {"zh-mo": "zh-Hant", "iw": "he"}


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

    ``chosen`` is what the address says and ``accept`` the header; neither has to be well formed. What the header
    refuses with q=0 is found by choice or as the default only.
    """
    if found := _look_up(chosen, offered):
        return found
    wanted, refused = _read(accept)
    acceptable = [tag for tag in offered if tag.lower() in wanted or not _is_of(tag, refused)]
    return next(filter(None, (_look_up(tag, acceptable) for tag in wanted)), default)


def _is_of(tag: str, ranges: Collection[str]) -> bool:
    """Whether one of ``ranges`` is the tag or its beginning (RFC 4647 section 3.3.1)."""
    return any(f"{tag.lower()}-".startswith(f"{each}-") for each in ranges)


def _read(header: str) -> tuple[list[str], list[str]]:
    """The tags of an Accept-Language header in lower case: those wanted, the most wanted first, and those refused."""
    if len(header) > _MAX_LOOKED_AT:
        header = header[:_MAX_LOOKED_AT].rpartition(",")[0]  # half an item may say the opposite of the whole
    ranked: list[tuple[float, int, str]] = []
    for place, item in enumerate(header.split(",")):
        tag, _, weight = item.partition(";")
        ranked.append((-_quality(weight), place, tag.strip().lower()))
    ranked = [each for each in ranked if each[2]]
    return [tag for rank, _, tag in sorted(ranked) if rank < 0], [tag for rank, _, tag in ranked if rank == 0]


def _quality(weight: str) -> float:
    """The weight after ``q=``, within 0 and 1; 1 where there is none, 0 where it is no number."""
    name, _, value = weight.strip().partition("=")
    if name.strip().lower() != "q":
        return 1
    try:
        return min(float(value), 1) if float(value) > 0 else 0
    except ValueError:
        return 0


def _look_up(wanted: str, offered: Collection[str]) -> str:
    """The offered tag for ``wanted``: as it is, with its last parts left off, or the first of its language.

    "" for none. Chinese in the other script is better than another language.
    """
    by_lower = {tag.lower(): tag for tag in offered}
    by_language = {tag.partition("-")[0].lower(): tag for tag in reversed([*offered])}
    tag = wanted[: _MAX_TAG + 1].strip().lower().replace("_", "-")
    if len(tag) > _MAX_TAG:
        return ""
    while tag:
        for spelling in (tag, _OTHER_NAMES.get(tag, "").lower()):
            if spelling in by_lower:
                return by_lower[spelling]
        shorter = tag.rpartition("-")[0]
        if not shorter:
            return by_language.get(_OTHER_NAMES.get(tag, tag).partition("-")[0], "")
        tag = shorter
    return ""
