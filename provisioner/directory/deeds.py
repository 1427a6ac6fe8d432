"""What can be done to the directory, each deed with its row in the audit trail, within one transaction.

Either all deeds of a transaction are kept, with their rows, or none is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from provisioner.catalogue import check_app_settings
from provisioner.directory.plan import Change, Plan, differs, id_of, settings_of
from provisioner.errors import AlreadyExists, StillInUse, UnknownDomain, UnknownOrganisation
from provisioner.organisation import Domain, Organisation
from provisioner.store import Connection, audit, domains, links, organisations, self_service
from provisioner.store.audit import Detail


@dataclass(frozen=True, slots=True)
class Deeds:
    """The deeds of ``actor`` in the transaction of ``connection``."""

    connection: Connection
    actor: str
    clock: Callable[[], datetime]

    def add_organisation(self, organisation: Organisation) -> None:
        """Add an organisation. Raises AlreadyExists where its id is taken, and InvalidSetting for an app's setting."""
        check_app_settings(organisation)
        if not organisations.add(self.connection, organisation):
            raise AlreadyExists(
                f"The organisation {organisation.id!r} is there already. Change it with 'provisioner organisation set'."
            )
        self._record("organisation.add", organisation.id, settings_of(organisation))

    def change_organisation(self, organisation: Organisation) -> None:
        """Write ``organisation`` over the one with its id. Raises UnknownOrganisation and InvalidSetting."""
        check_app_settings(organisation)
        before = organisations.find(self.connection, organisation.id)
        if before is None:
            raise UnknownOrganisation(organisation.id, organisations.all_ids(self.connection))
        changes = _changes(settings_of(before), settings_of(organisation))
        if changes:
            organisations.change(self.connection, organisation)
            self._record("organisation.change", organisation.id, changes)

    def remove_organisation(self, organisation_id: str) -> None:
        """Remove an organisation. Raises UnknownOrganisation, and StillInUse while it has domains."""
        known = organisations.all_ids(self.connection)
        # Compared here: what was typed may be no text that a database takes.
        before = organisations.find(self.connection, organisation_id) if organisation_id in known else None
        if before is None:
            raise UnknownOrganisation(organisation_id, known)
        count = domains.count_of(self.connection, organisation_id)
        if count:
            raise StillInUse(
                f"The organisation {organisation_id!r} still has {count} {'domain' if count == 1 else 'domains'}. "
                "Remove them first with 'provisioner domain remove'."
            )
        organisations.remove(self.connection, organisation_id)
        self._record("organisation.remove", organisation_id, settings_of(before))

    def add_domain(self, domain: Domain) -> None:
        """Add a domain. Raises UnknownOrganisation, and AlreadyExists where some organisation has it."""
        self._require_organisation(domain)
        if not domains.add(self.connection, domain):
            raise AlreadyExists(f"The domain {domain.name} is there already. Change it with 'provisioner domain set'.")
        self._record("domain.add", domain.name, settings_of(domain))

    def change_domain(self, domain: Domain) -> None:
        """Write ``domain`` over the one with its name. Raises UnknownDomain and UnknownOrganisation."""
        before = domains.find(self.connection, domain.name)
        if before is None:
            raise UnknownDomain(domain.name)
        self._require_organisation(domain)
        changes = _changes(settings_of(before), settings_of(domain))
        if changes:
            domains.change(self.connection, domain)
            self._record("domain.change", domain.name, changes)

    def remove_domain(self, name: str) -> None:
        """Remove a domain. Raises UnknownDomain, and StillInUse while a setup link of its people still opens."""
        before = domains.find(self.connection, name)
        if before is None:
            raise UnknownDomain(name)
        refuse_open_links(self.connection, name, now=self.clock())
        domains.remove(self.connection, name)
        self._record("domain.remove", name, settings_of(before))

    def _require_organisation(self, domain: Domain) -> None:
        if not organisations.is_kept(self.connection, domain.organisation_id):
            raise UnknownOrganisation(domain.organisation_id, organisations.all_ids(self.connection))

    def _record(self, action: str, subject: str, details: Mapping[str, Detail]) -> None:
        audit.record(
            self.connection, at=self.clock(), actor=self.actor, action=action, subject=subject, details=details
        )


def refuse_open_links(connection: Connection, domain: str, *, now: datetime) -> None:
    """Raise StillInUse while a setup link of the domain's people still opens."""
    count = sum(kind.count_not_closed(connection, domain=domain, now=now) for kind in (links, self_service))
    if count:
        raise StillInUse(
            f"The domain {domain} still has {count} open setup {'link' if count == 1 else 'links'}. Revoke them "
            f"first: 'provisioner link revoke --domain {domain}'."
        )


def foresee(connection: Connection, plan: Plan, *, now: datetime) -> None:
    """Return where ``plan`` could be carried out. Raises StillInUse with a line for each that cannot be removed."""
    refusals: list[str] = []
    for change in plan.changes:
        if isinstance(change.before, Domain) and change.after is None:
            try:
                refuse_open_links(connection, change.before.name, now=now)
            except StillInUse as refusal:
                refusals.append(str(refusal))
    if refusals:
        raise StillInUse("\n".join(refusals))


def carry_out(deeds: Deeds, plan: Plan) -> None:
    """Do what ``plan`` says, in its order. Raises StillInUse with a line for each that cannot be removed."""
    foresee(deeds.connection, plan, now=deeds.clock())
    for change in plan.changes:
        _carry_out(deeds, change)


def _carry_out(deeds: Deeds, change: Change) -> None:
    match change.before, change.after:
        case None, Organisation() as organisation:
            deeds.add_organisation(organisation)
        case Organisation(), Organisation() as organisation:
            deeds.change_organisation(organisation)
        case Organisation() as organisation, None:
            deeds.remove_organisation(organisation.id)
        case None, Domain() as domain:
            deeds.add_domain(domain)
        case Domain(), Domain() as domain:
            deeds.change_domain(domain)
        case _:
            deeds.remove_domain(id_of(change.entry))


def _changes(before: Mapping[str, Detail], after: Mapping[str, Detail]) -> dict[str, Detail]:
    """What differs, as setting -> [before, after]."""
    return {setting: [before[setting], after[setting]] for setting in after if differs(before[setting], after[setting])}
