"""What has to be done so that the directory becomes what a file declares: the difference, computed before it is made.

A plan is a value: the same two snapshots give the same plan, in the order in which it can be carried out.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from provisioner.directory.snapshot import Snapshot
from provisioner.organisation import Domain, Organisation
from provisioner.store import domains, organisations
from provisioner.store.audit import Detail

Entry = Organisation | Domain
Action = Literal["add", "change", "remove"]
Thing = Literal["organisation", "domain"]


@dataclass(frozen=True, slots=True)
class Change:
    """One organisation or domain that is added (nothing before), changed, or removed (nothing after)."""

    before: Entry | None
    after: Entry | None

    @property
    def action(self) -> Action:
        """What is done."""
        if self.before is None:
            return "add"
        return "change" if self.after is not None else "remove"

    @property
    def entry(self) -> Entry:
        """What it is done to, as it will be; as it was where it is removed."""
        entry = self.after or self.before
        assert entry is not None
        return entry

    @property
    def settings(self) -> Mapping[str, tuple[Detail, Detail]]:
        """What differs, as setting -> (before, after); None where there is no such entry."""
        before, after = (settings_of(entry) if entry else {} for entry in (self.before, self.after))
        return {
            name: (before.get(name), after.get(name))
            for name in after or before
            if differs(before.get(name), after.get(name))
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes in their order, and what stays although the file does not name it."""

    changes: tuple[Change, ...]
    left_alone: tuple[Entry, ...]


def make_plan(before: Snapshot, wanted: Snapshot, *, prune: bool) -> Plan:
    """The way from ``before`` to ``wanted``; with ``prune``, what ``wanted`` does not name is removed.

    Organisations come before the domains that need them, and go after the domains that needed them.
    """
    extra_domains = _extra(before.domains, wanted.domains)
    extra_organisations = _extra(before.organisations, wanted.organisations)
    changes = [
        *_changes(before.organisations, wanted.organisations),
        *_changes(before.domains, wanted.domains),
    ]
    if not prune:
        return Plan(tuple(changes), (*extra_organisations, *extra_domains))
    removals = [Change(entry, None) for entry in (*extra_domains, *extra_organisations)]
    return Plan((*changes, *removals), ())


def settings_of(entry: Entry) -> Mapping[str, Detail]:
    """Every setting of the entry, as the audit trail has it."""
    return organisations.values(entry) if isinstance(entry, Organisation) else domains.values(entry)


def thing_of(entry: Entry) -> Thing:
    """What kind of entry it is."""
    return "organisation" if isinstance(entry, Organisation) else "domain"


def id_of(entry: Entry) -> str:
    """The organisation's id or the domain's name."""
    return entry.id if isinstance(entry, Organisation) else entry.name


def differs(before: Detail, after: Detail) -> bool:
    """Whether two settings are written differently: 1 is not true, whatever Python says; a mapping has no order."""
    return json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True)


def _changes(before: Mapping[str, Entry], wanted: Mapping[str, Entry]) -> Iterator[Change]:
    for name in sorted(wanted):
        change = Change(before.get(name), wanted[name])
        if change.settings:
            yield change


def _extra(before: Mapping[str, Entry], wanted: Mapping[str, Entry]) -> list[Entry]:
    return [before[name] for name in sorted(before) if name not in wanted]
