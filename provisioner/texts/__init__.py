"""The words of pages and documents in a person's language: gettext catalogues, found by language.

The English sentence is the message id (GNU gettext manual, section 1.3), so English needs no catalogue and a language
that is not there falls back to it.
"""

from collections.abc import Callable
from gettext import translation
from pathlib import Path

_CATALOGUES = Path(__file__).parent
_DOMAIN = "provisioner"


def translate(language: str) -> Callable[[str], str]:
    """The function that turns an English message into ``language`` (a BCP 47 tag), or leaves it in English."""
    tags = [language.replace("-", "_"), language.partition("-")[0]]
    return translation(_DOMAIN, localedir=_CATALOGUES, languages=tags, fallback=True).gettext
