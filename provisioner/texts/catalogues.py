"""The gettext catalogues that lie here: one directory for each language, and the languages that are offered.

A language is offered when its catalogue is complete; ``scripts/texts`` finds that out and writes ``offered.toml``, so
that nothing is left to find out at start. GNU gettext manual, section 10.3 (MO files).
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache
from gettext import NullTranslations, translation
from pathlib import Path
from types import MappingProxyType

from provisioner.texts.languages import KNOWN, Language, choose_language

ENGLISH = "en"

_CATALOGUES = Path(__file__).parent
_DOMAIN = "provisioner"
_REMEMBERED = 256  # spellings of languages; a directory of people holds a few dozen


def _offered() -> Mapping[str, Language]:
    listed = tomllib.loads((_CATALOGUES / "offered.toml").read_text(encoding="utf-8"))["languages"]
    return MappingProxyType({tag: KNOWN[tag] for tag in (ENGLISH, *listed)})


LANGUAGES: Mapping[str, Language] = _offered()


def message(text: str) -> str:
    """``text`` as it is; marks it for translators where it is declared apart from its use."""
    return text


def offered_language(tag: str) -> str:
    """The offered language for ``tag`` (BCP 47): itself, a wider one (de for de-AT), or English."""
    return choose_language(chosen=tag, accept="", offered=LANGUAGES, default=ENGLISH)


@lru_cache(_REMEMBERED)
def translations(language: str) -> NullTranslations:
    """The catalogue of ``language`` (a BCP 47 tag), for templates; the English one where there is none."""
    found = offered_language(language)
    if found == ENGLISH:
        return NullTranslations()
    return translation(_DOMAIN, localedir=_CATALOGUES, languages=[found.replace("-", "_")])


def translate(language: str) -> Callable[[str], str]:
    """The function that turns an English message into ``language`` (a BCP 47 tag), or leaves it in English."""
    return translations(language).gettext
