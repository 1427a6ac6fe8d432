"""What became of the mails in the outbox, as an administrator sees it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from provisioner.store.rows import Rows, read_rows
from provisioner.store.tables import invitations, links, mails


@dataclass(frozen=True, slots=True)
class ListedMail:
    """A mail as an administrator sees it."""

    address: str
    display_name: str
    link_id: str
    state: str
    queued_at: datetime
    changed_at: datetime
    due_at: datetime
    attempts: int
    problem: str


def all_mails(connection: Connection, *, domain: str | None) -> Rows[ListedMail]:
    """The mails to a domain's people, or to everybody; the oldest first."""
    query = (
        select(
            invitations.c.address,
            invitations.c.display_name,
            mails.c.link_id,
            mails.c.state,
            mails.c.queued_at,
            mails.c.changed_at,
            mails.c.due_at,
            mails.c.attempts,
            mails.c.problem,
        )
        .select_from(mails.join(links).join(invitations))
        .order_by(mails.c.id)
    )
    if domain is not None:
        query = query.where(invitations.c.domain == domain)
    return read_rows(connection, query, key=mails.c.link_id, make=_listed)


def _listed(row: RowMapping) -> ListedMail:
    return ListedMail(**row)
