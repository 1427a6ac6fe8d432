"""One log line per request that says what was asked of the service, and nothing that names a person or a link.

The route's name stands for the path, which holds a token; query, Referer and every other text of the client stay out.
"""

from collections.abc import Callable
from time import perf_counter

import structlog
from flask import Response, g, request

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})  # RFC 9110, 5789


class AccessLog:
    """Logs each request and has it counted; ``count`` is told the route's name and the status."""

    def __init__(self, count: Callable[[str, int], None]) -> None:
        self._count = count
        self._log = structlog.get_logger("provisioner.web").bind()  # now, since looking up how to log takes its time

    def record(self, *, route: str, method: str, status: int, started: float) -> None:
        """After a request that began at ``started`` of the performance counter."""
        self._count(route, status)
        self._log.info(
            "request",
            route=route,
            method=method if method in _METHODS else "other",
            status=status,
            milliseconds=round((perf_counter() - started) * 1000, 1),
        )

    def record_response(self, response: Response) -> Response:
        """After every request that a view answers."""
        self.record(route=route_name(), method=request.method, status=response.status_code, started=g.started)
        return response


def start_clock() -> None:
    """Before every request that a view answers."""
    g.started = perf_counter()


def route_name() -> str:
    """The name of the view that was asked for; ``none`` where no route matched."""
    return request.endpoint or "none"
