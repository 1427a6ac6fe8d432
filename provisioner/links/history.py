"""What happened to one setup link, from its making to its end: from the audit trail and the devices counted on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from provisioner.store.history import Deed
from provisioner.store.links import Opening


class Happening(Enum):
    """What can happen to a link."""

    CREATED = "created"
    TAKEN = "taken"  # at the start page, by somebody nobody invited
    EXTENDED = "extended"
    REISSUED = "re-issued"
    REVOKED = "revoked"
    DOWNLOADED = "downloaded"  # by a device that was counted


_DEEDS: Mapping[str, Happening] = {
    "link.create": Happening.CREATED,
    "link.extend": Happening.EXTENDED,
    "link.reissue": Happening.REISSUED,
    "link.revoke": Happening.REVOKED,
}


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """One thing that happened to a link. Times are UTC."""

    at: datetime
    what: Happening
    actor: str = ""  # as in the audit trail; empty for a download
    format_id: str = ""  # of a download
    expires_at: str = ""  # the end that was set, ISO 8601; empty where none was
    devices_allowed: int | None = None  # where it was set


def link_history(
    deeds: Sequence[Deed], openings: Sequence[Opening], *, taken_at: datetime | None = None
) -> list[LinkEvent]:
    """The events in their order; deeds that are not about the link itself are left out.

    ``taken_at`` is when somebody took it at the start page, which stands in no audit trail.
    """
    taken = [] if taken_at is None else [LinkEvent(taken_at, Happening.TAKEN)]
    done = [_event(deed, _DEEDS[deed.action]) for deed in deeds if deed.action in _DEEDS]
    downloads = [LinkEvent(opening.at, Happening.DOWNLOADED, format_id=opening.format_id) for opening in openings]
    return sorted([*taken, *done, *downloads], key=lambda event: event.at)


def _event(deed: Deed, what: Happening) -> LinkEvent:
    return LinkEvent(
        deed.at,
        what,
        actor=deed.actor,
        expires_at=deed.details.get("expires_at", ""),
        devices_allowed=deed.details.get("devices"),
    )
