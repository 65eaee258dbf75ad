"""What Prometheus reads at /metrics: requests by route and status, their time, turns, tools and exports.

Processes that serve one port count together (prometheus_client's multiprocess mode): each in files of its own in one
folder, and whichever is asked tells the sum. What a process has counted that has ended since stays in the sum, so that no
counter goes back while the server runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST as MEDIA
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Read by prometheus_client when it is imported."""
SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


@contextmanager
def counting_together() -> Iterator[None]:
    """The processes that this one starts in the block count together, from nothing, in a folder of this machine's."""
    with TemporaryDirectory(prefix="segassist-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ[FOLDER_VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER_VARIABLE]


class Metrics:
    """The counters of one server process, or of all that count together; each has a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "segassist_requests", "HTTP requests", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "segassist_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=self.registry
        )
        self._actions = Counter(
            "segassist_actions", "Entries of the audit log", ["action", "via"], registry=self.registry
        )
        self._exported = Counter(
            "segassist_exported_customers", "Customers exported one by one", registry=self.registry
        )

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request, counted by its route's pattern."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def action(self, action: str, via: str, count: int = 0) -> None:
        """One entry of the audit log, with the number of customers exported."""
        self._actions.labels(action, via).inc()
        self._exported.inc(count)

    def text(self) -> bytes:
        """The exposition."""
        folder = os.environ.get(FOLDER_VARIABLE)
        if not folder:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together, folder)
        return generate_latest(together)


__all__ = ["MEDIA", "Metrics", "counting_together"]
