"""The root of every error, and how a name that somebody typed is shown and suggested in its text."""

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(name: str, known: Iterable[str]) -> str:
    """A sentence that helps someone who mistyped ``name``: the nearest known name, or all of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known: {', '.join(names)}." if names else "There is none yet."


def printable(text: str, limit: int = 40) -> str:
    """``text`` quoted for a message: what does not print is escaped, and it is cut, so that no line is disturbed."""
    shown = repr(text)
    return shown if len(shown) <= limit else f"{shown[:limit]}…"


class ProvisionerError(Exception):
    """Base of all errors that this product raises on purpose; its text may be shown to a person."""
