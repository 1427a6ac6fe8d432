"""Queries about organisations."""

from sqlalchemy import Connection, delete, select, update

from provisioner.organisation import Organisation
from provisioner.store.audit import Detail
from provisioner.store.insertion import insertion
from provisioner.store.tables import organisations


def all_organisations(connection: Connection) -> list[Organisation]:
    """Every organisation, in the order of their ids."""
    rows = connection.execute(select(organisations).order_by(organisations.c.id))
    return [Organisation(**row) for row in rows.mappings()]


def find(connection: Connection, organisation_id: str) -> Organisation | None:
    """The organisation, kept from changing until the transaction ends."""
    query = select(organisations).where(organisations.c.id == organisation_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return Organisation(**row) if row else None


def is_kept(connection: Connection, organisation_id: str) -> bool:
    """Whether the organisation is there; if so, it is not removed until the transaction ends."""
    query = select(organisations.c.id).where(organisations.c.id == organisation_id)
    return connection.execute(query.with_for_update(read=True, key_share=True)).first() is not None


def add(connection: Connection, organisation: Organisation) -> bool:
    """Add it; False, and nothing is changed, where one has this id."""
    query = insertion(connection, organisations).values(values(organisation)).on_conflict_do_nothing()
    return connection.execute(query.returning(organisations.c.id)).first() is not None


def change(connection: Connection, organisation: Organisation) -> None:
    """Write what ``organisation`` says over the one with its id."""
    query = update(organisations).where(organisations.c.id == organisation.id)
    connection.execute(query.values(values(organisation)))


def remove(connection: Connection, organisation_id: str) -> None:
    """Remove it; nothing may refer to it any more."""
    connection.execute(delete(organisations).where(organisations.c.id == organisation_id))


def values(organisation: Organisation) -> dict[str, Detail]:
    """The organisation as its row."""
    return {
        "id": organisation.id,
        "name": organisation.name,
        "support_contact": organisation.support_contact,
        "consent_text": organisation.consent_text,
    }
