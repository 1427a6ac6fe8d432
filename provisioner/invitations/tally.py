"""What an import comes to, counted row by row: how many are invited, and what the administrator should look at."""

from collections import Counter
from dataclasses import dataclass, field

from provisioner.invitations.importing import Outcome
from provisioner.invitations.people import Why

_KEPT_IN_MIND = 1000  # rows and domains; a report has them all


@dataclass(slots=True)
class Tally:
    """The sums, and the first thousand rows that are left out or say something."""

    rows: int = 0
    last_line: int = 0
    results: Counter[str] = field(default_factory=Counter)
    left_out: Counter[Why] = field(default_factory=Counter)
    repeated: int = 0
    unknown_domains: Counter[str] = field(default_factory=Counter)
    notes: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one row."""
        self.rows += 1
        self.last_line = outcome.line
        self.results[outcome.result] += 1
        if outcome.why is not None:
            self.left_out[outcome.why] += 1
        elif outcome.reason:
            self.repeated += 1
        if outcome.domain and (outcome.domain in self.unknown_domains or len(self.unknown_domains) < _KEPT_IN_MIND):
            self.unknown_domains[outcome.domain] += 1
        if outcome.reason and len(self.notes) < _KEPT_IN_MIND:
            self.notes.append(outcome)

    @property
    def people(self) -> int:
        """How many people the list has that can be invited, each counted once."""
        return self.results["invited"] + self.results["kept"] - self.repeated

    @property
    def has_findings(self) -> bool:
        """Whether somebody has to mend a row."""
        return any(why.is_finding for why in self.left_out)
