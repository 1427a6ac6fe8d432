"""Tells an administrator which domains and hosts are asked for here and are not configured.

Strangers choose these names, so what is kept of them and said in the log is bounded: a flood of names costs as little
as a few.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_address
from threading import Lock

import structlog

from provisioner.address import normalise_domain
from provisioner.errors import InvalidDomain

MAX_NAMES = 100  # counted by themselves, in each process
MAX_LINES = 100  # of the log, in each period and process
PERIOD = timedelta(hours=1)
OTHER = "other"
INVALID = "invalid"  # a Host that is none may be an address or a token: it is counted and never repeated

_log = structlog.get_logger("provisioner.web")


class UnknownNames:
    """Counts the requests for each name and says each name in the log, once in each hour. Safe to share.

    ``count`` is told the name, or "other" once there are too many of them.
    """

    def __init__(self, kind: str, *, count: Callable[[str], None], clock: Callable[[], datetime]) -> None:
        """``kind`` ("domain", "host") is what the names are of; it stands in the event."""
        self._kind = kind
        self._count = count
        self._clock = clock
        self._lock = Lock()
        self._counted: set[str] = set()
        self._said: set[str] = set()
        self._period_ends = clock()

    def __call__(self, name: str) -> None:
        """Somebody asked for ``name``."""
        shown = _nameable(name)
        with self._lock:
            counted, new = self._remember(shown)
        self._count(counted)
        if new:
            _log.info(f"unknown_{self._kind}", **{self._kind: shown})

    def _remember(self, name: str) -> tuple[str, bool]:
        """What ``name`` is counted as, and whether the log is to say it."""
        now = self._clock()
        if now >= self._period_ends:
            self._said.clear()
            self._period_ends = now + PERIOD
        new = name not in self._said and len(self._said) < MAX_LINES
        if new:
            self._said.add(name)
        if len(self._counted) < MAX_NAMES:
            self._counted.add(name)
        return (name if name in self._counted else OTHER), new


def _nameable(name: str) -> str:
    """``name`` as a domain in A-labels or an IP address, or "invalid"."""
    try:
        return normalise_domain(name)
    except InvalidDomain:
        pass
    try:
        return str(ip_address(name.strip("[]")))
    except ValueError:
        return INVALID
