"""Days as people write them: "9 December 2026", in their language.

Names and patterns: Unicode CLDR 47, calendar gregorian, dateFormats long; numerals as in the Latin script.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

from provisioner.texts.catalogues import ENGLISH
from provisioner.texts.languages import KNOWN, choose_language

_FILE = Path(__file__).parent / "days.toml"


@cache
def _patterns() -> Mapping[str, Mapping[str, str]]:
    """By language: ``pattern``, and the name of each month by its number."""
    return MappingProxyType(tomllib.loads(_FILE.read_text(encoding="utf-8")))


def day(moment: date, language: str) -> str:
    """The day of ``moment`` as people who read ``language`` (a BCP 47 tag) write it; in English where it is unknown."""
    written = _patterns()[choose_language(chosen=language, accept="", offered=KNOWN, default=ENGLISH)]
    month = written.get(str(moment.month), str(moment.month))
    return written["pattern"].format(day=moment.day, month=month, year=moment.year)
