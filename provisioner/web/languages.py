"""In which language a page is read: what its address says, what the browser accepts, what the organisation speaks.

Accept-Language: RFC 9110 section 12.5.4. A choice stands in the address (``?lang=``) and in no cookie.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import request

from provisioner.errors import InvalidQuery
from provisioner.organisation import Organisation
from provisioner.query import parse_query
from provisioner.texts import Language, choose_language
from provisioner.web.devices import Device
from provisioner.web.site import site

_ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Reading:
    """The language of a page, and those it could be read in."""

    language: Language
    offered: tuple[Language, ...]


def read_by(organisation: Organisation | None) -> Reading:
    """How whoever asks reads a page of ``organisation``, or of none."""
    known = site().languages
    wanted = [tag for tag in organisation.languages if tag in known] if organisation else []
    offered = wanted or ([_ENGLISH] if organisation and organisation.languages else [*known])
    tag = choose_language(
        chosen=asked("lang"),
        accept=request.headers.get("Accept-Language", ""),
        offered=offered,
        default=wanted[0] if wanted else _ENGLISH,
    )
    return Reading(known[tag], tuple(language for language in known.values() if language.tag in offered))


def asked(name: str) -> str:
    """What the address says for ``name``; "" where it says nothing or cannot be read, which is refused elsewhere."""
    try:
        return parse_query(request.environ.get("QUERY_STRING", "")).get(name, "")
    except InvalidQuery:
        return ""


def here(*, device: str = "", lang: str = "") -> str:
    """This page's address with another device or language, relative to it; what else was chosen stays chosen."""
    devices = {each.value for each in Device}
    kept = {
        "device": device or (asked("device") if asked("device") in devices else ""),
        "lang": lang or (asked("lang") if asked("lang") in site().languages else ""),
    }
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"?{query}" if query else ""


def in_language() -> str:
    """The query of a document's address: the language that was picked for its page; "" where none was."""
    tag = asked("lang")
    return f"?lang={tag}" if tag in site().languages else ""
