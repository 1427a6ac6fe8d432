"""The words of pages, mails and documents in a person's language: gettext catalogues, found by language.

The English sentence is the message id (GNU gettext manual, section 1.3), so English needs no catalogue and a language
that is not there falls back to it. What the operating systems call their own settings is a fact, and no translation.
"""

from provisioner.texts.catalogues import LANGUAGES, message, offered_language, translate, translations
from provisioner.texts.days import day
from provisioner.texts.languages import Language, choose_language
from provisioner.texts.readers import language_of
from provisioner.texts.system_names import system_name

__all__ = [
    "LANGUAGES",
    "Language",
    "choose_language",
    "day",
    "language_of",
    "message",
    "offered_language",
    "system_name",
    "translate",
    "translations",
]
