"""The gettext catalogues that lie here: one directory for each language, and the languages that have one."""

from collections.abc import Callable, Mapping
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path
from types import MappingProxyType

from provisioner.texts.languages import KNOWN, Language

ENGLISH = "en"

_CATALOGUES = Path(__file__).parent
_DOMAIN = "provisioner"


def _offered() -> Mapping[str, Language]:
    """English, and every language with a catalogue; that each is complete is a test."""
    there = (tag for tag in KNOWN if tag == ENGLISH or (_CATALOGUES / _locale(tag)).is_dir())
    return MappingProxyType({tag: KNOWN[tag] for tag in there})


def _locale(tag: str) -> str:
    return tag.replace("-", "_")


LANGUAGES: Mapping[str, Language] = _offered()


def message(text: str) -> str:
    """``text`` as it is; marks it for translators where it is declared apart from its use."""
    return text


@cache
def translations(language: str) -> NullTranslations:
    """The catalogue of ``language`` (a BCP 47 tag), for templates; the English one where there is none."""
    tags = [_locale(language), language.partition("-")[0]]
    return translation(_DOMAIN, localedir=_CATALOGUES, languages=tags, fallback=True)


def translate(language: str) -> Callable[[str], str]:
    """The function that turns an English message into ``language`` (a BCP 47 tag), or leaves it in English."""
    return translations(language).gettext
