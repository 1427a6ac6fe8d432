"""Adding, changing and removing organisations and domains, and the snapshot of them that is served from memory.

Clients that discover their settings are answered from the snapshot alone, so they are served while the store is down.
Every change stands in the audit trail, written in the same transaction.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from provisioner.address import normalise_domain
from provisioner.directory.deeds import Deeds, carry_out, foresee
from provisioner.directory.live import LiveSnapshot
from provisioner.directory.ownership import refuse_each_unowned, refuse_unowned
from provisioner.directory.plan import Plan, make_plan
from provisioner.directory.snapshot import Servable, Snapshot, read_servable, read_snapshot
from provisioner.errors import ConfigurationError
from provisioner.model import MailProvider
from provisioner.organisation import Domain, Organisation
from provisioner.store import Store, domains


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
        """Add an organisation. Raises AlreadyExists where its id is taken, and InvalidSetting for an app's setting."""
        with self._deeds(actor) as deeds:
            deeds.add_organisation(organisation)

    def change_organisation(self, organisation: Organisation, *, actor: str) -> None:
        """Write ``organisation`` over the one with its id; where nothing differs, nothing is recorded.

        Raises UnknownOrganisation, and InvalidSetting for an app's setting.
        """
        with self._deeds(actor) as deeds:
            deeds.change_organisation(organisation)

    def remove_organisation(self, organisation_id: str, *, actor: str) -> None:
        """Remove an organisation. Raises UnknownOrganisation, and StillInUse while it has domains."""
        with self._deeds(actor) as deeds:
            deeds.remove_organisation(organisation_id)

    def add_domain(self, domain: Domain, *, actor: str) -> None:
        """Add a domain to its organisation.

        Raises InvalidSetting for a domain or a provider of private customers, UnknownProvider, UnknownOrganisation, and
        AlreadyExists where some organisation has it.
        """
        refuse_unowned(domain, self._providers)
        with self._deeds(actor) as deeds:
            deeds.add_domain(domain)

    def change_domain(self, domain: Domain, *, actor: str) -> None:
        """Write ``domain`` over the one with its name; where nothing differs, nothing is recorded.

        Raises UnknownDomain, UnknownOrganisation, UnknownProvider, and InvalidSetting as ``add_domain`` does.
        """
        refuse_unowned(domain, self._providers)
        with self._deeds(actor) as deeds:
            deeds.change_domain(domain)

    def remove_domain(self, name: str, *, actor: str) -> None:
        """Remove a domain. Raises UnknownDomain, and StillInUse while a setup link of its people still opens."""
        name = normalise_domain(name)
        with self._deeds(actor) as deeds:
            deeds.remove_domain(name)

    def plan(self, wanted: Snapshot, *, prune: bool) -> Plan:
        """What ``apply`` would do now; changes nothing. Raises InvalidSetting and StillInUse as ``apply`` does."""
        refuse_each_unowned(wanted.domains.values(), self._providers)
        with self._store.read() as connection:
            plan = make_plan(read_snapshot(connection), wanted, prune=prune)
            foresee(connection, plan, now=self._clock())
        return plan

    def apply(self, wanted: Snapshot, *, prune: bool, actor: str) -> Plan:
        """Make the directory what ``wanted`` says, in one transaction, and return what was done.

        What ``wanted`` does not name is left alone, or removed with ``prune``. Raises InvalidSetting with a line for
        each domain that no organisation can have, and StillInUse with a line for each domain to be removed that still
        has open links.
        """
        refuse_each_unowned(wanted.domains.values(), self._providers)
        with self._deeds(actor) as deeds:
            plan = make_plan(read_snapshot(deeds.connection), wanted, prune=prune)
            carry_out(deeds, plan)
        return plan

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

    @contextmanager
    def _deeds(self, actor: str) -> Iterator[Deeds]:
        """One transaction of ``actor``, in which nobody else changes the directory, and then a fresh snapshot."""
        with self._store.write() as connection:
            domains.keep_writers_out(connection)
            yield Deeds(connection, actor, self._clock)
        self.refresh()
