"""Queries about the setup links of invitations, and the devices a link was opened on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, func, insert, select, update

from provisioner.model import Account
from provisioner.store.rows import Rows, read_rows
from provisioner.store.tables import devices, invitations, links


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A setup link as it is kept: without its token."""

    id: str
    issue: int
    token_hash: str
    account: Account
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    devices_allowed: int
    devices_used: int
    language: str = ""  # of the person, BCP 47; empty: not known
    self_service: bool = False  # taken at the start page, and of no invitation


@dataclass(frozen=True, slots=True)
class LinkUse:
    """How far a link is used up, and when its newest device of one format was counted."""

    expires_at: datetime
    revoked_at: datetime | None
    devices_allowed: int
    devices_used: int
    last_opened: datetime | None


@dataclass(frozen=True, slots=True)
class Opening:
    """One device as it was counted: the format it fetched, and when it first did."""

    at: datetime
    format_id: str


def add(connection: Connection, link: StoredLink, *, invitation_id: int) -> None:
    """Add a link to an invitation."""
    add_each(connection, [(invitation_id, link)])


def add_each(connection: Connection, made: Iterable[tuple[int, StoredLink]]) -> None:
    """Add many links, each to the invitation with the number beside it."""
    new = [
        {
            "id": link.id,
            "invitation_id": invitation_id,
            "issue": link.issue,
            "token_hash": link.token_hash,
            "created_at": link.created_at,
            "expires_at": link.expires_at,
            "devices_allowed": link.devices_allowed,
        }
        for invitation_id, link in made
    ]
    if new:
        connection.execute(insert(links), new)


def by_token_hash(connection: Connection, token_hash: str) -> StoredLink | None:
    """The link whose token has this SHA-256. Raises StoreUnavailable where it cannot be read."""
    return read_rows(connection, _BY_TOKEN_HASH, {"token_hash": token_hash}, key=links.c.id, make=_link).first()


def by_id(connection: Connection, link_id: str) -> StoredLink | None:
    """The link with this id. Raises StoreUnavailable where it cannot be read."""
    return read_rows(connection, _BY_ID, {"link_id": link_id}, key=links.c.id, make=_link).first()


def all_links(connection: Connection, *, domain: str | None = None, mailbox: str | None = None) -> Rows[StoredLink]:
    """The links of a domain's people, of the mailbox with this key, or everybody's; the oldest first."""
    query = _LINKS.order_by(links.c.created_at, links.c.id)
    if domain is not None:
        query = query.where(invitations.c.domain == domain)
    if mailbox is not None:
        query = query.where(invitations.c.address_key == mailbox)
    return read_rows(connection, query, key=links.c.id, make=_link)


def count_not_closed(connection: Connection, *, domain: str, now: datetime) -> int:
    """How many links of the domain's people are neither revoked nor expired."""
    query = select(func.count()).select_from(links.join(invitations))
    return connection.execute(query.where(invitations.c.domain == domain, *_not_closed(now))).scalar_one()


def lock(connection: Connection, link_id: str) -> None:
    """Let nobody else change the link or count on it until the transaction ends.

    A statement of its own: PostgreSQL would answer a count beside FOR UPDATE from before it had waited for the lock.
    """
    connection.execute(_LOCK, {"link_id": link_id})


def revoke(connection: Connection, link_id: str, *, at: datetime) -> None:
    """Close the link for good."""
    connection.execute(update(links).where(links.c.id == link_id).values(revoked_at=at))


def renew(connection: Connection, link: StoredLink) -> None:
    """Write the link's issue, token, end and devices over those that are kept."""
    told = {name: getattr(link, name) for name in ("issue", "token_hash", "expires_at", "devices_allowed")}
    connection.execute(update(links).where(links.c.id == link.id).values(told))


def revoke_not_closed(
    connection: Connection, *, domain: str | None = None, mailbox: str | None = None, at: datetime
) -> list[str]:
    """Close for good the links of a domain's people, or of one mailbox, that are neither revoked nor expired.

    Returns their ids.
    """
    whose = invitations.c.domain == domain if mailbox is None else invitations.c.address_key == mailbox
    query = update(links).where(links.c.invitation_id == invitations.c.id, whose, *_not_closed(at))
    return list(connection.execute(query.values(revoked_at=at).returning(links.c.id)).scalars())


def _not_closed(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return links.c.revoked_at.is_(None), links.c.expires_at > now


def use_of(connection: Connection, link_id: str, format_id: str) -> LinkUse | None:
    """What decides whether the link hands out this format. Raises StoreUnavailable where it cannot be read."""
    return read_rows(connection, _USE, {"link_id": link_id, "format_id": format_id}, key=links.c.id, make=_use).first()


def add_device(connection: Connection, link_id: str, format_id: str, *, at: datetime) -> None:
    """Count one device."""
    connection.execute(insert(devices), {"link_id": link_id, "format_id": format_id, "opened_at": at})


def openings(connection: Connection, link_id: str) -> Rows[Opening]:
    """The devices that were counted on the link, the oldest first."""
    query = select(devices.c.id, devices.c.opened_at, devices.c.format_id).where(devices.c.link_id == link_id)
    return read_rows(connection, query.order_by(devices.c.id), key=devices.c.id, make=_opening)


# Built once: on the way from a QR code to a profile these are most of what the store does.
_devices_used = (
    select(func.count())
    .select_from(devices)
    .where(devices.c.link_id == links.c.id)
    .scalar_subquery()
    .label("devices_used")
)
_last_opened = (
    select(func.max(devices.c.opened_at))
    .where(devices.c.link_id == links.c.id, devices.c.format_id == bindparam("format_id"))
    .scalar_subquery()
    .label("last_opened")
)
_LINKS = select(
    links.c.id,
    links.c.issue,
    links.c.token_hash,
    invitations.c.address,
    invitations.c.username,
    invitations.c.display_name,
    invitations.c.language,
    links.c.created_at,
    links.c.expires_at,
    links.c.revoked_at,
    links.c.devices_allowed,
    _devices_used,
).select_from(links.join(invitations))
_BY_TOKEN_HASH = _LINKS.where(links.c.token_hash == bindparam("token_hash"))
_BY_ID = _LINKS.where(links.c.id == bindparam("link_id"))
_LOCK = select(links.c.id).where(links.c.id == bindparam("link_id")).with_for_update()
_USE = select(links.c.expires_at, links.c.revoked_at, links.c.devices_allowed, _devices_used, _last_opened).where(
    links.c.id == bindparam("link_id")
)


def _link(row: RowMapping) -> StoredLink:
    return StoredLink(
        id=row["id"],
        issue=int(row["issue"]),
        token_hash=row["token_hash"],
        account=Account(row["address"], username=row["username"], display_name=row["display_name"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        devices_allowed=int(row["devices_allowed"]),  # SQLite keeps whatever was written into a column
        devices_used=row["devices_used"],
        language=row["language"],
    )


def _opening(row: RowMapping) -> Opening:
    return Opening(at=row["opened_at"], format_id=row["format_id"])


def _use(row: RowMapping) -> LinkUse:
    return LinkUse(
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        devices_allowed=int(row["devices_allowed"]),
        devices_used=row["devices_used"],
        last_opened=row["last_opened"],
    )
