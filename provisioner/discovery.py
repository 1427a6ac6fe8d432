"""Answers mail clients that ask for their settings without a link: one pure function over the formats' discovery.

Which domain is meant: the address's, where the client sends one, otherwise the Host's. Only configured domains count,
and whether a person exists never changes an answer. Nobody is ever asked to sign in here: no answer is 401 or carries
WWW-Authenticate, and a request that holds a password is refused without repeating it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from provisioner.address import normalise_domain
from provisioner.errors import InvalidDomain, InvalidQuery
from provisioner.format import TEXT, Discovery, Format, Found, Reply, Request, text_reply
from provisioner.query import parse_query

Find = Callable[[str, Format], Found | None]

_FIRST_LABELS = frozenset({"autoconfig", "autodiscover"})
_PORT = re.compile(r":[0-9]*\Z")


class MailClientDesk:
    """Where mail clients ask. Safe to share between threads."""

    def __init__(
        self,
        *,
        formats: Mapping[str, Format],
        find: Find,
        clock: Callable[[], datetime],
        unknown: Callable[[str], None],
    ) -> None:
        """``unknown`` is told each domain that a request asked for in vain, once for each request."""
        self._find = find
        self._clock = clock
        self._unknown = unknown
        self._places = _places(formats.values())
        self._places_below = tuple(path for path in self._places if path.endswith("/"))

    def route(self, path: str) -> str:
        """What the log calls ``path`` (percent-decoded, any case); "" where mail clients find nothing there."""
        place = self._place_at(path)
        return place.route if place else ""

    def answer(
        self, *, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, plain_http: bool
    ) -> Reply:
        """The reply to a request.

        ``path`` is percent-decoded, ``query`` is not; header names are in lower case. Whatever a client sends, this
        raises only what finding a domain's settings raises.
        """
        place = self._place_at(path)
        if place is None:
            return text_reply(404, "Mail clients find no settings at this path.")
        answering = place.answering.get(method)
        if answering is None:
            return _decline(method, place)
        try:
            parameters = parse_query(query)
        except InvalidQuery as refusal:
            return text_reply(400, str(refusal))
        request = Request(
            method=method,
            path=path,
            query=parameters,
            headers=headers,
            body=body,
            host_domain=_domain_of_host(headers.get("host", "")),
            plain_http=plain_http,
        )
        return self._first_answer(answering, request)

    def _place_at(self, path: str) -> "_Place | None":
        lowered = path.lower()
        if lowered in self._places:
            return self._places[lowered]
        above = next((above for above in self._places_below if lowered.startswith(above)), None)
        return self._places[above] if above else None

    def _first_answer(self, answering: "tuple[_Answering, ...]", request: Request) -> Reply:
        now = self._clock()
        in_vain: dict[str, None] = {}
        reply = None
        for each in answering:
            reply = each.discovery.answer(request, self._lookup(each.format, in_vain), now)
            if reply is not None:
                break
        for domain in in_vain:
            self._unknown(domain)
        return reply or answering[0].discovery.refuse(request, now)

    def _lookup(self, fmt: Format, in_vain: dict[str, None]) -> Callable[[str], Found | None]:
        def look_up(domain: str) -> Found | None:
            found = self._find(domain, fmt)
            if found is None and domain:
                in_vain[domain] = None
            return found

        return look_up


@dataclass(frozen=True, slots=True)
class _Answering:
    """A format and how it answers."""

    format: Format
    discovery: Discovery


@dataclass(frozen=True, slots=True)
class _Place:
    """One path: what the log calls it, and who answers which method, in the order of the formats' ids."""

    route: str
    answering: Mapping[str, tuple[_Answering, ...]]


def _places(formats: Iterable[Format]) -> Mapping[str, _Place]:
    """Every path that mail clients ask at, in lower case."""
    ordered = sorted(formats, key=lambda fmt: fmt.id)
    declared = [_Answering(fmt, fmt.discovery) for fmt in ordered if fmt.discovery]
    return {path: _place(path, declared) for each in declared for path in each.discovery.paths}


def _place(path: str, declared: Iterable[_Answering]) -> _Place:
    here = [each for each in declared if path in each.discovery.paths]
    methods = {method for each in here for method in _methods(each.discovery)}
    return _Place(
        route=here[0].format.id,
        answering={method: tuple(each for each in here if method in _methods(each.discovery)) for method in methods},
    )


def _methods(discovery: Discovery) -> frozenset[str]:
    """What can be got can be asked for without its body (RFC 9110 section 9.3.2)."""
    return discovery.methods | ({"HEAD"} if "GET" in discovery.methods else frozenset())


def _decline(method: str, place: _Place) -> Reply:
    allowed = ", ".join(sorted({*place.answering, "OPTIONS"}))
    if method == "OPTIONS":
        return Reply(status=204, body=b"", media_type=TEXT, headers={"Allow": allowed})
    return text_reply(405, f"Allowed here: {allowed}.", allow=allowed)


@lru_cache(maxsize=1024)  # a service has few hosts
def _domain_of_host(host: str) -> str:
    """The domain a Host header speaks for; "" where it is none."""
    try:
        name = normalise_domain(_PORT.sub("", host))
    except InvalidDomain:
        return ""
    label, _, rest = name.partition(".")
    return rest if label in _FIRST_LABELS and "." in rest else name


def remember(find: Find, snapshot: Callable[[], object]) -> Find:
    """``find``, asked once for each domain and format for as long as ``snapshot`` returns one and the same object.

    So a context, with its moment and its texts, is made once for each state of the directory. What is not found is
    not remembered: strangers choose what they ask for.
    """
    memory: tuple[object, dict[tuple[str, str], Found]] = (None, {})

    def find_once(domain: str, fmt: Format) -> Found | None:
        nonlocal memory
        state = snapshot()
        if memory[0] is not state:
            memory = (state, {})
        known = memory[1]
        found = known.get((domain, fmt.id)) or find(domain, fmt)
        if found is not None:
            known[domain, fmt.id] = found
        return found

    return find_once
