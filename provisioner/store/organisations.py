"""Queries about organisations."""

from hashlib import sha256

from sqlalchemy import Connection, RowMapping, delete, select, update

from provisioner.organisation import Logo, Organisation
from provisioner.store.audit import Detail
from provisioner.store.insertion import insertion
from provisioner.store.rows import Rows, read_rows
from provisioner.store.tables import organisations


def all_organisations(connection: Connection) -> Rows[Organisation]:
    """Every organisation, in the order of their ids."""
    query = select(organisations).order_by(organisations.c.id)
    return read_rows(connection, query, key=organisations.c.id, make=_organisation)


def all_ids(connection: Connection) -> list[str]:
    """The ids of every organisation, whether or not the rest of it can be read."""
    return list(connection.execute(select(organisations.c.id).order_by(organisations.c.id)).scalars())


def find(connection: Connection, organisation_id: str) -> Organisation | None:
    """The organisation, kept from changing until the transaction ends. Raises StoreUnavailable: it cannot be read."""
    query = select(organisations).where(organisations.c.id == organisation_id).with_for_update()
    return read_rows(connection, query, key=organisations.c.id, make=_organisation).first()


def is_kept(connection: Connection, organisation_id: str) -> bool:
    """Whether the organisation is there; if so, it is not removed until the transaction ends."""
    query = select(organisations.c.id).where(organisations.c.id == organisation_id)
    return connection.execute(query.with_for_update(read=True, key_share=True)).first() is not None


def add(connection: Connection, organisation: Organisation) -> bool:
    """Add it; False, and nothing is changed, where one has this id."""
    query = insertion(connection, organisations).values(_row(organisation)).on_conflict_do_nothing()
    return connection.execute(query.returning(organisations.c.id)).first() is not None


def change(connection: Connection, organisation: Organisation) -> None:
    """Write what ``organisation`` says over the one with its id."""
    query = update(organisations).where(organisations.c.id == organisation.id)
    connection.execute(query.values(_row(organisation)))


def remove(connection: Connection, organisation_id: str) -> None:
    """Remove it; nothing may refer to it any more."""
    connection.execute(delete(organisations).where(organisations.c.id == organisation_id))


def values(organisation: Organisation) -> dict[str, Detail]:
    """What the audit trail says of it: every setting, and of the logo its SHA-256."""
    logo = sha256(organisation.logo.content).hexdigest() if organisation.logo else ""
    return {**_texts(organisation), "logo": logo}


def _row(organisation: Organisation) -> dict[str, object]:
    return {**_texts(organisation), "logo": organisation.logo.content if organisation.logo else None}


def _texts(organisation: Organisation) -> dict[str, Detail]:
    return {
        "id": organisation.id,
        "name": organisation.name,
        "support_contact": organisation.support_contact,
        "consent_text": organisation.consent_text,
        "consent_texts": dict(organisation.consent_texts),
        "help_text": organisation.help_text,
        "help_texts": dict(organisation.help_texts),
        "languages": list(organisation.languages),
        "accent_colour": organisation.accent_colour,
        "outlook": dict(organisation.outlook),
    }


def _organisation(row: RowMapping) -> Organisation:
    settings = dict(row)
    logo, languages = settings.pop("logo"), settings.pop("languages")
    return Organisation(**settings, logo=None if logo is None else Logo(bytes(logo)), languages=tuple(languages))
