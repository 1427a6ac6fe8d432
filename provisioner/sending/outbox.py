"""The mails that wait, one for each invitation's newest open link, and the rules by which one is taken and settled.

What becomes of a mail is written down before and after it is handed over: whatever happens in between, it is known that
it may have been sent.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioner.sending.pace import DAY, Pace
from provisioner.sending.relay import Fate, Outcome
from provisioner.store import Connection, Store, audit
from provisioner.store import outbox as rows
from provisioner.store.outbox import TakenMail

_TASK = "send"
_ROWS_AT_A_TIME = 2000  # others write in between
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=4)
# How far another sender's clock may be ahead; an attempt later than that was made while a clock was wrong.
_AHEAD = timedelta(minutes=1)
_GONE = "The program ended while the mail was handed over."
_STATES = {Fate.SENT: rows.SENT, Fate.REFUSED: rows.REFUSED, Fate.UNSURE: rows.UNSURE, Fate.DEFERRED: rows.QUEUED}


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many mails wait, when the last of them goes, and of how many the link will have expired by then."""

    count: int
    finish: datetime
    expired_by_then: int = 0


class Outbox:
    """The outbox of one store. Every method raises StoreUnavailable where the store does not answer."""

    def __init__(self, store: Store, *, pace: Pace, host: str, clock: Callable[[], datetime], actor: str) -> None:
        """``host`` is the right side of the mails' Message-IDs; ``actor`` the name in the audit trail."""
        self._store = store
        self._pace = pace
        self._host = host
        self._clock = clock
        self._actor = actor

    @contextmanager
    def opened(self, *, domain: str | None, retry_unsure: bool = False, retry_refused: bool = False) -> Iterator[int]:
        """Everything that waits is queued, and this process is a sender while the block runs.

        What a sender that is gone left half done becomes unsure; gives how many mails that are. Unsure and refused
        mails are queued again where that is asked for.
        """
        abandoned: list[int] = []
        with self._store.joining(_TASK, alone=lambda: abandoned.append(self._abandon())):
            again = [(rows.UNSURE, retry_unsure), (rows.REFUSED, retry_refused)]
            with self._store.write() as connection:
                for state in (state for state, wanted in again if wanted):
                    rows.queue_again(connection, state, domain=domain, at=self._clock())
                rows.drop_outdated(connection, now=self._clock())
            while self._queue_some(domain) == _ROWS_AT_A_TIME:
                pass
            yield 0 if retry_unsure else sum(abandoned)

    def forecast(self, *, domain: str | None, limit: int | None = None, more: tuple[str, ...] = ()) -> Forecast:
        """What would be sent now, of which those in the states ``more`` are a part; changes nothing."""
        now, states = self._clock(), (rows.QUEUED, *more)
        with self._store.read() as connection:
            count = rows.count_waiting(connection, states, domain=domain, now=now)
            count = count if limit is None else min(count, limit)
            tried = rows.attempts_between(connection, now - DAY, now + _AHEAD)
            finish = self._pace.finish(count, tried=tried, now=now)
            closed = rows.count_waiting(connection, states, domain=domain, now=now, closed_by=finish)
        return Forecast(count, finish, min(closed, count))

    def take(self, *, domain: str | None) -> TakenMail | datetime | None:
        """The next mail, which nobody else gets; or when one may go, where it is too early; None where none is due."""
        now = self._clock()
        with self._store.write() as connection:
            rows.wait_for_turn(connection)
            earliest = self._earliest(connection, now)
            if earliest <= now:
                return rows.take(connection, domain=domain, now=now)
            return earliest if rows.is_due(connection, domain=domain, now=now) else None

    def settle(self, mail: TakenMail, outcome: Outcome, *, domain: str) -> None:
        """Write down the fate of a mail that was handed over; a deferred one is tried again after a pause."""
        now = self._clock()
        pause = min(_FIRST_PAUSE * 2 ** min(mail.attempts - 1, 10), _LONGEST_PAUSE)
        due_at = now + pause if outcome.fate is Fate.DEFERRED else now
        details = {"domain": domain, "outcome": outcome.fate.value}
        with self._store.write() as connection:
            rows.settle(connection, mail.id, state=_STATES[outcome.fate], at=now, due_at=due_at, problem=outcome.reason)
            audit.record(
                connection, at=now, actor=self._actor, action="mail.send", subject=mail.link_id, details=details
            )

    def give_back(self, mail: TakenMail, *, problem: str = "", later: bool = False) -> None:
        """Queue a mail that was not handed over; ``later``, so that it does not stand in the way of the others."""
        now = self._clock()
        with self._store.write() as connection:
            due_at = now + _FIRST_PAUSE if later else now
            rows.give_back(connection, mail.id, at=now, due_at=due_at, problem=problem)

    def drop(self, mail: TakenMail) -> None:
        """Forget a mail whose link has closed since it was queued."""
        with self._store.write() as connection:
            rows.drop(connection, mail.id)

    def next_due(self, *, domain: str | None) -> datetime | None:
        """When the first of those that still wait is due; None where none waits."""
        with self._store.read() as connection:
            return rows.next_due(connection, domain=domain)

    def _abandon(self) -> int:
        with self._store.write() as connection:
            return rows.abandon_sending(connection, at=self._clock(), problem=_GONE)

    def _queue_some(self, domain: str | None) -> int:
        with self._store.write() as connection:
            rows.wait_for_turn(connection)
            return rows.queue_missing(
                connection, domain=domain, host=self._host, now=self._clock(), limit=_ROWS_AT_A_TIME
            )

    def _earliest(self, connection: Connection, now: datetime) -> datetime:
        newest = rows.newest_attempt(connection, until=now + _AHEAD)
        full = rows.newest_attempt(connection, until=now + _AHEAD, number=self._pace.per_day)
        return self._pace.next_at(newest, full, now=now)
