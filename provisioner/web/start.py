"""The start page: how one gets a setup link, and for domains with open self-service the form that gives one.

Nobody is looked up: the answer depends on the address's domain alone, and is one and the same for a domain that invites
its people and for one that is not ours. Form: URL Standard section 5.1; who may send it: Fetch Metadata (W3C) and
Origin (Fetch Standard). There is no cookie, so there is no session that another site could abuse.
"""

from contextlib import suppress
from math import ceil

import structlog
from flask import Blueprint, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from provisioner.errors import InvalidAddress, InvalidQuery, StoreUnavailable, TooManyLinks, UnknownDomain
from provisioner.links import SetupLink
from provisioner.model import Account
from provisioner.organisation import SelfService
from provisioner.query import parse_query
from provisioner.web.hardening import HAS_FORM, HIDDEN_CLIENT, read_body
from provisioner.web.languages import here
from provisioner.web.rendering import page
from provisioner.web.site import site

start = Blueprint("start", __name__)

MAX_FORM = 2048  # octets; the longest address there is, all of it percent-encoded, has less
_FORM = "application/x-www-form-urlencoded"
_FIELD = "address"
_OURS = frozenset({"same-origin", "none"})  # Sec-Fetch-Site: sent by this site's page, or by the person alone

_log = structlog.get_logger("provisioner.web")


@start.get("/")
def show() -> Response:
    """How one gets a link; with the form where the people of a domain may take one."""
    return _page(200)


@start.post("/")
def take() -> Response:
    """A link for the address in the form, as 303 to its page; otherwise the page, which says why there is none."""
    if not _is_sent_from_here():
        return _page(403, problem="elsewhere")
    typed = ""
    try:
        typed = read_address(_form())
        link = _link_for(Account(typed))
    except InvalidQuery:
        return _page(400, problem="malformed")
    except InvalidAddress:
        return _page(400, problem="no address", typed=typed)
    except TooManyLinks as refusal:
        return _page_for_later(refusal)
    if link is None:
        return _page(200, problem="by invitation")
    return Response(status=303, headers={"Location": link.path + here()})  # RFC 9110 section 15.4.4: fetched with GET


def read_address(form: bytes) -> str:
    """What stands in the form's one field. Raises InvalidQuery for anything but that form.

    ``form`` is application/x-www-form-urlencoded, in UTF-8.
    """
    fields = parse_query(form.decode("latin-1"))
    if fields.keys() != {_FIELD}:
        raise InvalidQuery(f"The form has {len(fields)} fields; one was expected, called {_FIELD}.")
    return fields[_FIELD]


def _form() -> bytes:
    """The body. Raises UnsupportedMediaType, RequestEntityTooLarge and BadRequest."""
    if request.mimetype != _FORM:
        raise UnsupportedMediaType
    if (request.content_length or 0) > MAX_FORM:
        raise RequestEntityTooLarge
    body = read_body(request.environ)
    if len(body) > MAX_FORM:  # it came in chunks
        raise RequestEntityTooLarge
    return body


def _is_sent_from_here() -> bool:
    """Whether a page of this site has sent the form, as far as the browser says; programs say nothing."""
    fetched_from = request.headers.get("Sec-Fetch-Site")
    if fetched_from is not None:
        return fetched_from in _OURS
    return request.headers.get("Origin", site().public_url).lower() == site().public_url.lower()


def _link_for(account: Account) -> SetupLink | None:
    """A new link; None where the domain's people are invited, or the domain is not ours. Raises TooManyLinks."""
    domain = site().directory.snapshot().domains.get(account.domain)
    if domain is None or domain.self_service is not SelfService.OPEN:
        return None
    if request.environ[HIDDEN_CLIENT]:
        # Whoever says so may be a proxy of ours or anybody: they share the network of that one address, or a made-up
        # header would lift the limit. The operator has to hear of it.
        _log.warning("self_service_behind_unknown_proxy", domain=domain.name, setting="trusted_proxies")
    try:
        return site().links.hand_out(account, client=request.remote_addr or "", limits=site().self_service)
    except UnknownDomain:  # removed a moment ago
        return None


def _page(status: int, **shown: object) -> Response:
    """``problem`` chooses the page's words, ``typed`` stands in the field again."""
    has_form = _has_form()
    setattr(g, HAS_FORM, has_form)
    known: dict[str, object] = {"has_form": has_form, "problem": "", "typed": ""}
    return page("start.html", organisation=None, status=status, **(known | shown))


def _page_for_later(refusal: TooManyLinks) -> Response:
    seconds = max(1, ceil(refusal.retry_after.total_seconds()))
    response = _page(429, problem="too many", minutes=ceil(seconds / 60))
    response.headers["Retry-After"] = str(seconds)
    return response


def _has_form() -> bool:
    """Whether a domain's people may take a link here; not while no directory has been read."""
    with suppress(StoreUnavailable):
        domains = site().directory.snapshot().domains.values()
        return any(domain.self_service is SelfService.OPEN for domain in domains)
    return False
