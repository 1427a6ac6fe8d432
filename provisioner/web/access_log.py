"""One log line per request that says what was asked of the service, and nothing that names a person or a link.

The route's name stands for the path, which holds a token; query, Referer and every other text of the client stay out.
"""

from time import perf_counter

import structlog
from flask import Response, g, request

_log = structlog.get_logger("provisioner.web")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})  # RFC 9110, 5789


def start_clock() -> None:
    """Before every request."""
    g.started = perf_counter()


def log_request(response: Response) -> Response:
    """After every request."""
    _log.info(
        "request",
        route=route_name(),
        method=request.method if request.method in _METHODS else "other",
        status=response.status_code,
        milliseconds=round((perf_counter() - g.started) * 1000, 1),
    )
    return response


def route_name() -> str:
    """The name of the view that was asked for; ``none`` where no route matched."""
    return request.endpoint or "none"
