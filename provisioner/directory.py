"""Whose people are provisioned: organisations and their mail domains, kept in the store and answered from memory.

Clients that discover their settings are answered from the snapshot alone, so they are served while the store is down.
Every change stands in the audit trail, written in the same transaction.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from types import MappingProxyType

import structlog

from provisioner.address import normalise_domain
from provisioner.errors import (
    AlreadyExists,
    InvalidSetting,
    StillInUse,
    StoreUnavailable,
    UnknownDomain,
    UnknownOrganisation,
    UnknownProvider,
)
from provisioner.model import MailProvider
from provisioner.organisation import Domain, Organisation
from provisioner.store import Connection, Store, audit, domains, links, organisations
from provisioner.store.audit import Detail

_log = structlog.get_logger()


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


class Directory:
    """The organisations and domains of one store. Safe to share between threads.

    Every method that changes something takes ``actor``, the name that stands in the audit trail, and raises
    StoreUnavailable, having changed nothing, where the store does not answer.
    """

    def __init__(self, store: Store, providers: Mapping[str, MailProvider], *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._providers = providers
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._stale_since: datetime | None = None
        self._loading = Lock()
        self._keeper: int | None = None  # the process whose thread keeps the snapshot fresh
        self._closed = Event()

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
        """Write ``organisation`` over the one with its id. Raises UnknownOrganisation."""
        with self._store.write() as connection:
            before = organisations.find(connection, organisation.id)
            if before is None:
                raise UnknownOrganisation(organisation.id, _ids(connection))
            organisations.change(connection, organisation)
            changes = _changes(organisations.values(before), organisations.values(organisation))
            self._record(connection, actor, "organisation.change", organisation.id, changes)
        self.refresh()

    def remove_organisation(self, organisation_id: str, *, actor: str) -> None:
        """Remove an organisation. Raises UnknownOrganisation, and StillInUse while it has domains."""
        with self._store.write() as connection:
            known = _ids(connection)  # compared here: what was typed may be no text that a database takes
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

        Raises InvalidSetting for a domain that belongs to a provider's private customers, UnknownProvider,
        UnknownOrganisation, and AlreadyExists where some organisation has it.
        """
        self._refuse_consumer(domain)
        self._refuse_unknown_provider(domain)
        with self._store.write() as connection:
            if not organisations.is_kept(connection, domain.organisation_id):
                raise UnknownOrganisation(domain.organisation_id, _ids(connection))
            if not domains.add(connection, domain):
                raise AlreadyExists(
                    f"The domain {domain.name} is there already. Change it with 'provisioner domain set'."
                )
            self._record(connection, actor, "domain.add", domain.name, domains.values(domain))
        self.refresh()

    def change_domain(self, domain: Domain, *, actor: str) -> None:
        """Write ``domain`` over the one with its name. Raises UnknownDomain, UnknownProvider, UnknownOrganisation."""
        self._refuse_unknown_provider(domain)
        with self._store.write() as connection:
            before = domains.find(connection, domain.name)
            if before is None:
                raise UnknownDomain(domain.name)
            if not organisations.is_kept(connection, domain.organisation_id):
                raise UnknownOrganisation(domain.organisation_id, _ids(connection))
            domains.change(connection, domain)
            changes = _changes(domains.values(before), domains.values(domain))
            self._record(connection, actor, "domain.change", domain.name, changes)
        self.refresh()

    def remove_domain(self, name: str, *, actor: str) -> None:
        """Remove a domain. Raises UnknownDomain, and StillInUse while a setup link of its people still opens."""
        name = normalise_domain(name)
        with self._store.write() as connection:
            before = domains.find(connection, name)
            if before is None:
                raise UnknownDomain(name)
            count = links.count_not_closed(connection, domain=name, now=self._clock())
            if count:
                raise StillInUse(
                    f"The domain {name} still has {count} open setup {'link' if count == 1 else 'links'}. Revoke them "
                    "first: see 'provisioner link list' and 'provisioner link revoke'."
                )
            domains.remove(connection, name)
            self._record(connection, actor, "domain.remove", name, domains.values(before))
        self.refresh()

    def snapshot(self) -> Snapshot:
        """The directory as it was last read. Raises StoreUnavailable where it was never read yet and cannot be."""
        return self._snapshot or self._first_snapshot()

    def refresh(self) -> None:
        """Read the directory again; while the store does not answer, the last snapshot stays."""
        with self._loading:
            try:
                self._snapshot = self._load()
            except StoreUnavailable as failure:
                if self._stale_since is None:
                    self._stale_since = self._clock()
                    _log.warning("directory_stale", reason=str(failure))
                return
            if self._stale_since is not None:
                _log.info("directory_fresh", stale_since=self._stale_since.isoformat())
                self._stale_since = None

    def stale_since(self) -> datetime | None:
        """When reading the directory first failed; None while the last attempt succeeded."""
        return self._stale_since

    def keep_fresh(self, every: timedelta) -> None:
        """Refresh in the background until ``close``. Call it in each process: threads do not live through a fork."""
        if self._keeper == os.getpid():
            return
        self._keeper = os.getpid()
        self._loading = Lock()  # the thread that held the old one may be in another process
        Thread(target=self._keep_fresh, args=(every,), name="directory", daemon=True).start()

    def close(self) -> None:
        """End the refreshing in the background; it runs out within one interval."""
        self._closed.set()

    def _keep_fresh(self, every: timedelta) -> None:
        while not self._closed.wait(every.total_seconds()):
            self.refresh()

    def _record(
        self, connection: Connection, actor: str, action: str, subject: str, details: Mapping[str, Detail]
    ) -> None:
        audit.record(connection, at=self._clock(), actor=actor, action=action, subject=subject, details=details)

    def _first_snapshot(self) -> Snapshot:
        with self._loading:
            if self._snapshot is None:
                self._snapshot = self._load()
            return self._snapshot

    def _load(self) -> Snapshot:
        with self._store.read() as connection:
            known = {each.id: each for each in organisations.all_organisations(connection)}
            names = {each.name: each for each in domains.all_domains(connection)}
        return Snapshot(organisations=MappingProxyType(known), domains=MappingProxyType(names))

    def _refuse_consumer(self, domain: Domain) -> None:
        for provider in self._providers.values():
            if domain.name in provider.consumer_domains:
                raise InvalidSetting(
                    f"{domain.name} belongs to the private customers of {provider.name}; no organisation owns it. Use "
                    "a domain of the organisation's own."
                )

    def _refuse_unknown_provider(self, domain: Domain) -> None:
        if domain.provider_id not in self._providers:
            raise UnknownProvider(domain.provider_id, self._providers)


def _changes(before: Mapping[str, Detail], after: Mapping[str, Detail]) -> dict[str, Detail]:
    """What differs, as setting -> [before, after]."""
    return {setting: [before[setting], after[setting]] for setting in after if before[setting] != after[setting]}


def _ids(connection: Connection) -> list[str]:
    return [organisation.id for organisation in organisations.all_organisations(connection)]
