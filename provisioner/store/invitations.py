"""Queries about invitations: one for each mailbox, however often and in whatever spelling it is asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, func, select

from provisioner.model import Account
from provisioner.store.insertion import Insertion, insertion
from provisioner.store.tables import devices, invitations, links


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to invite, as an administrator or a list tells it; what is left open keeps what is known already."""

    account: Account
    language: str = ""  # BCP 47; empty: it is not told
    username_known: bool = True  # False: it is not told, and the account has its address there


@dataclass(frozen=True, slots=True)
class Standing:
    """The invitation of a mailbox, and whether one of its links opens."""

    invitation_id: int
    has_open_link: bool


def save(connection: Connection, person: Person, *, at: datetime) -> int:
    """The number of the mailbox's invitation: a new one, or the present one renewed."""
    query = _renewal(insertion(connection, invitations)).returning(invitations.c.id)
    return int(connection.execute(query, _row(person, at)).scalar_one())


def save_all(connection: Connection, people: Sequence[Person], *, at: datetime) -> None:
    """Add or renew the invitation of each, the later one of two for the same mailbox last.

    Nobody else changes these invitations until the transaction ends. Sorted, so that two who save the same people do
    not wait for each other.
    """
    rows = [_row(person, at) for person in sorted(people, key=lambda person: person.account.key)]
    if rows:
        connection.execute(_renewal(insertion(connection, invitations)), rows)


def standings(connection: Connection, keys: Collection[str], *, now: datetime) -> Mapping[str, Standing]:
    """How each mailbox stands that has an invitation, by its key."""
    result = connection.execute(_STANDINGS, {"keys": list(keys), "now": now})
    return {row.address_key: Standing(row.id, bool(row.opens)) for row in result}


def _row(person: Person, at: datetime) -> dict[str, object]:
    """The values of ``_renewal``."""
    return {
        "address_key": person.account.key,
        "address": person.account.address,
        "username": person.account.username,
        "display_name": person.account.display_name,
        "domain": person.account.domain,
        "created_at": at,
        "language": person.language,
        "username_known": int(person.username_known),
    }


def _renewal(query: Insertion) -> Insertion:
    told, known = query.excluded, invitations.c
    return query.on_conflict_do_update(
        index_elements=["address_key"],
        set_={
            "address": told.address,
            "username": case((bindparam("username_known") == 1, told.username), else_=known.username),
            "display_name": case((told.display_name != "", told.display_name), else_=known.display_name),
            "language": case((told.language != "", told.language), else_=known.language),
        },
    )


_used = select(func.count()).select_from(devices).where(devices.c.link_id == links.c.id).scalar_subquery()
_opens = (
    select(links.c.id)
    .where(
        links.c.invitation_id == invitations.c.id,
        links.c.revoked_at.is_(None),
        links.c.expires_at > bindparam("now"),
        links.c.devices_allowed > _used,
    )
    .exists()
    .label("opens")
)
_STANDINGS = select(invitations.c.id, invitations.c.address_key, _opens).where(
    invitations.c.address_key.in_(bindparam("keys", expanding=True))
)
