"""The web site: settings for mail clients, pages and downloads for people with a setup link, health for operators.

Flask, with the mail clients' front before it; every request passes the doorkeeper of ``hardening`` first. Texts for
people stand in the templates, never here.
"""

from functools import partial
from types import TracebackType

import structlog
from flask import Flask, Response

from provisioner.discovery import MailClientDesk, remember
from provisioner.web import access_log, hardening, problems
from provisioner.web.access_log import AccessLog
from provisioner.web.discovery import MailClientFront
from provisioner.web.downloads import downloads
from provisioner.web.health import health
from provisioner.web.pages import pages
from provisioner.web.rendering import nonce, set_up_templates
from provisioner.web.site import Site, attach
from provisioner.web.start import start
from provisioner.web.unknown import UnknownNames

__all__ = ["Site", "create_web"]

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
    log = AccessLog(site.metrics.count_request)
    front = MailClientFront(web.wsgi_app, _desk(site), log)
    web.wsgi_app = hardening.Doorkeeper(front, site.trusted_proxies)  # type: ignore[method-assign]  # as documented
    web.before_request(access_log.start_clock)
    web.before_request(hardening.refusal(site, _unknown_names("host", site)))
    web.after_request(log.record_response)
    web.after_request(hardening.protection(site, nonce))
    set_up_templates(web, site)
    for blueprint in (start, pages, downloads, health):
        web.register_blueprint(blueprint)
    problems.register(web)
    return web


def _desk(site: Site) -> MailClientDesk:
    count_unknown = _unknown_names("domain", site)

    def count_unless_configured(domain: str) -> None:
        # A domain is asked for in vain, too, where its provider lacks what a format writes down.
        if domain not in site.directory.snapshot().domains:
            count_unknown(domain)

    return MailClientDesk(
        formats=site.formats,
        find=remember(site.provisioner.find, site.directory.snapshot),
        clock=site.clock,
        unknown=count_unless_configured,
    )


def _unknown_names(kind: str, site: Site) -> UnknownNames:
    return UnknownNames(kind, count=partial(site.metrics.count_unknown, kind), clock=site.clock)
