"""Inviting a list of people batch by batch: each batch is one transaction, and so is done or not done at all.

A person who is on the list again is the same person, and the last row counts. Whoever was invited by an earlier run
of the same list keeps the open link of that run, so that running it again finishes it and does nothing twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from provisioner.errors import StoreUnavailable, printable
from provisioner.invitations.people import LeftOut, Listed, Why
from provisioner.invitations.repeats import Repeats
from provisioner.links import Invited
from provisioner.store.invitations import Person

BATCH = 500  # rows; a service that shares the database waits for as long as one batch is written

# Seconds between the tries while somebody else holds the database: another import, or a backup.
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

Invite = Callable[[Sequence[Person]], Mapping[str, Invited]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row. ``reason`` is a sentence: why it is left out, or that an earlier row is replaced."""

    line: int
    address: str  # empty where the row tells none
    result: str  # invited, kept or left out
    column: str
    reason: str
    why: Why | None  # where it is left out
    domain: str = ""  # where it is not configured


def invite_in_batches(
    rows: Iterable[Listed | LeftOut], invite: Invite, *, pause: Callable[[float], None], size: int = BATCH
) -> Iterator[Sequence[Outcome]]:
    """Invite everybody on the list; gives the outcomes of each batch, in the order of the rows, when it is stored.

    ``invite`` is ``Links.invite`` with its terms, or ``Links.foresee``. While the database is locked, it is tried
    again for some twenty seconds, waiting with ``pause``. Raises StoreUnavailable; what was given then is stored.
    """
    repeats = Repeats()
    entries = iter(rows)
    while batch := list(islice(entries, size)):
        invited = _tried(invite, [entry.person for entry in batch if isinstance(entry, Listed)], pause)
        yield [_outcome(entry, invited, repeats) for entry in batch]


def _tried(invite: Invite, people: Sequence[Person], pause: Callable[[float], None]) -> Mapping[str, Invited]:
    if not people:
        return {}
    for seconds in _PAUSES:
        try:
            return invite(people)
        except StoreUnavailable as failure:
            if failure.reason != "locked":
                raise
        pause(seconds)
    return invite(people)


def _outcome(entry: Listed | LeftOut, invited: Mapping[str, Invited], repeats: Repeats) -> Outcome:
    if isinstance(entry, LeftOut):
        return Outcome(entry.line, "", "left out", entry.column, entry.reason, entry.why)
    account = entry.person.account
    result = invited[account.key]
    if result is Invited.UNKNOWN_DOMAIN:
        reason = f"The domain {printable(account.domain)} is not configured here. 'provisioner domain add' adds it."
        why = Why.UNKNOWN_DOMAIN
        return Outcome(entry.line, account.address, "left out", entry.column, reason, why, domain=account.domain)
    earlier = repeats.replace(account.key, entry.line)
    if earlier:
        reason = f"The same person as in line {earlier}; this line counts."
        return Outcome(entry.line, account.address, Invited.KEPT_LINK.value, entry.column, reason, None)
    return Outcome(entry.line, account.address, result.value, "", "", None)
