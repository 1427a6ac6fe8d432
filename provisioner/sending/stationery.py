"""What mails, cards and posters are written on: the templates, in a person's language.

Jinja with gettext: the English sentence in a template is the message id, as on the pages. HTML is escaped by
construction; plain text is plain.
"""

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from provisioner.texts import Language, translations

_I18N = "jinja2.ext.i18n"


class Stationery:
    """The templates in one directory."""

    def __init__(self, templates: Path) -> None:
        self._templates = templates
        self._environment = lru_cache(maxsize=None)(self._make_environment)

    def write(self, template: str, language: Language, **values: object) -> str:
        """The template, filled in, in ``language``, which it knows as ``language``."""
        return self._environment(language.tag).get_template(template).render(language=language, **values).strip() + "\n"

    def _make_environment(self, tag: str) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(self._templates),
            extensions=[_I18N],
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.policies["ext.i18n.trimmed"] = True
        environment.filters["apart"] = _apart
        environment.install_gettext_translations(translations(tag), newstyle=True)  # type: ignore[attr-defined]  # by the extension
        return environment


def _apart(words: str) -> Markup:
    """HTML of words that keep their own direction inside a sentence of another (HTML, the bdi element)."""
    return Markup("<bdi>{}</bdi>").format(words)
