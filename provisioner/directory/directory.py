"""Adding, changing and removing organisations and domains, and the snapshot of them that is served from memory.

Clients that discover their settings are answered from the snapshot alone, so they are served while the store is down.
Every change stands in the audit trail, written in the same transaction.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from provisioner.address import normalise_domain
from provisioner.directory.live import LiveSnapshot
from provisioner.directory.snapshot import Servable, Snapshot, read_servable, read_snapshot
from provisioner.errors import (
    AlreadyExists,
    ConfigurationError,
    InvalidSetting,
    StillInUse,
    UnknownDomain,
    UnknownOrganisation,
    UnknownProvider,
)
from provisioner.model import MailProvider
from provisioner.organisation import Domain, Organisation
from provisioner.store import Connection, Store, audit, domains, links, organisations, self_service
from provisioner.store.audit import Detail


class Directory:
    """The organisations and domains of one store. Safe to share between threads.

    Every method that changes something takes ``actor``, the name that stands in the audit trail, and raises
    StoreUnavailable, having changed nothing, where the store does not answer.
    """

    def __init__(self, store: Store, providers: Mapping[str, MailProvider], *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._providers = providers
        self._clock = clock
        self._live = LiveSnapshot(self._load, clock=clock)

    def add_organisation(self, organisation: Organisation, *, actor: str) -> None:
        """Add an organisation. Raises AlreadyExists where its id is taken."""
        with self._store.write() as connection:
            if not organisations.add(connection, organisation):
                raise AlreadyExists(
                    f"The organisation {organisation.id!r} is there already. "
                    "Change it with 'provisioner organisation set'."
                )
            self._record(connection, actor, "organisation.add", organisation.id, organisations.values(organisation))
        self.refresh()

    def change_organisation(self, organisation: Organisation, *, actor: str) -> None:
        """Write ``organisation`` over the one with its id; where nothing differs, nothing is recorded.

        Raises UnknownOrganisation.
        """
        with self._store.write() as connection:
            before = organisations.find(connection, organisation.id)
            if before is None:
                raise UnknownOrganisation(organisation.id, organisations.all_ids(connection))
            changes = _changes(organisations.values(before), organisations.values(organisation))
            if changes:
                organisations.change(connection, organisation)
                self._record(connection, actor, "organisation.change", organisation.id, changes)
        self.refresh()

    def remove_organisation(self, organisation_id: str, *, actor: str) -> None:
        """Remove an organisation. Raises UnknownOrganisation, and StillInUse while it has domains."""
        with self._store.write() as connection:
            known = organisations.all_ids(connection)
            # Compared here: what was typed may be no text that a database takes.
            before = organisations.find(connection, organisation_id) if organisation_id in known else None
            if before is None:
                raise UnknownOrganisation(organisation_id, known)
            count = domains.count_of(connection, organisation_id)
            if count:
                raise StillInUse(
                    f"The organisation {organisation_id!r} still has {count} {'domain' if count == 1 else 'domains'}. "
                    "Remove them first with 'provisioner domain remove'."
                )
            organisations.remove(connection, organisation_id)
            self._record(connection, actor, "organisation.remove", organisation_id, organisations.values(before))
        self.refresh()

    def add_domain(self, domain: Domain, *, actor: str) -> None:
        """Add a domain to its organisation.

        Raises InvalidSetting for a domain or a provider of private customers, UnknownProvider, UnknownOrganisation, and
        AlreadyExists where some organisation has it.
        """
        self._refuse_unowned(domain)
        with self._store.write() as connection:
            if not organisations.is_kept(connection, domain.organisation_id):
                raise UnknownOrganisation(domain.organisation_id, organisations.all_ids(connection))
            if not domains.add(connection, domain):
                raise AlreadyExists(
                    f"The domain {domain.name} is there already. Change it with 'provisioner domain set'."
                )
            self._record(connection, actor, "domain.add", domain.name, domains.values(domain))
        self.refresh()

    def change_domain(self, domain: Domain, *, actor: str) -> None:
        """Write ``domain`` over the one with its name; where nothing differs, nothing is recorded.

        Raises UnknownDomain, UnknownOrganisation, UnknownProvider, and InvalidSetting as ``add_domain`` does.
        """
        self._refuse_unowned(domain)
        with self._store.write() as connection:
            before = domains.find(connection, domain.name)
            if before is None:
                raise UnknownDomain(domain.name)
            if not organisations.is_kept(connection, domain.organisation_id):
                raise UnknownOrganisation(domain.organisation_id, organisations.all_ids(connection))
            changes = _changes(domains.values(before), domains.values(domain))
            if changes:
                domains.change(connection, domain)
                self._record(connection, actor, "domain.change", domain.name, changes)
        self.refresh()

    def remove_domain(self, name: str, *, actor: str) -> None:
        """Remove a domain. Raises UnknownDomain, and StillInUse while a setup link of its people still opens."""
        name = normalise_domain(name)
        with self._store.write() as connection:
            before = domains.find(connection, name)
            if before is None:
                raise UnknownDomain(name)
            now = self._clock()
            count = sum(kind.count_not_closed(connection, domain=name, now=now) for kind in (links, self_service))
            if count:
                raise StillInUse(
                    f"The domain {name} still has {count} open setup {'link' if count == 1 else 'links'}. Revoke them "
                    f"first: 'provisioner link revoke --domain {name}'."
                )
            domains.remove(connection, name)
            self._record(connection, actor, "domain.remove", name, domains.values(before))
        self.refresh()

    def read(self) -> Snapshot:
        """The directory as the store has it now, also what cannot be served: for administrators.

        Raises StoreUnavailable, also where a row cannot be read.
        """
        with self._store.read() as connection:
            return read_snapshot(connection)

    def check(self) -> None:
        """Return where the whole directory can be served.

        Raises StoreUnavailable, and ConfigurationError with a line for each row that cannot be read and each domain
        whose provider is not in the catalogue.
        """
        faults = self._load().faults
        if faults:
            raise ConfigurationError("\n".join(faults))

    def snapshot(self) -> Snapshot:
        """The directory as it was last read. Raises StoreUnavailable where it was never read yet and cannot be."""
        return self._live.snapshot()

    def read_at(self) -> datetime | None:
        """When the directory was last read whole and could be served whole; None where that never was."""
        return self._live.read_at()

    def refresh(self) -> None:
        """Read the directory again; while the store does not answer, or holds what cannot be served, the last stays."""
        self._live.refresh()

    def keep_fresh(self, every: timedelta) -> None:
        """Refresh in the background until ``close``. Call it in each process: threads do not live through a fork."""
        self._live.keep_fresh(every)

    def close(self) -> None:
        """End the refreshing in the background; it runs out within one interval."""
        self._live.close()

    def _load(self) -> Servable:
        with self._store.read() as connection:
            return read_servable(connection, self._providers)

    def _record(
        self, connection: Connection, actor: str, action: str, subject: str, details: Mapping[str, Detail]
    ) -> None:
        audit.record(connection, at=self._clock(), actor=actor, action=action, subject=subject, details=details)

    def _refuse_unowned(self, domain: Domain) -> None:
        """Raise InvalidSetting for private customers' domains, UnknownProvider for a provider there is not."""
        for provider in self._providers.values():
            if any(domain.name == each or domain.name.endswith(f".{each}") for each in provider.consumer_domains):
                raise InvalidSetting(
                    f"{domain.name} belongs to the private customers of {provider.name}; no organisation owns it. Use "
                    "a domain of the organisation's own."
                )
        chosen = self._providers.get(domain.provider_id)
        if chosen is None:
            raise UnknownProvider(domain.provider_id, self._providers)
        if chosen.consumer_domains:
            raise InvalidSetting(
                f"{chosen.name} serves private customers; no organisation owns a domain there. Use 'provisioner "
                f"render' for a single document, or another provider for {domain.name}."
            )


def _changes(before: Mapping[str, Detail], after: Mapping[str, Detail]) -> dict[str, Detail]:
    """What differs, as setting -> [before, after]."""
    return {setting: [before[setting], after[setting]] for setting in after if before[setting] != after[setting]}
