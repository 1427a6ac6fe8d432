"""The whole directory at one moment, and which part of it cannot be served.

A row that cannot be read and a domain whose mail service is not in the catalogue are mistakes that an administrator has
to hear of; the domains of everybody else go on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from provisioner.address import normalise_domain
from provisioner.errors import UnknownDomain, UnknownOrganisation, printable, suggestion
from provisioner.model import MailProvider
from provisioner.organisation import Domain, Organisation
from provisioner.store import Connection, domains, organisations


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole directory at one moment."""

    organisations: Mapping[str, Organisation]
    domains: Mapping[str, Domain]

    def domain(self, name: str) -> Domain:
        """The domain in any spelling of its name. Raises UnknownDomain, or InvalidDomain where it is no domain."""
        found = self.domains.get(name) or self.domains.get(normalise_domain(name))
        if found is None:
            raise UnknownDomain(name)
        return found

    def organisation(self, organisation_id: str) -> Organisation:
        """The organisation with this id. Raises UnknownOrganisation."""
        found = self.organisations.get(organisation_id)
        if found is None:
            raise UnknownOrganisation(organisation_id, self.organisations)
        return found


@dataclass(frozen=True, slots=True)
class Servable:
    """What of the directory can be served, and for each thing that cannot a sentence that names it."""

    snapshot: Snapshot
    faults: tuple[str, ...]


def read_snapshot(connection: Connection) -> Snapshot:
    """All that the store holds. Raises StoreUnavailable where a row cannot be read, naming it."""
    known, names = organisations.all_organisations(connection), domains.all_domains(connection)
    return _snapshot(known.whole(), names.whole())


def read_servable(connection: Connection, providers: Mapping[str, MailProvider]) -> Servable:
    """What the store holds, without what cannot be read and domains at none of the ``providers``."""
    known, names = organisations.all_organisations(connection), domains.all_domains(connection)
    ids = {organisation.id for organisation in known.readable}
    faults = [*known.faults, *names.faults]
    served = []
    for domain in names.readable:
        if domain.provider_id not in providers:
            faults.append(_without_provider(domain, providers))
        elif domain.organisation_id in ids:  # otherwise the organisation's row is the fault, and told already
            served.append(domain)
    return Servable(_snapshot(known.readable, served), tuple(faults))


def _snapshot(known: list[Organisation], names: list[Domain]) -> Snapshot:
    return Snapshot(
        organisations=MappingProxyType({each.id: each for each in known}),
        domains=MappingProxyType({each.name: each for each in names}),
    )


def _without_provider(domain: Domain, providers: Mapping[str, MailProvider]) -> str:
    return (
        f"The domain {domain.name} has the mail provider {printable(domain.provider_id)}, which is not in the "
        f"catalogue. {suggestion(domain.provider_id, providers)} Set one that is: 'provisioner domain set "
        f"{domain.name} --provider ID'."
    )
