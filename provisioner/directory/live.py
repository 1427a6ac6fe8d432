"""The snapshot that is served: read in the background, and kept as it was while it cannot be read whole.

Better the directory of some minutes ago than none; so the time of the last good reading is what tells how fresh it is.
"""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Lock, Thread

import structlog

from provisioner.directory.snapshot import Servable, Snapshot
from provisioner.errors import StoreUnavailable

_log = structlog.get_logger(__name__)


class LiveSnapshot:
    """What ``load`` read last, in memory. Safe to share between threads."""

    def __init__(self, load: Callable[[], Servable], *, clock: Callable[[], datetime]) -> None:
        self._load = load
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._read_at: datetime | None = None
        self._faults: tuple[str, ...] = ()
        self._loading = Lock()
        self._keeper: int | None = None  # the process whose thread keeps the snapshot fresh
        self._closed = Event()

    def snapshot(self) -> Snapshot:
        """The last one. Raises StoreUnavailable where none was read yet and none can be."""
        return self._snapshot or self._first()

    def read_at(self) -> datetime | None:
        """When the directory was last read and nothing was wrong with it; None where that never was."""
        return self._read_at

    def refresh(self) -> None:
        """Read again; where that fails, or something read cannot be served, the last snapshot stays."""
        with self._loading:
            try:
                self._take(self._load())
            except StoreUnavailable as failure:
                self._tell((str(failure),))

    def keep_fresh(self, every: timedelta) -> None:
        """Refresh in the background until ``close``. Call it in each process: threads do not live through a fork."""
        if self._keeper == os.getpid():
            return
        self._keeper = os.getpid()
        self._loading = Lock()  # the thread that held the old one may be in another process
        self._start_keeping(every)

    def close(self) -> None:
        """End the refreshing in the background; it runs out within one interval."""
        self._closed.set()

    def _start_keeping(self, every: timedelta) -> None:
        Thread(target=self._keep_fresh, args=(every,), name="directory", daemon=True).start()

    def _keep_fresh(self, every: timedelta) -> None:
        try:
            while not self._closed.wait(every.total_seconds()):
                self.refresh()
        finally:
            if (
                not self._closed.is_set()
            ):  # a mistake of ours ends this thread with its traceback, and not the refreshing
                self._start_keeping(every)

    def _first(self) -> Snapshot:
        with self._loading:
            if self._snapshot is None:
                self._take(self._load())
            assert self._snapshot is not None
            return self._snapshot

    def _take(self, read: Servable) -> None:
        if not read.faults:
            self._read_at = self._clock()
        if self._snapshot is None or not read.faults:  # a process that starts now serves what can be served
            self._snapshot = read.snapshot
        self._tell(read.faults)

    def _tell(self, faults: tuple[str, ...]) -> None:
        """Log each fault when it appears, and that there is none any more."""
        before, self._faults = self._faults, faults
        for fault in faults:
            if fault not in before:
                _log.error("directory_stale", reason=fault)
        if before and not faults:
            _log.info("directory_fresh")
