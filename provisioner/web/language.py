"""Which language a person reads: what they picked, what their browser accepts, or what their organisation prefers.

Accept-Language: RFC 9110 section 12.5.4. An answer that depends on it says ``Vary: Accept-Language``.
"""

from flask import g, request

from provisioner.organisation import Organisation
from provisioner.texts import LANGUAGES, choose_language, translations

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


def gettext(message: str) -> str:
    """``message`` in the language of this request, for templates."""
    return translations(chosen_language(g.get("organisation"))).gettext(message)


def ngettext(one: str, many: str, number: int) -> str:
    """``one`` or ``many`` as ``number`` wants it in the language of this request, for templates."""
    return translations(chosen_language(g.get("organisation"))).ngettext(one, many, number)
