"""Metrics, as Prometheus and what speaks its API give them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Exemplar, Series


@runtime_checkable
class Partial(Protocol):
    """An answer that knows what it lacks: ``missing`` says which of several sources did not answer, and why."""

    @property
    def missing(self) -> tuple[str, ...]:
        """One sentence for each; empty where all answered."""
        ...


@dataclass(frozen=True, slots=True)
class MetricsAnswer:
    """Series and the warnings the back end sent with them. NaN samples are kept; absent is not zero.

    ``missing`` as in Partial: where it is not empty, a series that is not here may exist all the same. ``link`` is
    where a person can look at the same query, or "".
    """

    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    link: str = ""


class MetricNames(frozenset[str]):
    """Names of metrics, with what is missing."""

    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Iterable[str], missing: tuple[str, ...]) -> "MetricNames":
        """Build from names and the sources that gave none."""
        found = cls(names)
        found.missing = missing
        return found


class Listing(tuple[Mapping[str, Any], ...]):
    """Rules or alerts, with what is missing."""

    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, items: Iterable[Mapping[str, Any]], missing: tuple[str, ...]) -> "Listing":
        """Build from items and the sources that gave none."""
        found = cls(items)
        found.missing = missing
        return found


class MetricsReader(Protocol):
    """Read-only queries. An expression the back end cannot evaluate raises PermanentError naming the construct."""

    async def query(self, expression: str, at: datetime) -> MetricsAnswer:
        """Instant query: each series holds one sample (a scalar is a series without labels).

        A bare range selector (``name[5m]``) gives the raw samples of its range.
        """
        ...

    async def query_range(self, expression: str, window: Window, step: timedelta) -> MetricsAnswer:
        """Range query at a fixed step; a plain selector gives the raw samples of the window instead.

        Raw samples show an onset to the scrape, and a short history whole. Where they are too many for the back end, it
        gives a selector's values at the steps.
        """
        ...

    async def metric_names(self, window: Window) -> frozenset[str]:
        """Names of all metrics that have samples in the window."""
        ...

    async def exemplars(self, selector: str, window: Window) -> tuple[Exemplar, ...]:
        """Requests that the series of a plain selector counted in the window, by their traces, oldest first.

        Empty where the back end keeps none; PermanentError where it does not know the question.
        """
        ...

    async def rules(self) -> tuple[Mapping[str, Any], ...]:
        """Alerting rules as ``/api/v1/rules?type=alert`` lists them (name, query, duration, labels, state, ...)."""
        ...

    async def alerts(self) -> tuple[Mapping[str, Any], ...]:
        """Active alerts as ``/api/v1/alerts`` lists them (labels, state, activeAt, value)."""
        ...
