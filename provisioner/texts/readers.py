"""Which language a person reads whom nobody can ask: what is known of them, and what their organisation speaks."""

from collections.abc import Collection, Mapping

from provisioner.organisation import Organisation
from provisioner.texts.catalogues import ENGLISH, LANGUAGES
from provisioner.texts.languages import Language, choose_language


def language_of(wanted: str, organisation: Organisation, *, offered: Mapping[str, Language] = LANGUAGES) -> Language:
    """The person's own language where it is offered, else the organisation's first, else English."""
    for tag in (wanted, *organisation.languages[:1]):
        if chosen := _offered(tag, offered):
            return offered[chosen]
    return offered[ENGLISH]


def _offered(tag: str, offered: Collection[str]) -> str:
    return choose_language(chosen=tag, accept="", offered=offered, default="")
