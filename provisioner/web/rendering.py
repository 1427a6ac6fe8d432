"""Makes a page out of its template, in the language of whoever reads it and with the looks of their organisation.

Each page is one request: style and script stand inside it, and a nonce made for this answer alone lets the browser use
them and nothing else (CSP Level 3 section 2.3.1). Translations: GNU gettext, by Jinja's i18n extension.
"""

from datetime import datetime

from flask import Flask, Response, g, make_response, render_template
from jinja2 import StrictUndefined
from markupsafe import Markup

from provisioner.manual import manual_servers
from provisioner.organisation import Organisation
from provisioner.texts import day, system_name
from provisioner.web.accent import text_colour
from provisioner.web.contact import contact_parts, mail_request
from provisioner.web.languages import here, in_language, read_by
from provisioner.web.offers import file_name
from provisioner.web.site import Site, site

_STYLE, _SCRIPT = "style.css", "page.js"  # stand inside each page, so that a page is one request


def page(template: str, *, organisation: Organisation | None, status: int = 200, **values: object) -> Response:
    """``template`` as an answer, in the reader's language."""
    reading = read_by(organisation)
    g.language = reading.language.tag
    looks = {"organisation": organisation, "reading": reading, "logo": g.get("logo", ""), "nonce": nonce()}
    response = make_response(render_template(template, **looks, **values), status)
    response.vary.add("Accept-Language")
    return response


def nonce() -> str:
    """What lets the style and the script of this answer be used; another one for each answer."""
    if "nonce" not in g:
        g.nonce = site().nonce()
    made: str = g.nonce
    return made


def set_up_templates(web: Flask, site: Site) -> None:
    """Let the templates of ``web`` speak every language. Raises OSError where they are not there."""
    environment = web.jinja_env
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.policies["ext.i18n.trimmed"] = True
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]  # i18n adds it
    for name, file in (("style", _STYLE), ("script", _SCRIPT)):
        environment.globals[name] = Markup((site.templates / file).read_text(encoding="utf-8"))  # noqa: S704  # our own
    environment.globals |= {
        "here": here,
        "in_language": in_language,
        "mail_request": mail_request,
        "manual_servers": manual_servers,
        "os": _system_name,
        "text_colour": text_colour,
    }
    environment.filters |= {"contact_parts": contact_parts, "file_name": file_name, "day": _day}


def _gettext(message: str) -> str:
    return site().translations(g.language).gettext(message)


def _ngettext(singular: str, plural: str, number: int) -> str:
    return site().translations(g.language).ngettext(singular, plural, number)


def _system_name(system: str, english: str) -> str:
    """What ``system`` itself calls the setting, button or message that is ``english`` in English."""
    return system_name(system, english, g.language)


def _day(moment: datetime) -> str:
    return day(moment, g.language)
