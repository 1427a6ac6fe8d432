"""Refuses what no honest client sends, and puts the same protective headers on every answer.

Content Security Policy Level 3; Referrer-Policy; RFC 6797 (HSTS); RFC 9110 and 9111. The platform's traps that this
answers: Werkzeug cuts a chunked body silently at its limit, and a bad chunk raises from inside the read.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from hashlib import sha256
from io import BytesIO
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Response, request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]  # it ships no types
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from provisioner.web.proxies import Networks, client_address, client_scheme
from provisioner.web.site import Site, normalise_host, site

MAX_BODY = 64 * 1024  # octets
HEALTH_ENDPOINTS = frozenset({"health.healthz", "health.readyz", "health.version"})

_CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION")
_SECRET_PARAMETERS = frozenset({"password", "p"})
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ONE_YEAR = 365 * 24 * 3600  # seconds


class PasswordInQuery(BadRequest):
    """A password stands in the address of the page, where it is kept by browsers and proxies."""


class Doorkeeper:
    """The first thing a request meets: credentials are dropped unread, and a trusted proxy's word is taken."""

    def __init__(self, web: WSGIApplication, trusted: Networks) -> None:
        self._web = web
        self._trusted = trusted

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on with REMOTE_ADDR and wsgi.url_scheme being the client's own."""
        for name in _CREDENTIALS:
            environ.pop(name, None)
        peer = environ.get("REMOTE_ADDR", "")
        scheme = environ["wsgi.url_scheme"]
        environ["REMOTE_ADDR"] = client_address(peer, environ.get("HTTP_X_FORWARDED_FOR", ""), self._trusted)
        environ["wsgi.url_scheme"] = client_scheme(
            peer, scheme, environ.get("HTTP_X_FORWARDED_PROTO", ""), self._trusted
        )
        return self._web(environ, start_response)


def refuse() -> Response | None:
    """Before every request: answer or raise where it is for another host, too large, or malformed."""
    _limit_body()
    _check_query(request.environ.get("QUERY_STRING", ""))
    if request.endpoint in HEALTH_ENDPOINTS or normalise_host(request.environ.get("HTTP_HOST", "")) == site().hostname:
        return None
    return Response("Not found.\n", status=404, content_type="text/plain; charset=utf-8")


def _limit_body() -> None:
    """Read a body of unknown length once, up to the limit; raise RequestEntityTooLarge past it."""
    if (request.content_length or 0) > MAX_BODY:
        raise RequestEntityTooLarge
    if "chunked" not in request.environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return
    try:
        body = request.environ["wsgi.input"].read(MAX_BODY + 1)
    except (ParseException, OSError):
        raise BadRequest from None
    if len(body) > MAX_BODY:
        raise RequestEntityTooLarge
    request.environ["wsgi.input"] = BytesIO(body)


def _check_query(query: str) -> None:
    """Raise BadRequest for escapes that are no UTF-8 text, for a name given twice, and for a password."""
    if _BROKEN_ESCAPE.search(query):
        raise BadRequest
    names = [_decode(pair.partition("=")[0]).lower() for pair in query.split("&") if pair]
    if len(names) != len(set(names)) or _CONTROL.search(_decode(query)):
        raise BadRequest
    if _SECRET_PARAMETERS.intersection(names):
        raise PasswordInQuery


def _decode(text: str) -> str:
    try:
        return unquote_to_bytes(text.encode("latin-1").replace(b"+", b" ")).decode()
    except UnicodeError:
        raise BadRequest from None


def protection(site: Site, policy: str) -> Callable[[Response], Response]:
    """After every request: nothing is kept, sniffed, framed, indexed or told to another site; ``policy`` for pages."""
    every = {
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
    if site.secure:
        every["Strict-Transport-Security"] = f"max-age={_ONE_YEAR}"
    page = every | {"Content-Security-Policy": policy}

    def protect(response: Response) -> Response:
        for name, value in (page if response.mimetype == "text/html" else every).items():
            response.headers.setdefault(name, value)
        return response

    return protect


def content_security_policy(style: str) -> str:
    """The policy of a page whose only active content is the style element with exactly this text.

    A digest instead of a nonce: the same page has the same bytes each time (CSP Level 3 section 2.3.1).
    """
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
