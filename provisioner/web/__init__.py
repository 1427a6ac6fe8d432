"""The web site: pages and downloads for people with a setup link, and health answers for operators.

Flask; every answer passes the doorkeeper, the refusals and the protective headers of ``hardening``. Texts for people
stand in the templates, never here.
"""

from datetime import datetime
from types import TracebackType

import structlog
from flask import Flask, Response
from jinja2 import StrictUndefined
from markupsafe import Markup

from provisioner.web import access_log, hardening, problems
from provisioner.web.contact import contact_parts
from provisioner.web.downloads import downloads
from provisioner.web.health import health
from provisioner.web.offers import file_name
from provisioner.web.pages import pages
from provisioner.web.site import Site, attach

__all__ = ["Site", "create_web"]

_STYLE = "style.css"  # stands inside each page, so that a page is one request
_log = structlog.get_logger("provisioner.web")


class _Web(Flask):
    """Flask without the three habits we do not want: an OPTIONS answer of 200, a path in the log, a blank on errors."""

    def make_default_options_response(self) -> Response:
        """204 and what is allowed (RFC 9110 section 9.3.7)."""
        response: Response = super().make_default_options_response()
        response.status_code = 204
        return response

    def log_exception(
        self, exc_info: tuple[type, BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> None:
        """The traceback and the route's name; Flask's own line holds the path, which holds a token."""
        _log.error("unexpected_error", route=access_log.route_name(), exc_info=exc_info)


def create_web(site: Site) -> Flask:
    """The WSGI application of ``site``. Raises OSError where the templates are not there."""
    web = _Web(__name__, template_folder=str(site.templates.resolve()), static_folder=None)
    attach(web, site)
    web.url_map.merge_slashes = web.url_map.strict_slashes = False  # redirects would name the host the request claims
    web.wsgi_app = hardening.Doorkeeper(web.wsgi_app, site.trusted_proxies)  # type: ignore[method-assign]  # as documented
    web.before_request(access_log.start_clock)
    web.before_request(hardening.refuse)
    web.after_request(access_log.log_request)
    style = (site.templates / _STYLE).read_text(encoding="utf-8")
    web.after_request(hardening.protection(site, hardening.content_security_policy(style)))
    _set_up_templates(web, style)
    for blueprint in (pages, downloads, health):
        web.register_blueprint(blueprint)
    problems.register(web)
    return web


def _set_up_templates(web: Flask, style: str) -> None:
    environment = web.jinja_env
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals["style"] = Markup(style)  # noqa: S704  # our own file
    environment.filters |= {"contact_parts": contact_parts, "file_name": file_name, "day": _day}


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
