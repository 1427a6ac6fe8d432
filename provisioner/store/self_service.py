"""Queries about the links that people take at the start page: of one hour, for one device, of nobody invited.

A row is a link and the record that it was given, by which the limits are counted: of each domain and of each network,
which is known here by a keyed hash alone.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, delete, func, insert, select, text, update

from provisioner.model import Account
from provisioner.store.links import LinkUse, Opening, StoredLink
from provisioner.store.rows import Rows, read_rows
from provisioner.store.tables import self_service_links as given

ISSUE = 1  # such a link is never issued again
DEVICES = 1
_TURN = 0x73656C66  # any number that no other program on this database uses


def take_turn(connection: Connection) -> None:
    """Let nobody else give a link until the transaction ends, so that what is counted stays true.

    SQLite lets one writer in at a time by itself.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})


def add(connection: Connection, link: StoredLink, *, network_hash: str) -> None:
    """Keep a link that was given to somebody of this network."""
    connection.execute(
        insert(given),
        {
            "id": link.id,
            "token_hash": link.token_hash,
            "address": link.account.address,
            "address_key": link.account.key,
            "domain": link.account.domain,
            "network_hash": network_hash,
            "created_at": link.created_at,
            "expires_at": link.expires_at,
        },
    )


def nth_newest_of_domain(
    connection: Connection, domain: str, number: int, *, since: datetime, until: datetime
) -> datetime | None:
    """When the ``number``-th newest of the domain's links made in this time was given; None for fewer."""
    return _nth_newest(connection, given.c.domain == domain, number, since, until)


def nth_newest_of_network(
    connection: Connection, network: str, number: int, *, since: datetime, until: datetime
) -> datetime | None:
    """When the ``number``-th newest of the network's links made in this time was given; None for fewer."""
    return _nth_newest(connection, given.c.network_hash == network, number, since, until)


def _nth_newest(
    connection: Connection, whose: ColumnElement[bool], number: int, since: datetime, until: datetime
) -> datetime | None:
    made = given.c.created_at
    query = select(made).where(whose, made > since, made <= until).order_by(made.desc())
    return connection.execute(query.offset(number - 1).limit(1)).scalar()


def by_token_hash(connection: Connection, token_hash: str) -> StoredLink | None:
    """The link whose token has this SHA-256. Raises StoreUnavailable where it cannot be read."""
    return _links(connection, given.c.token_hash == token_hash).first()


def by_id(connection: Connection, link_id: str) -> StoredLink | None:
    """The link with this id. Raises StoreUnavailable where it cannot be read."""
    return _links(connection, given.c.id == link_id).first()


def all_links(connection: Connection, *, domain: str | None = None, mailbox: str | None = None) -> Rows[StoredLink]:
    """The links for addresses of a domain, for the mailbox with this key, or all; the oldest first."""
    return _links(connection, *_whose(domain, mailbox))


def count_not_closed(connection: Connection, *, domain: str, now: datetime) -> int:
    """How many links of the domain's addresses are neither revoked nor expired."""
    query = select(func.count()).select_from(given).where(*_whose(domain, None), *_not_closed(now))
    return connection.execute(query).scalar_one()


def lock(connection: Connection, link_id: str) -> None:
    """Let nobody else change the link until the transaction ends; a statement of its own, as ``links.lock``."""
    connection.execute(select(given.c.id).where(given.c.id == link_id).with_for_update())


def revoke(connection: Connection, link_id: str, *, at: datetime) -> None:
    """Close the link for good."""
    connection.execute(update(given).where(given.c.id == link_id).values(revoked_at=at))


def revoke_not_closed(connection: Connection, *, domain: str, mailbox: str | None = None, at: datetime) -> list[str]:
    """Close for good the links of a domain's addresses, or of one mailbox, that are neither revoked nor expired.

    Returns their ids.
    """
    query = update(given).where(*_whose(domain, mailbox), *_not_closed(at)).values(revoked_at=at)
    return list(connection.execute(query.returning(given.c.id)).scalars())


def _whose(domain: str | None, mailbox: str | None) -> list[ColumnElement[bool]]:
    asked = ((given.c.domain, domain), (given.c.address_key, mailbox))
    return [column == value for column, value in asked if value is not None]


def _not_closed(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return given.c.revoked_at.is_(None), given.c.expires_at > now


def use_of(connection: Connection, link_id: str, format_id: str) -> LinkUse | None:
    """What decides whether the link hands out this format. Raises StoreUnavailable where it cannot be read."""

    def make(row: RowMapping) -> LinkUse:
        return LinkUse(
            expires_at=row["expires_at"],
            revoked_at=row["revoked_at"],
            devices_allowed=DEVICES,
            devices_used=_devices_used(row),
            last_opened=row["opened_at"] if row["format_id"] == format_id else None,
        )

    return read_rows(connection, select(given).where(given.c.id == link_id), key=_KEY, make=make).first()


def add_device(connection: Connection, link_id: str, format_id: str, *, at: datetime) -> None:
    """Count the one device."""
    connection.execute(update(given).where(given.c.id == link_id).values(format_id=format_id, opened_at=at))


def openings(connection: Connection, link_id: str) -> Rows[Opening]:
    """The one device as it was counted, if it was."""

    def make(row: RowMapping) -> Opening:
        return Opening(at=row["opened_at"], format_id=row["format_id"])

    query = select(given).where(given.c.id == link_id, given.c.opened_at.is_not(None))
    return read_rows(connection, query, key=_KEY, make=make)


def prune(connection: Connection, *, expired_before: datetime, at_most: int) -> None:
    """Forget links that expired before this moment, the oldest first and not more than ``at_most`` of them."""
    oldest = select(given.c.id).where(given.c.expires_at < expired_before).order_by(given.c.expires_at).limit(at_most)
    connection.execute(delete(given).where(given.c.id.in_(oldest)))


_KEY: Column[Any] = given.c.id


def _links(connection: Connection, *conditions: ColumnElement[bool]) -> Rows[StoredLink]:
    query = select(given).where(*conditions).order_by(given.c.created_at, given.c.id)
    return read_rows(connection, query, key=_KEY, make=_link)


def _link(row: RowMapping) -> StoredLink:
    return StoredLink(
        id=row["id"],
        issue=ISSUE,
        token_hash=row["token_hash"],
        account=Account(row["address"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        devices_allowed=DEVICES,
        devices_used=_devices_used(row),
        self_service=True,
    )


def _devices_used(row: RowMapping) -> int:
    return 0 if row["opened_at"] is None else DEVICES
