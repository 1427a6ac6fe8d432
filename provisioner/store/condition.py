"""Whether reading or writing works, as the log tells it: one line when it stops, one when it works again.

Under load a database that is locked or gone fails every request; a line for each would bury the reason.
"""

import structlog

from provisioner.errors import StoreUnavailable

_log = structlog.get_logger(__name__)


class Condition:
    """How one kind of access, "reading" or "writing", has gone lately. Safe to share between threads."""

    def __init__(self, access: str) -> None:
        self._access = access
        self._reason: str | None = None
        self._told: set[str] = set()

    def failed(self, failure: StoreUnavailable) -> None:
        """Tell the reason where it is new. A row that cannot be read is told once: the rest still works."""
        if failure.reason == "unreadable":
            if str(failure) not in self._told:
                self._told.add(str(failure))
                _log.error("row_unreadable", reason=str(failure))
            return
        before, self._reason = self._reason, failure.reason
        if before != failure.reason:
            _log.error("store_unavailable", access=self._access, reason=failure.reason, message=str(failure))

    def worked(self) -> None:
        """Tell that it works again, where it did not."""
        before, self._reason = self._reason, None
        if before is not None:
            _log.info("store_available", access=self._access)
