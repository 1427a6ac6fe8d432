"""What happened to one setup link, from its making to its end: from the audit trail and the devices counted on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from provisioner.store.history import Deed, Opening


class Happening(Enum):
    """What can happen to a link."""

    CREATED = "created"
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


def link_history(deeds: Sequence[Deed], openings: Sequence[Opening]) -> list[LinkEvent]:
    """The events in their order; deeds that are not about the link itself are left out."""
    done = [_event(deed, _DEEDS[deed.action]) for deed in deeds if deed.action in _DEEDS]
    downloads = [LinkEvent(opening.at, Happening.DOWNLOADED, format_id=opening.format_id) for opening in openings]
    return sorted([*done, *downloads], key=lambda event: event.at)


def _event(deed: Deed, what: Happening) -> LinkEvent:
    return LinkEvent(
        deed.at,
        what,
        actor=deed.actor,
        expires_at=deed.details.get("expires_at", ""),
        devices_allowed=deed.details.get("devices"),
    )
