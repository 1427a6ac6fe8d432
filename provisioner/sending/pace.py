"""How fast mails may go: so many in a minute and so many in a day, as the mail server allows.

A day is any 24 hours that end now, counted from the attempts that are stored, so that a restart forgets none. A
minute's mails are spread evenly, so that no minute, wherever it begins, holds more of them.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_MICROSECONDS_OF_A_MINUTE = 60_000_000
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Pace:
    """At most ``per_minute`` and ``per_day`` mails, both 1 or more."""

    per_minute: int
    per_day: int

    @property
    def _between_two(self) -> timedelta:
        """Rounded up, so that a minute never holds one more."""
        return timedelta(microseconds=-(-_MICROSECONDS_OF_A_MINUTE // self.per_minute))

    def next_at(self, newest: datetime | None, oldest_that_counts: datetime | None, *, now: datetime) -> datetime:
        """When the next mail may go: ``now`` or later.

        ``newest`` is when the last one was tried, ``oldest_that_counts`` when the ``per_day``-th last one was.
        """
        after_newest = now if newest is None else newest + self._between_two
        after_day = now if oldest_that_counts is None else oldest_that_counts + DAY
        return max(now, after_newest, after_day)

    def finish(self, count: int, *, tried: Sequence[datetime], now: datetime) -> datetime:
        """When the last of ``count`` more mails goes, after those ``tried`` in the last 24 hours, the oldest first."""
        times = deque(tried, maxlen=self.per_day)
        at = now
        for _ in range(count):
            full = times[0] if len(times) == self.per_day else None
            at = self.next_at(times[-1] if times else None, full, now=at)
            times.append(at)
        return at
