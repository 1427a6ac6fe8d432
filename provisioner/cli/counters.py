"""Gives the worker processes of one service a place to count together, so that any of them can tell the sums.

prometheus_client, multiprocess mode: each process keeps its counters in a file of the directory that a variable names,
and reads the variable when it is imported. So the place is there before the workers are. A lock that all of them hold
tells a place in use from one that was left behind by a sudden end.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "provisioner-counters-"


@contextmanager
def shared_counters(place: Path) -> Iterator[None]:
    """A directory in ``place`` for the counters of every process that is forked meanwhile."""
    _remove_forgotten(place)
    parent = os.getpid()
    directory, lock = _make(place)
    os.environ[_VARIABLE] = str(directory)
    try:
        yield
    finally:
        if os.getpid() == parent:  # the workers come by here too, when they end
            del os.environ[_VARIABLE]
            shutil.rmtree(directory, ignore_errors=True)
            os.close(lock)


def _make(place: Path) -> tuple[Path, int]:
    """A new directory and its lock, which is the workers' too (flock: it ends with the last process that has it)."""
    while True:
        directory = Path(mkdtemp(prefix=_PREFIX, dir=place))
        lock = _open(directory)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if directory.exists():
            return directory, lock
        os.close(lock)  # another service has taken it for forgotten in the moment before it was locked


def _remove_forgotten(place: Path) -> None:
    """Remove what services of the same user, killed since, have left here."""
    for directory in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # in use, somebody else's, or gone meanwhile
            lock = _open(directory)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(lock)


def _open(directory: Path) -> int:
    return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
