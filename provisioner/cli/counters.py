"""Gives the worker processes of one service a place to count together, so that any of them can tell the sums.

prometheus_client, multiprocess mode: each process keeps its counters in a file of the directory that a variable names,
and reads the variable when it is imported. So the place is there before the workers are.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_counters(place: Path) -> Iterator[None]:
    """A directory in ``place`` for the counters of every process that is forked meanwhile."""
    parent = os.getpid()
    directory = mkdtemp(prefix="provisioner-counters-", dir=place)
    os.environ[_VARIABLE] = directory
    try:
        yield
    finally:
        if os.getpid() == parent:  # the workers come by here too, when they end
            del os.environ[_VARIABLE]
            shutil.rmtree(directory, ignore_errors=True)
