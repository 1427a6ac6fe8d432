"""What is asked of an MDM's API, as values: a call, its answer, and an item that is delivered by calls.

A call knows whether it may be repeated (RFC 9110 section 9.2.2): one that makes a thing may not, unless it is looked up
again first, so that a lost answer never leaves two of it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import quote
from uuid import UUID

from provisioner.errors import PushFailed, PushUnclear
from provisioner.mdm import Endpoint, PushApi
from provisioner.push.exported import ExportedFile

JSON = "application/json"
LOOK_UPS = 4  # how often a thing is looked up, and made where it is not there
MOST_PAGES = 1000  # of a list; none that an MDM has is longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to the MDM's API."""

    method: str
    path: str  # below the server's URL, with its query
    body: bytes = b""
    media_type: str = ""  # of the body
    repeatable: bool = True  # whether doing it twice does the same as once
    tells: frozenset[int] = frozenset()  # statuses of failures whose body says what happened, in the API's own words


@dataclass(frozen=True, slots=True)
class Answer:
    """What the MDM said."""

    status: int  # of success, or one that the call says is told of
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises PushFailed where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise PushFailed("The answer is no JSON. Is the server's URL that of the MDM's API?") from None


class Connection(Protocol):
    """The way to one MDM."""

    def send(self, call: Call) -> Answer:
        """Do it. Raises PushRefused, PushFailed, and PushUnclear for a call that may not be repeated."""

    def wait(self, attempt: int) -> None:
        """Let time pass before the attempt after the ``attempt``-th."""


class Outcome(Enum):
    """What has become of an item."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to push. ``rehearsal`` is what would be asked, in order: calls, and sentences between them."""

    name: str
    rehearsal: Sequence[Call | str]
    deliver: Callable[[Connection], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a push is told besides the files."""

    new_uuid: Callable[[], UUID]
    devices: tuple[str, ...] = ()  # enrolment ids
    team: str = ""  # of Fleet
    fill: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # placeholder -> value


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """How one kind of API is spoken. It ends the module that speaks it.

    ``items`` raises InvalidInput naming the file that cannot be pushed.
    """

    calls: frozenset[str]  # the endpoints that a fact file has to name
    fields: frozenset[str]  # and the names in its JSON
    wants: Callable[[str], bool]  # which files of a set, by their names
    items: Callable[[PushApi, Sequence[ExportedFile], Options], Sequence[Item]]
    for_devices: bool = False  # it is told for which devices; the others are told what there is
    takes: frozenset[str] = frozenset()  # of the options, those that this kind alone knows: team, fill


_NONE: Mapping[str, str] = MappingProxyType({})


def call_to(
    endpoint: Endpoint, *, parts: Mapping[str, str] = _NONE, query: Mapping[str, str] = _NONE, repeatable: bool = True
) -> Call:
    """A call without a body; ``parts`` stand in the path, each percent-encoded whole."""
    path = endpoint.path.format_map({name: quote(part, safe="") for name, part in parts.items()})
    asked = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
    return Call(method=endpoint.method, path=f"{path}?{asked}" if asked else path, repeatable=repeatable)


def with_json(call: Call, value: object) -> Call:
    """``call`` with ``value`` as its body."""
    return replace(call, body=json.dumps(value, ensure_ascii=False, sort_keys=True).encode(), media_type=JSON)


def create_or_update(
    connection: Connection,
    *,
    find: Callable[[Connection], str | None],
    create: Call,
    update: Callable[[str], Call],
) -> Outcome:
    """Update what ``find`` finds, or make it; where a making is unclear, it is looked up again first."""
    for attempt in range(1, LOOK_UPS + 1):
        found = find(connection)
        if found is not None:
            connection.send(update(found))
            return Outcome.UPDATED
        try:
            connection.send(create)
        except PushUnclear:
            if attempt == LOOK_UPS:
                raise
            connection.wait(attempt)
        else:
            break
    return Outcome.CREATED
