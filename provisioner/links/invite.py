"""Inviting many people at once: one invitation for each mailbox, and a link for whoever has none that opens.

What is stored is the same whether it is done once or again: whoever has an open link keeps it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from itertools import groupby
from operator import attrgetter

from provisioner.links.issue import new_link
from provisioner.store import Connection, audit, domains, invitations, links
from provisioner.store.invitations import Person
from provisioner.store.links import StoredLink


class Invited(Enum):
    """What became of a person on a list."""

    NEW_LINK = "invited"
    KEPT_LINK = "kept"  # an open link is there; username, name and language are renewed
    UNKNOWN_DOMAIN = "unknown domain"


def invite(
    connection: Connection,
    people: Sequence[Person],
    *,
    key: bytes,
    now: datetime,
    lifetime: timedelta,
    devices: int,
    actor: str,
) -> Mapping[str, Invited]:
    """Invite ``people`` in this transaction and say what became of each, by the key of the mailbox."""
    known = _domains_kept(connection, people)
    ours = [person for person in people if person.account.domain in known]
    invitations.save_all(connection, ours, at=now)
    # After the rows are ours: whoever invites the same people at the same time has ended.
    standing = invitations.standings(connection, {person.account.key for person in ours}, now=now)
    new: dict[str, tuple[int, StoredLink]] = {}
    for person in ours:
        found = standing[person.account.key]
        if not found.has_open_link and person.account.key not in new:
            link, _ = new_link(key, person.account, now=now, lifetime=lifetime, devices=devices)
            new[person.account.key] = found.invitation_id, link
    links.add_each(connection, new.values())
    _record(connection, ours, [link for _, link in new.values()], now=now, actor=actor)
    return _told(people, known, has_link=standing.keys() - new.keys())


def foresee(connection: Connection, people: Sequence[Person], *, now: datetime) -> Mapping[str, Invited]:
    """What ``invite`` would do now; changes nothing."""
    known = domains.those_known(connection, {person.account.domain for person in people})
    standing = invitations.standings(connection, {person.account.key for person in people}, now=now)
    return _told(people, known, has_link={key for key, found in standing.items() if found.has_open_link})


def _domains_kept(connection: Connection, people: Sequence[Person]) -> set[str]:
    """The people's domains that are configured; none of them is removed until the transaction ends."""
    named = sorted({person.account.domain for person in people})
    return {name for name in named if domains.is_kept(connection, name)}


def _told(people: Sequence[Person], known: set[str], *, has_link: set[str]) -> Mapping[str, Invited]:
    told = {}
    for person in people:
        key = person.account.key
        if person.account.domain not in known:
            told[key] = Invited.UNKNOWN_DOMAIN
        else:
            told[key] = Invited.KEPT_LINK if key in has_link else Invited.NEW_LINK
    return told


def _record(
    connection: Connection, people: Sequence[Person], made: Sequence[StoredLink], *, now: datetime, actor: str
) -> None:
    """Each link as if it had been made by itself, and for each domain how many people the list had."""
    domain_of = attrgetter("account.domain")
    new = {name: list(links) for name, links in groupby(sorted(made, key=domain_of), domain_of)}
    for name, group in groupby(sorted(people, key=domain_of), domain_of):
        of_domain = new.get(name, [])
        if of_domain:
            details = link_details(of_domain[0])
            ids = [link.id for link in of_domain]
            audit.record_each(connection, at=now, actor=actor, action="link.create", subjects=ids, details=details)
        counts = {"people": len({person.account.key for person in group}), "links": len(of_domain)}
        audit.record(connection, at=now, actor=actor, action="invitation.import", subject=name, details=counts)


def link_details(link: StoredLink) -> dict[str, audit.Detail]:
    """What the audit trail says of a link that was made."""
    return {
        "domain": link.account.domain,
        "devices": link.devices_allowed,
        "expires_at": link.expires_at.isoformat(),
    }
