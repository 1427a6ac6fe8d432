"""The two kinds of setup link, of an invitation and taken at the start page, and what is asked and done alike for both.

Both are always asked, so that how long an answer takes says nothing about the kind a link is of.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from provisioner.errors import UnknownLink
from provisioner.links.setup_link import SetupLink
from provisioner.store import Connection, links, self_service
from provisioner.store.links import LinkUse, Opening, StoredLink
from provisioner.store.rows import Rows

_ID = re.compile(r"[0-9a-f]{32}")


class Kind(Protocol):
    """The queries about the links of one kind."""

    def by_token_hash(self, connection: Connection, token_hash: str) -> StoredLink | None: ...
    def by_id(self, connection: Connection, link_id: str) -> StoredLink | None: ...
    def all_links(
        self, connection: Connection, *, domain: str | None = None, mailbox: str | None = None
    ) -> Rows[StoredLink]: ...
    def lock(self, connection: Connection, link_id: str) -> None: ...
    def revoke(self, connection: Connection, link_id: str, *, at: datetime) -> None: ...
    def revoke_not_closed(
        self, connection: Connection, *, domain: str, mailbox: str | None = None, at: datetime
    ) -> list[str]: ...
    def use_of(self, connection: Connection, link_id: str, format_id: str) -> LinkUse | None: ...
    def add_device(self, connection: Connection, link_id: str, format_id: str, *, at: datetime) -> None: ...
    def openings(self, connection: Connection, link_id: str) -> Rows[Opening]: ...


_KINDS: Sequence[Kind] = (links, self_service)


def kind_of(link: StoredLink | SetupLink) -> Kind:
    """The queries about links of this one's kind."""
    return self_service if link.self_service else links


def by_token_hash(connection: Connection, token_hash: str) -> StoredLink:
    """The link whose token has this SHA-256. Raises UnknownLink."""
    return _only([kind.by_token_hash(connection, token_hash) for kind in _KINDS])


def by_id(connection: Connection, link_id: str) -> StoredLink:
    """The link with this id. Raises UnknownLink."""
    if not _ID.fullmatch(link_id):
        raise UnknownLink
    return _only([kind.by_id(connection, link_id) for kind in _KINDS])


def lock(connection: Connection, link_id: str) -> None:
    """Let nobody else change the link or count on it until the transaction ends."""
    for kind in _KINDS:
        kind.lock(connection, link_id)


def revoke_not_closed(connection: Connection, *, domain: str, mailbox: str | None, at: datetime) -> list[str]:
    """Close for good the links of a domain's people, or of one mailbox, that still open; returns their ids."""
    found = [kind.revoke_not_closed(connection, domain=domain, mailbox=mailbox, at=at) for kind in _KINDS]
    return [link_id for ids in found for link_id in ids]


def _only(found: Sequence[StoredLink | None]) -> StoredLink:
    """The one that is there: no two links have an id or a token in common."""
    for link in found:
        if link is not None:
            return link
    raise UnknownLink
