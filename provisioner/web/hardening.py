"""Refuses what no honest client sends, and puts the same protective headers on every answer.

Content Security Policy Level 3; Referrer-Policy; RFC 6797 (HSTS); RFC 9110 and 9111. The platform's traps that this
answers: Werkzeug cuts a chunked body silently at its limit, and a bad chunk raises from inside the read.
"""

import re
from collections.abc import Callable, Iterable
from io import BytesIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Response, g, request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]  # it ships no types
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from provisioner.errors import InvalidQuery
from provisioner.query import parse_query
from provisioner.web.proxies import Networks, recognise
from provisioner.web.site import Site, normalise_host

MAX_BODY = 64 * 1024  # octets
# What the doorkeeper has found out, in the environment of a request.
PLAIN_HTTP = "provisioner.plain_http"  # a trusted proxy says that the client came without TLS
HIDDEN_CLIENT = "provisioner.hidden_client"  # REMOTE_ADDR is that of a proxy which we do not know

HAS_FORM = "has_form"  # in g: the answer to this request is a page with a form that is sent to this site

_ANYWHERE = frozenset({"health.healthz", "health.readyz", "health.version", "health.metrics"})
_CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ONE_YEAR = 365 * 24 * 3600  # seconds


class Doorkeeper:
    """The first thing a request meets: credentials are dropped unread, and a trusted proxy's word is taken."""

    def __init__(self, web: WSGIApplication, trusted: Networks) -> None:
        self._web = web
        self._trusted = trusted

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on with REMOTE_ADDR and wsgi.url_scheme being the client's own."""
        for name in _CREDENTIALS:
            environ.pop(name, None)
        client = recognise(
            environ.get("REMOTE_ADDR", ""),
            environ.get("HTTP_X_FORWARDED_FOR", ""),
            environ.get("HTTP_X_FORWARDED_PROTO", ""),
            self._trusted,
        )
        environ["REMOTE_ADDR"] = client.address
        environ["wsgi.url_scheme"] = client.scheme or environ["wsgi.url_scheme"]
        environ[PLAIN_HTTP] = client.scheme == "http"
        environ[HIDDEN_CLIENT] = client.hidden
        return self._web(environ, start_response)


def refusal(site: Site, unknown_host: Callable[[str], None]) -> Callable[[], Response | None]:
    """Before every request: answer or raise where it is too large, malformed or for another host.

    ``unknown_host`` is told the other host.
    """

    def refuse() -> Response | None:
        _limit_body()
        _check_query(request.environ.get("QUERY_STRING", ""))
        if request.endpoint in _ANYWHERE or _is_ours(site):
            return None
        unknown_host(_asked_host())
        return not_found()

    return refuse


def _asked_host() -> str:
    return normalise_host(request.environ.get("HTTP_HOST", ""))


def _is_ours(site: Site) -> bool:
    return _asked_host() == site.hostname


def not_found() -> Response:
    """What stands where there is nothing, not even a page that says so."""
    return Response("Not found.\n", status=404, content_type="text/plain; charset=utf-8")


def _limit_body() -> None:
    """Raise RequestEntityTooLarge or BadRequest where a body has to be refused."""
    if (request.content_length or 0) > MAX_BODY:
        raise RequestEntityTooLarge
    if _is_chunked(request.environ):
        request.environ["wsgi.input"] = BytesIO(read_body(request.environ))


def read_body(environ: WSGIEnvironment) -> bytes:
    """The body of a request. Raises RequestEntityTooLarge past the limit, and BadRequest for one cut off or broken."""
    length = None if _is_chunked(environ) else _content_length(environ)
    if length == 0:
        return b""
    if (length or 0) > MAX_BODY:
        raise RequestEntityTooLarge
    try:
        body: bytes = environ["wsgi.input"].read(MAX_BODY + 1 if length is None else length)
    except (ParseException, OSError):
        raise BadRequest from None
    if len(body) > MAX_BODY:
        raise RequestEntityTooLarge
    if length is not None and len(body) < length:
        raise BadRequest
    return body


def _is_chunked(environ: WSGIEnvironment) -> bool:
    return "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()


def _content_length(environ: WSGIEnvironment) -> int:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise BadRequest
    return int(length[:20])  # digits enough to be too large


def _check_query(query: str) -> None:
    """Raise InvalidQuery where it cannot be read, holds a password or a character that no page has put there."""
    if any(_CONTROL.search(text) for parameter in parse_query(query).items() for text in parameter):
        raise InvalidQuery("A control character stands in the query.")


def protection(site: Site, nonce: Callable[[], str]) -> Callable[[Response], Response]:
    """After every request: nothing is kept, sniffed, framed, indexed or told to another site; pages have a policy."""
    every = {
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }

    def protect(response: Response) -> Response:
        has_form = bool(g.get(HAS_FORM))
        if response.mimetype == "text/html":
            response.headers.setdefault("Content-Security-Policy", content_security_policy(nonce(), has_form=has_form))
            if has_form:
                # A browser says "Origin: null" of a form on a page without referrers (Fetch Standard, "serializing a
                # request origin"), so such a page names itself to this site, and to no other.
                response.headers.setdefault("Referrer-Policy", "same-origin")
        for name, value in every.items():
            response.headers.setdefault(name, value)
        # The other host names that lead here are of whole domains, whose web sites are none of our business.
        if site.secure and _is_ours(site):
            response.headers["Strict-Transport-Security"] = f"max-age={_ONE_YEAR}"
        return response

    return protect


def content_security_policy(nonce: str, *, has_form: bool) -> str:
    """The policy of a page whose only active content is what holds this nonce (CSP Level 3 section 2.3.1)."""
    forms_to = "'self'" if has_form else "'none'"
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data:; "
        f"base-uri 'none'; form-action {forms_to}; frame-ancestors 'none'"
    )
