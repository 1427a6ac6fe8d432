"""How a message says a name that somebody gave us: the nearest that is known, and nothing that disturbs a line."""

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
