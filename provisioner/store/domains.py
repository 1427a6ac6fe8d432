"""Queries about domains."""

from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, select, update

from provisioner.errors import StoreUnavailable
from provisioner.organisation import AutodiscoverPolicy, Domain, EwsAccess, Kind, SignInUrls
from provisioner.store.audit import Detail
from provisioner.store.insertion import insertion
from provisioner.store.tables import domains


def all_domains(connection: Connection) -> list[Domain]:
    """Every domain, in the order of their names. Raises StoreUnavailable where one cannot be read."""
    return [_domain(row) for row in connection.execute(select(domains).order_by(domains.c.name)).mappings()]


def find(connection: Connection, name: str) -> Domain | None:
    """The domain, kept from changing until the transaction ends."""
    query = select(domains).where(domains.c.name == name).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return _domain(row) if row else None


def is_kept(connection: Connection, name: str) -> bool:
    """Whether the domain is there; if so, it is not removed until the transaction ends."""
    query = select(domains.c.name).where(domains.c.name == name).with_for_update(read=True, key_share=True)
    return connection.execute(query).first() is not None


def count_of(connection: Connection, organisation_id: str) -> int:
    """How many domains the organisation has."""
    query = select(func.count()).select_from(domains).where(domains.c.organisation_id == organisation_id)
    return connection.execute(query).scalar_one()


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
    }


def _domain(row: RowMapping) -> Domain:
    settings: dict[str, Any] = dict(row)
    try:
        return Domain(
            name=settings["name"],
            organisation_id=settings["organisation_id"],
            provider_id=settings["provider"],
            autodiscover=AutodiscoverPolicy(settings["autodiscover"]),
            account_kinds=tuple(Kind(kind) for kind in settings["account_kinds"]),
            smtp_password=settings["smtp_password"],
            ews=EwsAccess(settings["ews"]),
            sign_in_urls=SignInUrls(settings["sign_in_urls"]),
        )
    except ValueError as unknown:  # written by a newer version while this one still runs
        raise StoreUnavailable(
            f"The domain {settings['name']} has a setting that this version does not know: {unknown}. Start the newer "
            "version everywhere, or set the domain again."
        ) from unknown
