"""One fact file, read strictly: what is not expected is refused with the file, the key and the line.

TOML 1.0 by tomllib, which keeps no line numbers. They are found again in the text, for the shape our files have: bare
keys, dotted or not, below ``[table]``, ``[table.part]`` and ``[table."dotted.part"]`` headers. Host names: RFC 1123
section 2.1, in lower case.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import TypeVar

from provisioner.address import MAX_DOMAIN_OCTETS, refuse_unwritable, strip_blanks
from provisioner.errors import CatalogueError, InvalidText, printable, suggestion
from provisioner.model import Evidence

_T = TypeVar("_T")

EVIDENCE = ("source", "checked", "confidence")  # the keys of every fact that say where it comes from
_CONFIDENCES = {word: word for word in ("primary", "secondary", "derived", "memory")}

_HEADER = re.compile(r"""\s*\[\[?\s*([A-Za-z0-9_."'-]+)\s*\]""")
_QUOTES = str.maketrans("", "", "\"'")
_KEY = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")
_PARSERS_LINE = re.compile(r"\(at line (\d+), column \d+\)")
# The last label starts with a letter, so an IP address is no host name (RFC 1123 section 2.1).
_HOSTNAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_URL = re.compile(r"https://([^/?#\s]+)(?:/[!-~]*)?")

_TOML_TYPES: Mapping[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a float",
    bool: "a boolean",
    date: "a date",
    datetime: "a date with a time",
    time: "a time",
    list: "an array",
    dict: "a table",
}


def is_hostname(text: str) -> bool:
    """Whether ``text`` is a DNS name of two labels or more, in lower case, without a final dot."""
    return len(text) <= MAX_DOMAIN_OCTETS and _HOSTNAME.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a fact file. Its readers raise CatalogueError for a value that is not what they promise.

    ``only`` comes first: the readers take a key that is there for granted.
    """

    file: Path
    lines: Mapping[str, int]  # dotted key -> line, counted from 1
    key: str  # dotted; empty for the file itself
    values: Mapping[str, object]

    def refusal(self, name: str, reason: str) -> CatalogueError:
        """The error that says where ``name`` stands; a missing key stands at its table's header."""
        key = f"{self.key}.{name}" if self.key else name
        place = key
        while place and place not in self.lines:
            place = place.rpartition(".")[0]
        return CatalogueError(file=str(self.file), key=key, line=self.lines.get(place, 0), reason=reason)

    def only(self, required: Iterable[str], optional: Iterable[str] = ()) -> None:
        """Refuse keys that are neither ``required`` nor ``optional``, then those that are required and not there."""
        required = tuple(required)
        known = (*required, *optional)
        for name in self.values:
            if name not in known:
                raise self.refusal(name, f"is unknown. {suggestion(name, known)}")
        for name in required:
            if name not in self.values:
                raise self.refusal(name, "is missing. Add it.")

    def table(self, name: str) -> "Table":
        """The table ``name`` inside this one."""
        key = f"{self.key}.{name}" if self.key else name
        return Table(self.file, self.lines, key, self._value(name, dict))

    def text(self, name: str) -> str:
        """A string that is not blank and can be written into a document."""
        return self._text(name, self._value(name, str))

    def _text(self, name: str, text: str) -> str:
        if not strip_blanks(text):
            raise self.refusal(name, "is empty.")
        try:
            refuse_unwritable(text)
        except InvalidText as refusal:
            raise self.refusal(name, str(refusal)) from None
        return text

    def texts(self, name: str) -> tuple[str, ...]:
        """Such strings; there is at least one."""
        return tuple(self._text(name, text) for text in self._strings(name))

    def scalar(self, name: str) -> str | bool | int:
        """A string, true or false, or a whole number."""
        return self._scalar(name, self.values[name])

    def scalars(self, name: str) -> tuple[str | bool | int, ...]:
        """Such values."""
        entries = self._value(name, list)
        if not entries:
            raise self.refusal(name, "is an empty array; at least one value was expected.")
        return tuple(self._scalar(name, entry) for entry in entries)

    def integer(self, name: str) -> int:
        """A whole number."""
        return self._value(name, int)

    def flag(self, name: str) -> bool:
        """True or false."""
        return self._value(name, bool)

    def day(self, name: str) -> date:
        """A date without a time of day."""
        return self._value(name, date)

    def choice(self, name: str, known: Mapping[str, _T]) -> _T:
        """What the string stands for among ``known``."""
        return self._chosen(name, self._value(name, str), known)

    def choices(self, name: str, known: Mapping[str, _T]) -> tuple[_T, ...]:
        """What each string of the array stands for among ``known``."""
        return tuple(self._chosen(name, text, known) for text in self._strings(name))

    def evidence(self) -> Evidence:
        """Where the table's facts come from, and the day they were checked."""
        return Evidence(
            sources=self.urls("source"),
            checked=self.day("checked"),
            confidence=self.choice("confidence", _CONFIDENCES),
        )

    def hostname(self, name: str) -> str:
        """A DNS name."""
        return self._hostname(name, self._value(name, str))

    def hostnames(self, name: str) -> tuple[str, ...]:
        """DNS names."""
        return tuple(self._hostname(name, text) for text in self._strings(name))

    def url(self, name: str) -> str:
        """An https URL without a port, a user or a password."""
        return self._url(name, self._value(name, str))

    def urls(self, name: str) -> tuple[str, ...]:
        """Such URLs."""
        return tuple(self._url(name, text) for text in self._strings(name))

    def _value(self, name: str, kind: type[_T]) -> _T:
        value = self.values[name]
        if type(value) is not kind:  # exactly: a boolean is an int to Python, and a datetime is a date
            raise self.refusal(name, f"is {_TOML_TYPES[type(value)]}; {_TOML_TYPES[kind]} was expected.")
        return value

    def _scalar(self, name: str, value: object) -> str | bool | int:
        if not isinstance(value, (str, bool, int)):
            raise self.refusal(name, f"is {_TOML_TYPES[type(value)]}; a string, a boolean or an integer was expected.")
        return value

    def _strings(self, name: str) -> tuple[str, ...]:
        entries = self._value(name, list)
        if not entries:
            raise self.refusal(name, "is an empty array; at least one string was expected.")
        for entry in entries:
            if type(entry) is not str:
                raise self.refusal(name, f"holds {_TOML_TYPES[type(entry)]}; strings were expected.")
        if len(set(entries)) < len(entries):
            raise self.refusal(name, "names something twice; remove one.")
        return tuple(entries)

    def _chosen(self, name: str, text: str, known: Mapping[str, _T]) -> _T:
        if text not in known:
            raise self.refusal(name, f"cannot be {printable(text)}. {suggestion(text, known)}")
        return known[text]

    def _hostname(self, name: str, text: str) -> str:
        if not is_hostname(text):
            raise self.refusal(
                name, f"{printable(text)} is no DNS name in lower case without a final dot (an IP address is none)."
            )
        return text

    def _url(self, name: str, text: str) -> str:
        match = _URL.fullmatch(text)
        if match is None or not is_hostname(match[1]):
            raise self.refusal(
                name, f"{printable(text)} is no https URL; https://, a DNS name and a path were expected."
            )
        return text


def read_fact_file(file: Path) -> Table:
    """The whole file as a table. Raises CatalogueError where it cannot be read or is not TOML."""
    try:
        text = file.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except OSError as failure:
        raise CatalogueError(file=str(file), reason=f"cannot be read: {failure.strerror}.") from None
    except (ValueError, RecursionError) as failure:  # no UTF-8, no TOML, a number or a nesting beyond Python's limits
        match = _PARSERS_LINE.search(str(failure))
        line = int(match[1]) if match else 0
        raise CatalogueError(file=str(file), line=line, reason=f"is not TOML: {failure}.") from None
    return Table(file, _lines(text), "", values)


def _lines(text: str) -> Mapping[str, int]:
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            name = header[1].translate(_QUOTES)
            table = f"{name}."
            lines.setdefault(name, number)
        elif key := _KEY.match(line):
            lines.setdefault(f"{table}{key[1]}", number)
    return lines
