"""What Prometheus reads at /metrics: requests by route and status, their time, turns, tools and exports."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST as MEDIA

SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


class Metrics:
    """The counters of one server process; each has a registry of its own."""

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
        return generate_latest(self.registry)


__all__ = ["MEDIA", "Metrics"]
