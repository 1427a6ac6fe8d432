"""Which language a person reads: what they picked, what their browser accepts, or what their organisation prefers.

Accept-Language: RFC 9110 section 12.5.4. An answer that depends on it says ``Vary: Accept-Language``.
"""

from flask import request

from provisioner.organisation import Organisation
from provisioner.texts import LANGUAGES, choose_language

_ENGLISH = "en"


def chosen_language(organisation: Organisation | None) -> str:
    """The language (BCP 47) of the answer to this request, among those ``organisation`` offers; all, where it is None.

    ``?lang=`` goes before Accept-Language, and that before the organisation's first language. English stands for an
    organisation none of whose languages we have.
    """
    named = organisation.languages if organisation else ()
    offered = [tag for tag in named or LANGUAGES if tag in LANGUAGES] or [_ENGLISH]
    return choose_language(
        chosen=request.args.get("lang", ""),
        accept=request.headers.get("Accept-Language", ""),
        offered=offered,
        default=offered[0] if named else _ENGLISH,
    )
