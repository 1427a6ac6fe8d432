"""Many processes that write people's files, in the people's order, in memory that does not grow with their number.

Processes start anew (spawn) and get everything they need once. A process whose parent is gone ends by itself: a killed
export leaves nothing running.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import parent_process
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from threading import Thread
from types import MappingProxyType
from typing import Any, TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")

_AHEAD = 2  # batches that wait for each process


def in_order(
    work: Callable[[_In], _Out], batches: Iterable[_In], *, processes: int, begin: Callable[..., None], given: Any
) -> Iterator[_Out]:
    """``work`` of each batch, in order, by as many processes; each has called ``begin(given)`` once.

    ``batches`` is asked for no more than the processes can take. What ``work`` raises is raised here.
    """
    ForkingPickler.register(MappingProxyType, _reduced)  # the facts are read-only mappings, which pickle does not know
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(begin, given)) as pool:
        waiting: deque[Future[_Out]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(work, batch))
                if len(waiting) >= processes * (1 + _AHEAD):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _reduced(mapping: "MappingProxyType[Any, Any]") -> tuple[Callable[..., Any], tuple[dict[Any, Any]]]:
    return _read_only, (dict(mapping),)


def _read_only(mapping: dict[Any, Any]) -> "MappingProxyType[Any, Any]":
    return MappingProxyType(mapping)


def _begin(begin: Callable[..., None], given: Any) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    begin(given)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None  # this runs in a process that was started
    wait([parent.sentinel])
    os._exit(1)
