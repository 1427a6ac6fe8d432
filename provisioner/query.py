"""What stands after the question mark of a URL: parameters by name, or the reason why they are refused.

application/x-www-form-urlencoded (URL Standard section 5.1) in UTF-8. Nothing is guessed: where browsers mend a broken
escape and take one of two values, it is refused, since the next program may take the other one.
"""

import re
from urllib.parse import unquote_to_bytes

from provisioner.errors import InvalidQuery, PasswordInQuery

_PASSWORDS = frozenset({"password", "p"})
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def parse_query(query: str) -> dict[str, str]:
    """The parameters, their names in lower case.

    ``query`` is percent-encoded still, with a character for each octet, as servers hand it over (PEP 3333). Raises
    PasswordInQuery, and InvalidQuery for what is no UTF-8 in percent-encoding and for a name that stands there twice.
    """
    parameters: dict[str, str] = {}
    for pair in query.split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        name = _decode(name).lower()
        if name in _PASSWORDS:
            raise PasswordInQuery
        if name in parameters:
            raise InvalidQuery("A parameter stands there twice; each was expected once.")
        parameters[name] = _decode(value)
    return parameters


def _decode(text: str) -> str:
    if _BROKEN_ESCAPE.search(text):
        raise InvalidQuery("After a percent sign two hexadecimal digits were expected; a percent sign itself is %25.")
    try:
        return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode()
    except UnicodeError:
        raise InvalidQuery("The query is not UTF-8; letters beyond ASCII are percent-encoded as UTF-8.") from None
