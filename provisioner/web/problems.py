"""Turns what went wrong into a page that says what happened and what to do: the only place that knows both.

Status codes: RFC 9110 section 15. What is unknown, malformed, deleted or not offered is one and the same page, so that
nobody learns which links exist; it names a help desk where everybody here has the same one.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog
from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException, InternalServerError

from provisioner.errors import (
    IdentityError,
    InvalidQuery,
    LinkExpired,
    LinkRevoked,
    LinkUsedUp,
    MissingService,
    NotFound,
    PasswordInQuery,
    StoreUnavailable,
)
from provisioner.organisation import Organisation
from provisioner.web.access_log import route_name
from provisioner.web.rendering import page
from provisioner.web.site import site

STORE_RETRY_AFTER = 30  # seconds

_log = structlog.get_logger("provisioner.web")


@dataclass(frozen=True, slots=True)
class Problem:
    """The page of a problem; ``retry_after`` in seconds where trying again may help."""

    status: int
    template: str
    retry_after: int | None = None


_NOT_FOUND = Problem(404, "not_found.html")
_PROBLEMS: Mapping[type[Exception], Problem] = {
    NotFound: _NOT_FOUND,
    MissingService: _NOT_FOUND,
    LinkExpired: Problem(410, "link_expired.html"),
    LinkRevoked: Problem(410, "link_revoked.html"),
    LinkUsedUp: Problem(410, "link_used_up.html"),
    IdentityError: Problem(503, "unavailable.html", retry_after=300),
    StoreUnavailable: Problem(503, "unavailable.html", retry_after=STORE_RETRY_AFTER),
    InvalidQuery: Problem(400, "refused.html"),
    PasswordInQuery: Problem(400, "password_in_query.html"),
}


def register(web: Flask) -> None:
    """Let ``web`` answer every problem with its page."""
    for kind in _PROBLEMS:
        web.register_error_handler(kind, answer)
    web.register_error_handler(HTTPException, answer_http)


def answer(error: Exception) -> Response:
    """The page of one of our own errors."""
    problem = next(_PROBLEMS[kind] for kind in type(error).__mro__ if kind in _PROBLEMS)
    if problem.retry_after is not None:
        _log.warning("unavailable", route=route_name(), reason=type(error).__name__)
    return _page(problem, error)


def answer_http(error: HTTPException) -> Response:
    """The page of what the web framework refuses, and of the unexpected, which is logged and says no more here."""
    status = error.code or InternalServerError.code
    if status == _NOT_FOUND.status:
        return _page(_NOT_FOUND)
    response = _page(Problem(status, "error.html" if status >= InternalServerError.code else "refused.html"))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _page(problem: Problem, error: Exception | None = None) -> Response:
    organisation = g.get("organisation")
    if problem is _NOT_FOUND:  # the same for a link that is there as for one that is not
        organisation, g.logo = _only_organisation(), ""
    response = page(problem.template, organisation=organisation, status=problem.status, problem=problem, error=error)
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _only_organisation() -> Organisation | None:
    """The organisation of everybody here, whose help desk a wrong link names; None where there are several."""
    with suppress(StoreUnavailable):
        organisations = list(site().directory.snapshot().organisations.values())
        return organisations[0] if len(organisations) == 1 else None
    return None
