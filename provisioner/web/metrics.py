"""Counts requests, and the unknown domains and hosts that were asked for, in the words of Prometheus.

prometheus.io: exposition formats, metric and label naming. Every label has a bounded number of values. Where several
worker processes serve, their counters lie as files in one directory, which the variable PROMETHEUS_MULTIPROC_DIR names
(prometheus_client, multiprocess mode): so each of them tells the sums of all, whichever is asked.
"""

import os
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """The counters of one web site."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "provisioner_requests",
            "Requests by the name of what was asked for (none: nothing has that path) and the status of the answer.",
            ["route", "status"],
            registry=self._registry,
        )
        self._requests_of = lru_cache(maxsize=1024)(self._requests.labels)  # finding one's counter costs a lock
        self._unknown = Counter(
            "provisioner_unknown",
            "Requests for what is not configured: a mail domain, or a host that is not the public URL's.",
            ["kind", "name"],
            registry=self._registry,
        )

    def count_request(self, route: str, status: int) -> None:
        """One request more."""
        self._requests_of(route, status).inc()

    def count_unknown(self, kind: str, name: str) -> None:
        """One request more for an unknown ``name``; the caller keeps their number small."""
        self._unknown.labels(kind, name).inc()

    def page(self) -> bytes:
        """All counters, as ``MEDIA_TYPE``."""
        return generate_latest(_all_workers() if "PROMETHEUS_MULTIPROC_DIR" in os.environ else self._registry)


def _all_workers() -> CollectorRegistry:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no types
    return registry
