"""The words of pages, mails and documents in a person's language: gettext catalogues, found by language.

The English sentence is the message id (GNU gettext manual, section 1.3), so English needs no catalogue and a language
that is not there falls back to it.
"""

from provisioner.texts.catalogues import LANGUAGES, message, translate, translations
from provisioner.texts.days import day
from provisioner.texts.languages import Language, choose_language

__all__ = ["LANGUAGES", "Language", "choose_language", "day", "message", "translate", "translations"]
