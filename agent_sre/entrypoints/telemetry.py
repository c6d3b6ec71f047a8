"""The service's own metrics, on a registry of their own.

Labels have a handful of fixed values each: never a name, a message or anything else that comes from outside, so a
storm of alerts cannot become a storm of series. Handed to the webhooks, the worker and ``/metrics`` by the
composition root.
"""

from collections.abc import Mapping
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest

from agent_sre.domain.incident import IncidentStatus

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_SLOW = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


class Intake(StrEnum):
    """What became of one request to a webhook."""

    ACCEPTED = "accepted"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    UNAUTHORIZED = "unauthorized"
    OVER_QUOTA = "over_quota"
    UNAVAILABLE = "unavailable"
    GONE = "gone"


class Advance(StrEnum):
    """How one stretch of an investigation ended."""

    DONE = "done"
    RETRY = "retry"
    FAILED = "failed"


class Telemetry:
    """Counters, histograms and gauges; one per process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = self._counter("webhook_requests", "Requests to alert webhooks.", "source", "outcome")
        self._alerts = self._counter("alerts_accepted", "Alert messages committed to the inbox.", "source")
        self._accept = self._histogram(
            "accept_seconds", "Time from a webhook's request to its answer.", _FAST, "source"
        )
        self._folded = self._counter("alerts_folded", "Alert messages handed to an incident.")
        self._fold = self._histogram("fold_seconds", "Time to fold what waited in the inbox.", _FAST)
        self._advances = self._counter("advances", "Stretches of investigations.", "outcome")
        self._advance = self._histogram("advance_seconds", "Time of one stretch of an investigation.", _SLOW)
        self._lag = self._histogram("worker_lag_seconds", "Time from an incident's due time to its start.", _SLOW)
        self._running = self._gauge("investigations_running", "Investigations under way in this process.")
        self._beat = self._gauge("worker_last_loop_timestamp_seconds", "When the worker's loop last went round.")
        self._errors = self._counter("unforeseen_errors", "Errors that ended at a last resort.", "where")
        self._intake: dict[tuple[str, Intake], tuple[Counter, Histogram, Counter]] = {}
        self._incidents = self._gauge("incidents", "Incidents by status, among the newest thousand.", "status")

    def request(self, source: str, outcome: Intake, seconds: float, alerts: int = 0) -> None:
        """Count one webhook request. ``source`` must be one of the routes' fixed names."""
        children = self._intake.get((source, outcome))
        if children is None:  # looking a child up by its labels takes longer than counting in it
            children = (
                self._requests.labels(source, outcome.value),
                self._accept.labels(source),
                self._alerts.labels(source),
            )
            self._intake[source, outcome] = children
        requests, accept, accepted = children
        requests.inc()
        accept.observe(seconds)
        if alerts:
            accepted.inc(alerts)

    def folded(self, alerts: int, seconds: float) -> None:
        """Count alerts that were handed to incidents."""
        if alerts:
            self._folded.inc(alerts)
            self._fold.observe(seconds)

    def started(self, lag_seconds: float) -> None:
        """An investigation begins or goes on, so long after it was due."""
        self._lag.observe(max(lag_seconds, 0.0))
        self._running.inc()

    def advanced(self, outcome: Advance, seconds: float) -> None:
        """Count the end of what ``started`` began."""
        self._running.dec()
        self._advances.labels(outcome.value).inc()
        self._advance.observe(seconds)

    def beat(self, timestamp: float) -> None:
        """The worker's loop went round; seconds since the epoch."""
        self._beat.set(timestamp)

    def unforeseen(self, where: str) -> None:
        """Count an error that nobody expected. ``where`` is a fixed name."""
        self._errors.labels(where).inc()

    def incidents(self, counts: Mapping[IncidentStatus, int]) -> None:
        """Set how many incidents stand where; a status that is not named has none."""
        for status in IncidentStatus:
            self._incidents.labels(status.value).set(counts.get(status, 0))

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace="agent_sre", registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, namespace="agent_sre", registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, namespace="agent_sre", registry=self.registry, buckets=buckets)
