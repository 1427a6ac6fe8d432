"""The pace: never more in any minute or any 24 hours than the mail server allows, and no slower than it may be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.sending import Pace

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(hours=24)
EXCHANGE_ONLINE = Pace(per_minute=30, per_day=10_000)


def times(pace: Pace, count: int) -> list[datetime]:
    """When each of ``count`` mails goes, sent as early as the pace lets them."""
    sent: list[datetime] = []
    for _ in range(count):
        full = sent[-pace.per_day] if len(sent) >= pace.per_day else None
        sent.append(pace.next_at(sent[-1] if sent else None, full, now=sent[-1] if sent else NOW))
    return sent


def most_within(sent: list[datetime], span: timedelta) -> int:
    """The most that fall into any half-open stretch of that length."""
    return max(sum(1 for each in sent if start <= each < start + span) for start in sent)


@given(per_minute=st.integers(1, 120), per_day=st.integers(1, 50), count=st.integers(1, 120))
def test_no_minute_and_no_day_holds_more_than_is_allowed(per_minute: int, per_day: int, count: int) -> None:
    sent = times(Pace(per_minute=per_minute, per_day=per_day), count)
    assert most_within(sent, MINUTE) <= per_minute
    assert most_within(sent, DAY) <= per_day


@given(per_minute=st.integers(1, 120), per_day=st.integers(1, 50), count=st.integers(1, 120), done=st.integers(0, 60))
def test_the_finish_that_is_foretold_is_the_one_that_comes(
    per_minute: int, per_day: int, count: int, done: int
) -> None:
    pace = Pace(per_minute=per_minute, per_day=per_day)
    sent = times(pace, done + count)
    now = sent[done - 1] if done else NOW
    tried = [each for each in sent[:done] if each > now - DAY]
    assert sent[-1] == pace.finish(count, tried=tried, now=now)


@pytest.mark.parametrize(
    ("count", "after"),
    [
        (1, timedelta(0)),
        (2, timedelta(seconds=2)),
        (31, timedelta(minutes=1)),
        (10_000, timedelta(seconds=2) * 9_999),
        (10_001, DAY),
        (100_000, 9 * DAY + timedelta(seconds=2) * 9_999),
    ],
)
def test_exchange_onlines_limits_give_the_finish(count: int, after: timedelta) -> None:
    assert NOW + after == EXCHANGE_ONLINE.finish(count, tried=[], now=NOW)


def test_a_pause_is_not_made_up_for() -> None:
    assert NOW + DAY == EXCHANGE_ONLINE.next_at(NOW, None, now=NOW + DAY)


def test_nothing_to_send_is_finished_now() -> None:
    assert NOW == EXCHANGE_ONLINE.finish(0, tried=[NOW], now=NOW)
