"""Queries about what happened to one link: what was done to it, as the audit trail has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from provisioner.store.rows import Rows, read_rows
from provisioner.store.tables import audit


@dataclass(frozen=True, slots=True)
class Deed:
    """One row of the audit trail about a thing."""

    at: datetime
    actor: str
    action: str
    details: Mapping[str, Any]


def deeds(connection: Connection, subject: str) -> Rows[Deed]:
    """What was done to the thing with this id, the oldest first."""
    query = select(audit.c.id, audit.c.at, audit.c.actor, audit.c.action, audit.c.details)
    return read_rows(
        connection, query.where(audit.c.subject == subject).order_by(audit.c.id), key=audit.c.id, make=_deed
    )


def _deed(row: RowMapping) -> Deed:
    return Deed(at=row["at"], actor=row["actor"], action=row["action"], details=dict(row["details"]))
