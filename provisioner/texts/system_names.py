"""What the operating systems and apps call their own settings and buttons in each language, as facts with a source.

People look for the words on their screen, so these are never translated by us. A name without a source is shown with
the English one beside it; where there is none, the English one stands alone.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

from provisioner.errors import CatalogueError, suggestion
from provisioner.texts.catalogues import ENGLISH
from provisioner.texts.languages import KNOWN, choose_language

SYSTEM_NAMES_FILE = Path(__file__).parent / "system_names.toml"

_KEYS = {"name", "source", "checked"}
_URL = re.compile(r"https://[!-~]+")


@dataclass(frozen=True, slots=True)
class SystemName:
    """The name in one language; ``source`` is empty where nobody has looked it up."""

    name: str
    source: str = ""
    checked: date | None = None

    def shown(self, english: str) -> str:
        """The name for a sentence, with the ``english`` one beside it unless a source proves it or they are equal."""
        return self.name if self.source or self.name == english else f"{self.name} ({english})"


SystemNames = Mapping[tuple[str, str], Mapping[str, SystemName]]
"""By system and English name, then by language (a BCP 47 tag)."""


def system_name(system: str, english: str, language: str) -> str:
    """What ``system`` calls ``english`` in ``language`` (a BCP 47 tag). Raises KeyError for a pair that is no fact."""
    named = system_names()[system, english]
    found = named.get(choose_language(chosen=language, accept="", offered=KNOWN, default=ENGLISH))
    return found.shown(english) if found else english


@cache
def system_names() -> SystemNames:
    """All of them. Raises CatalogueError where the file breaks its rules."""
    return read_system_names(SYSTEM_NAMES_FILE)


def read_system_names(file: Path) -> SystemNames:
    """The names in ``file``. Raises CatalogueError for a key, a language or a value that is not expected."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as failure:
        raise CatalogueError(file=str(file), reason=f"is not TOML that can be read: {failure}.") from None
    names: dict[tuple[str, str], Mapping[str, SystemName]] = {}
    for system, terms in values.items():
        for english, languages in _table(file, system, terms).items():
            key = f"{system}.{english}"
            names[system, english] = MappingProxyType(
                {tag: _name(file, f"{key}.{tag}", tag, value) for tag, value in _table(file, key, languages).items()}
            )
    return MappingProxyType(names)


def _name(file: Path, key: str, tag: str, value: object) -> SystemName:
    if tag not in KNOWN or tag == ENGLISH:
        raise _refusal(file, key, f"is no language of the pages other than English. {suggestion(tag, KNOWN)}")
    entry = _table(file, key, value)
    if unknown := sorted(entry.keys() - _KEYS):
        raise _refusal(file, key, f"holds {unknown[0]!r}. {suggestion(unknown[0], _KEYS)}")
    name, source, checked = entry.get("name"), entry.get("source", ""), entry.get("checked")
    if not isinstance(name, str) or not name or name != name.strip():
        raise _refusal(file, key, "needs a name without blanks around it.")
    if not isinstance(source, str) or (source and not _URL.fullmatch(source)):
        raise _refusal(file, key, "has a source that is no https URL.")
    if not source and checked is None:
        return SystemName(name)
    if not source or type(checked) is not date:  # exactly: a datetime is a date, too
        raise _refusal(file, key, "needs both a source and the date it was checked, or neither.")
    return SystemName(name, source, checked)


def _table(file: Path, key: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _refusal(file, key, "is no table.")
    return value


def _refusal(file: Path, key: str, reason: str) -> CatalogueError:
    return CatalogueError(file=str(file), key=key, reason=reason)
