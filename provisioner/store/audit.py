"""The audit trail: what was done, by whom, to what; written in the transaction of the deed and never changed.

It holds no address and no token: a link is named by its id, a mailbox by its hash.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, insert

from provisioner.store.tables import audit

Detail = str | int | bool | None | list["Detail"] | Mapping[str, "Detail"]


def record(
    connection: Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Detail],
) -> None:
    """Add one row. ``action`` is ``<thing>.<verb>``, such as ``link.create``; ``subject`` the id of the thing."""
    record_each(connection, at=at, actor=actor, action=action, subjects=[subject], details=details)


def record_each(
    connection: Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    subjects: Iterable[str],
    details: Mapping[str, Detail],
) -> None:
    """Add one row for each of ``subjects``, to all of which the same was done."""
    deed = {"at": at, "actor": actor, "action": action, "details": dict(details)}
    rows = [{**deed, "subject": subject} for subject in subjects]
    if rows:
        connection.execute(insert(audit), rows)
