"""Lets mail clients ask for their settings, on any host: a thin front that hands their requests to the desk.

It stands before Flask, which takes as long for its own part as the desk takes for the answer. What is no path of theirs
goes on to the pages. RFC 9110; Autodiscover's clients take any status but 200, 302 and 401 for "not here", and 401 is
never said.
"""

from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from time import perf_counter
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from provisioner.discovery import MailClientDesk
from provisioner.errors import StoreUnavailable, UnknownProvider
from provisioner.format import Reply, text_reply
from provisioner.web.access_log import AccessLog
from provisioner.web.hardening import MAX_BODY, PLAIN_HTTP, read_body
from provisioner.web.problems import STORE_RETRY_AFTER

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_EVERY = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))

_log = structlog.get_logger("provisioner.web")


class MailClientFront:
    """Answers what mail clients ask; ``pages`` answer everything else."""

    def __init__(self, pages: WSGIApplication, desk: MailClientDesk, log: AccessLog) -> None:
        self._pages = pages
        self._desk = desk
        self._log = log

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request, or pass it on."""
        path = _path(environ)
        place = self._desk.route(path)
        if not place:
            return self._pages(environ, start_response)
        started = perf_counter()
        route, method = f"discovery.{place}", environ["REQUEST_METHOD"]
        reply = self._reply(environ, path, route)
        self._log.record(route=route, method=method, status=reply.status, started=started)
        start_response(_STATUS_LINES[reply.status], _headers(reply))
        return () if method == "HEAD" else (reply.body,)

    def _reply(self, environ: WSGIEnvironment, path: str, route: str) -> Reply:
        if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
            return text_reply(
                415, "The body was expected as it is, without a Content-Encoding.", accept_encoding="identity"
            )
        try:
            return self._desk.answer(
                method=environ["REQUEST_METHOD"],
                path=path,
                query=environ.get("QUERY_STRING", ""),
                headers=_request_headers(environ),
                body=read_body(environ),
                plain_http=environ[PLAIN_HTTP],
            )
        except RequestEntityTooLarge:
            return text_reply(413, f"A body of at most {MAX_BODY} octets was expected.")
        except BadRequest:
            return text_reply(400, "The body is broken or was cut off.")
        except (StoreUnavailable, UnknownProvider) as failure:
            _log.warning("unavailable", route=route, reason=type(failure).__name__)
            return text_reply(503, "Settings cannot be told at the moment.", retry_after=str(STORE_RETRY_AFTER))


def _path(environ: WSGIEnvironment) -> str:
    """The path as text. An octet that is no UTF-8 becomes U+FFFD, which no address may hold (PEP 3333: latin-1)."""
    path: str = environ.get("PATH_INFO", "")
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


def _request_headers(environ: WSGIEnvironment) -> dict[str, str]:
    return {name: value for key, value in environ.items() if (name := _header_name(key))}


@lru_cache(maxsize=1024)  # clients send few different ones
def _header_name(key: str) -> str:
    """The header's name in lower case; "" for what is no header (PEP 3333, environ variables)."""
    return key[5:].replace("_", "-").lower() if key.startswith("HTTP_") else ""


def _headers(reply: Reply) -> list[tuple[str, str]]:
    headers = [*_EVERY, *reply.headers.items()]
    if reply.status != HTTPStatus.NO_CONTENT:
        headers += [("Content-Type", reply.media_type), ("Content-Length", str(len(reply.body)))]
    return headers
