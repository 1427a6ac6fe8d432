"""What is wrong with a translation, as far as a program can see it; that it reads well only a person can tell."""

import re
from collections import Counter
from collections.abc import Iterator
from gettext import c2py

from babel.messages.catalog import Message

from tests.translating.catalogue import Catalogue, forms

SAME = "the same in English"  # a translator's comment at a message that is meant to stay as it is
_COUNTED = range(200)  # enough for every plural rule to repeat itself
_PERCENT_FIELD = re.compile(r"%\((\w+)\)[sd]")
_BRACE_FIELD = re.compile(r"\{(\w*)\}")
_TAG = re.compile(r"</?[a-z][^>]*>|[<>&]")  # and what would be read as one, or as a character reference
_EDGES = re.compile(r"\A\s*|\s*\Z")
_TEMPLATES = "templates/"


def problems(catalogue: Catalogue) -> Iterator[str]:
    """One line for each; nothing for a language that can be offered."""
    for message in catalogue.entries():
        for reason in _reasons(message, catalogue):
            yield f"{catalogue.locale}: {forms(message.id)[0]!r}: {reason}"


def _reasons(message: Message, catalogue: Catalogue) -> Iterator[str]:
    if message.fuzzy:
        yield "is marked fuzzy; read it and remove the mark"
    originals, strings = forms(message.id), forms(message.string)
    if len(strings) != (catalogue.num_plurals if message.pluralizable else 1) or not all(strings):
        yield "is not translated" if not any(strings) else "lacks a plural form"
        return
    for number, string in enumerate(strings):
        yield from _differences(originals[-1], string, may_lack=_said_by_form(number, catalogue, message))
        if message.locations and message.locations[0][0].startswith(_TEMPLATES):
            yield from _unfillable(string)
    unchanged = {*strings} <= {*originals}
    if unchanged != (SAME in message.user_comments):
        yield f"equals the English; if it is meant to, say so: # {SAME}" if unchanged else f"is not {SAME}"


def _differences(original: str, string: str, *, may_lack: frozenset[str]) -> Iterator[str]:
    for what, pattern in (("the fields", _PERCENT_FIELD), ("the fields", _BRACE_FIELD), ("the markup", _TAG)):
        expected, actual = Counter(pattern.findall(original)), Counter(pattern.findall(string))
        if expected != actual and (actual - expected or set(expected - actual) - may_lack):
            yield f"{what} {sorted(expected.elements())} were expected, not {sorted(actual.elements())}"
    if _EDGES.findall(original) != _EDGES.findall(string):
        yield "begins or ends with other blanks"
    if original.count("\n") != string.count("\n"):
        yield "has another number of lines"


def _said_by_form(form: int, catalogue: Catalogue, message: Message) -> frozenset[str]:
    """The fields that a plural form need not hold, because it is used for one number only and can say it in words."""
    if not message.pluralizable:
        return frozenset()
    rule = c2py(catalogue.plural_expr)
    numbers = [number for number in _COUNTED if rule(number) == form]
    singular, plural = (set(_PERCENT_FIELD.findall(text)) for text in forms(message.id))
    if len(numbers) == 1:
        return frozenset(plural - singular | {"count", "num"})
    # 0 and 1, as French counts: what the English of one may leave out.
    return frozenset(plural - singular if [0, 1] == numbers else ())


def _unfillable(string: str) -> Iterator[str]:
    """Templates fill every message in with %, so a lone percent sign would break the page."""
    try:
        string % dict.fromkeys(_PERCENT_FIELD.findall(string), 1)
    except (ValueError, KeyError, TypeError) as failure:
        yield f"cannot be filled in ({failure}); a percent sign is written %%"
