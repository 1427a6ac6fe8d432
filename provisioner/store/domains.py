"""Queries about domains."""

from collections.abc import Collection

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, select, text, update

from provisioner.organisation import AutodiscoverPolicy, Domain, EwsAccess, Kind, Preference, SelfService, SignInUrls
from provisioner.store.audit import Detail
from provisioner.store.insertion import insertion
from provisioner.store.rows import Rows, read_rows
from provisioner.store.tables import domains


def all_domains(connection: Connection) -> Rows[Domain]:
    """Every domain, in the order of their names."""
    return read_rows(connection, select(domains).order_by(domains.c.name), key=domains.c.name, make=_domain)


def find(connection: Connection, name: str) -> Domain | None:
    """The domain, kept from changing until the transaction ends. Raises StoreUnavailable where it cannot be read."""
    query = select(domains).where(domains.c.name == name).with_for_update()
    return read_rows(connection, query, key=domains.c.name, make=_domain).first()


def is_kept(connection: Connection, name: str) -> bool:
    """Whether the domain is there; if so, it is not removed until the transaction ends."""
    query = select(domains.c.name).where(domains.c.name == name).with_for_update(read=True, key_share=True)
    return connection.execute(query).first() is not None


def those_known(connection: Connection, names: Collection[str]) -> set[str]:
    """Those of ``names`` that are there."""
    query = select(domains.c.name).where(domains.c.name.in_(bindparam("names", expanding=True)))
    return set(connection.execute(query, {"names": list(names)}).scalars())


def count_of(connection: Connection, organisation_id: str) -> int:
    """How many domains the organisation has."""
    query = select(func.count()).select_from(domains).where(domains.c.organisation_id == organisation_id)
    return connection.execute(query).scalar_one()


def keep_writers_out(connection: Connection) -> None:
    """Wait until nobody else changes an organisation or a domain, and keep it so until the transaction ends.

    PostgreSQL documentation, section 13.3.1: reading goes on, and links are made. SQLite has one writer at a time.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE organisations, domains IN SHARE ROW EXCLUSIVE MODE"))


def add(connection: Connection, domain: Domain) -> bool:
    """Add it; False, and nothing is changed, where one has this name."""
    query = insertion(connection, domains).values(values(domain)).on_conflict_do_nothing()
    return connection.execute(query.returning(domains.c.name)).first() is not None


def change(connection: Connection, domain: Domain) -> None:
    """Write what ``domain`` says over the one with its name."""
    connection.execute(update(domains).where(domains.c.name == domain.name).values(values(domain)))


def remove(connection: Connection, name: str) -> None:
    """Remove it."""
    connection.execute(delete(domains).where(domains.c.name == name))


def values(domain: Domain) -> dict[str, Detail]:
    """The domain as its row."""
    return {
        "name": domain.name,
        "organisation_id": domain.organisation_id,
        "provider": domain.provider_id,
        "autodiscover": domain.autodiscover.value,
        "account_kinds": [kind.value for kind in domain.account_kinds],
        "smtp_password": domain.smtp_password,
        "ews": domain.ews.value,
        "sign_in_urls": domain.sign_in_urls.value,
        "prefer": domain.prefer.value,
        "self_service": domain.self_service.value,
    }


def _domain(row: RowMapping) -> Domain:
    return Domain(
        name=row["name"],
        organisation_id=row["organisation_id"],
        provider_id=row["provider"],
        autodiscover=AutodiscoverPolicy(row["autodiscover"]),
        account_kinds=tuple(Kind(kind) for kind in row["account_kinds"]),
        smtp_password=row["smtp_password"],
        ews=EwsAccess(row["ews"]),
        sign_in_urls=SignInUrls(row["sign_in_urls"]),
        prefer=Preference(row["prefer"]),
        self_service=SelfService(row["self_service"]),
    )
