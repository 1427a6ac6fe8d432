"""Queries about what happened to one link: what was done to it, and the devices it was opened on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from provisioner.store.rows import Rows, read_rows
from provisioner.store.tables import audit, devices


@dataclass(frozen=True, slots=True)
class Deed:
    """One row of the audit trail about a thing."""

    at: datetime
    actor: str
    action: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opening:
    """One device as it was counted: the format it fetched, and when it first did."""

    at: datetime
    format_id: str


def deeds(connection: Connection, subject: str) -> Rows[Deed]:
    """What was done to the thing with this id, the oldest first."""
    query = select(audit.c.id, audit.c.at, audit.c.actor, audit.c.action, audit.c.details)
    return read_rows(
        connection, query.where(audit.c.subject == subject).order_by(audit.c.id), key=audit.c.id, make=_deed
    )


def openings(connection: Connection, link_id: str) -> Rows[Opening]:
    """The devices that were counted on the link, the oldest first."""
    query = select(devices.c.id, devices.c.opened_at, devices.c.format_id).where(devices.c.link_id == link_id)
    return read_rows(connection, query.order_by(devices.c.id), key=devices.c.id, make=_opening)


def _deed(row: RowMapping) -> Deed:
    return Deed(at=row["at"], actor=row["actor"], action=row["action"], details=dict(row["details"]))


def _opening(row: RowMapping) -> Opening:
    return Opening(at=row["opened_at"], format_id=row["format_id"])
