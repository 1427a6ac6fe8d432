"""Queries about the outbox: one mail for each issue of a link, and what became of it.

A mail is ``queued``, then ``sending`` while it is handed over, then ``sent``, ``refused`` or ``unsure``; what the
server did not take for now is queued again. Whoever takes a mail has it alone: PostgreSQL skips the rows that another
transaction holds, SQLite lets one writer in at a time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from provisioner.store.tables import devices, invitations, links, mails

_TURN = 0x6F7574626F78  # any number that no other lock of ours has
QUEUED, SENDING, SENT, REFUSED, UNSURE = "queued", "sending", "sent", "refused", "unsure"


@dataclass(frozen=True, slots=True)
class TakenMail:
    """A mail that is being handed over: whose it is, and how often that was tried, this time included."""

    id: int
    link_id: str
    issue: int
    message_id: str
    attempts: int


def queue_missing(connection: Connection, *, domain: str | None, host: str, now: datetime, limit: int) -> int:
    """Queue a mail for the newest open link of each invitation that has none yet for its issue; at most ``limit``.

    ``host`` is the right side of their Message-IDs. Returns how many.
    """
    message_id = literal("", Text).concat(links.c.id).concat(".").concat(cast(links.c.issue, Text)).concat(f"@{host}")
    moment = literal(now, mails.c.queued_at.type)
    new = _without_mail(now, domain).with_only_columns(
        links.c.id, links.c.issue, literal(QUEUED), moment, moment, moment, literal(0), message_id, literal("")
    )
    columns = ("link_id", "issue", "state", "queued_at", "changed_at", "due_at", "attempts", "message_id", "problem")
    query = insert(mails).from_select(columns, new.order_by(links.c.id).limit(limit)).returning(mails.c.id)
    return len(connection.execute(query).all())  # psycopg tells no number of rows for this


def drop_outdated(connection: Connection, *, now: datetime) -> None:
    """Forget the queued mails whose link is closed or has been issued anew: they are never sent."""
    connection.execute(delete(mails).where(mails.c.state == QUEUED, ~exists(_current(now))))


def drop(connection: Connection, mail_id: int) -> None:
    """Forget a mail."""
    connection.execute(delete(mails).where(mails.c.id == mail_id))


def abandon_sending(connection: Connection, *, at: datetime, problem: str) -> int:
    """Mark what a sender that is gone was handing over as unsure. Returns how many."""
    abandoned = update(mails).where(mails.c.state == SENDING).values(state=UNSURE, changed_at=at, problem=problem)
    return len(connection.execute(abandoned.returning(mails.c.id)).all())


def queue_again(connection: Connection, state: str, *, domain: str | None, at: datetime) -> None:
    """Queue the mails in this state once more whose link still opens; what became of the others stays written down."""
    query = update(mails).where(mails.c.state == state, _of_domain(domain), exists(_current(at)))
    connection.execute(query.values(state=QUEUED, changed_at=at, due_at=at))


def wait_for_turn(connection: Connection) -> None:
    """Let one sender at a time see how many mails went and take the next one, until the transaction ends."""
    if connection.dialect.name == "postgresql":  # in SQLite every writing transaction is alone
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TURN})


def take(connection: Connection, *, domain: str | None, now: datetime) -> TakenMail | None:
    """The queued mail that has waited longest, now ``sending``; None where none is due. Commit before it is sent."""
    first = (
        select(mails.c.id)
        .where(mails.c.state == QUEUED, mails.c.due_at <= now, _of_domain(domain))
        .order_by(mails.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    mail_id = connection.execute(first).scalar()
    if mail_id is None:
        return None
    taken = {"state": SENDING, "changed_at": now, "tried_at": now, "attempts": mails.c.attempts + 1}
    connection.execute(update(mails).where(mails.c.id == mail_id).values(**taken))
    query = select(mails.c.id, mails.c.link_id, mails.c.issue, mails.c.message_id, mails.c.attempts).where(
        mails.c.id == mail_id
    )
    return TakenMail(**connection.execute(query).mappings().one())


def is_due(connection: Connection, *, domain: str | None, now: datetime) -> bool:
    """Whether a queued mail is due."""
    query = select(mails.c.id).where(mails.c.state == QUEUED, mails.c.due_at <= now, _of_domain(domain)).limit(1)
    return connection.execute(query).scalar() is not None


def settle(connection: Connection, mail_id: int, *, state: str, at: datetime, due_at: datetime, problem: str) -> None:
    """Write down what became of a mail."""
    fate = {"state": state, "changed_at": at, "due_at": due_at, "problem": problem}
    connection.execute(update(mails).where(mails.c.id == mail_id).values(**fate))


def give_back(connection: Connection, mail_id: int, *, at: datetime, due_at: datetime, problem: str) -> None:
    """Queue a mail again that was not handed over: the attempt was none."""
    undone = {"state": QUEUED, "changed_at": at, "due_at": due_at, "attempts": mails.c.attempts - 1, "problem": problem}
    connection.execute(update(mails).where(mails.c.id == mail_id).values(**undone))


def newest_attempt(connection: Connection, *, until: datetime, number: int = 1) -> datetime | None:
    """When the ``number``-th last mail was tried, counted back from ``until``; None where there were fewer."""
    query = (
        select(mails.c.tried_at)
        .where(mails.c.tried_at <= until)
        .order_by(mails.c.tried_at.desc())
        .limit(1)
        .offset(number - 1)
    )
    return connection.execute(query).scalar()


def attempts_between(connection: Connection, since: datetime, until: datetime) -> list[datetime]:
    """When mails were tried after ``since`` and not after ``until``, the oldest first."""
    query = select(mails.c.tried_at).where(mails.c.tried_at > since, mails.c.tried_at <= until)
    return [each for each in connection.execute(query.order_by(mails.c.tried_at)).scalars() if each is not None]


def count_waiting(
    connection: Connection,
    states: Collection[str],
    *,
    domain: str | None,
    now: datetime,
    closed_by: datetime | None = None,
) -> int:
    """How many mails are in one of these states, due or not, or would be queued now, whose link still opens.

    With ``closed_by``, those of them whose link will have expired by then.
    """
    ends = literal(True) if closed_by is None else links.c.expires_at <= closed_by
    here = select(func.count()).select_from(mails).where(mails.c.state.in_(states), _of_domain(domain))
    missing = _without_mail(now, domain).where(ends).with_only_columns(func.count())
    return (
        connection.execute(here.where(exists(_current(now).where(ends)))).scalar_one()
        + connection.execute(missing).scalar_one()
    )


def next_due(connection: Connection, *, domain: str | None) -> datetime | None:
    """When the first queued mail is due; None where none is queued."""
    return connection.execute(
        select(func.min(mails.c.due_at)).where(mails.c.state == QUEUED, _of_domain(domain))
    ).scalar()


def newest_open_links(connection: Connection, *, domain: str | None, now: datetime) -> set[str]:
    """The id of the newest open link of each invitation."""
    return set(connection.scalars(_newest_open(now, domain)))


def _current(now: datetime) -> Select[tuple[str]]:
    return select(links.c.id).where(links.c.id == mails.c.link_id, links.c.issue == mails.c.issue, _opens(now))


def _opens(now: datetime) -> ColumnElement[bool]:
    used = select(func.count()).select_from(devices).where(devices.c.link_id == links.c.id).scalar_subquery()
    return and_(links.c.revoked_at.is_(None), links.c.expires_at > now, links.c.devices_allowed > used)


def _newest_open(now: datetime, domain: str | None) -> Select[tuple[str]]:
    """The newest link of each invitation, where it opens; one that is used up hides the older ones, and needs none.

    Asked for each link by itself: as a join, PostgreSQL compares every link with every other one while it has not yet
    learnt how many there are (14.2, "Statistics Used by the Planner"), as after a long list of people.
    """
    other = links.alias("other")
    newest = (
        select(other.c.id)
        .where(other.c.invitation_id == links.c.invitation_id, other.c.revoked_at.is_(None), other.c.expires_at > now)
        .order_by(other.c.created_at.desc(), other.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(links.c.id).where(_opens(now), links.c.id == newest)
    if domain is None:
        return query
    its_domain = select(invitations.c.domain).where(invitations.c.id == links.c.invitation_id).scalar_subquery()
    return query.where(its_domain == domain)


def _without_mail(now: datetime, domain: str | None) -> Select[tuple[str]]:
    mail = select(mails.c.id).where(mails.c.link_id == links.c.id, mails.c.issue == links.c.issue).scalar_subquery()
    return _newest_open(now, domain).where(mail.is_(None))


def _of_domain(domain: str | None) -> ColumnElement[bool]:
    if domain is None:
        return literal(True)
    of = select(links.c.id).select_from(links.join(invitations)).where(invitations.c.domain == domain)
    return mails.c.link_id.in_(of)
