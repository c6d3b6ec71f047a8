"""``PrometheusMetrics``: the MetricsReader over Prometheus' HTTP API."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from agent_sre.adapters.metrics_prometheus.connection import Connection, PrometheusOptions
from agent_sre.adapters.metrics_prometheus.exemplars import read_exemplars
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Exemplar, Series
from agent_sre.ports.metrics import MetricsAnswer

_SHOWN = timedelta(hours=1)
"""How much time before a moment the link to a query of that moment shows."""
_SELECTOR = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})?')
"""A metric's name, with matchers or without: what a range can be put behind."""


class PrometheusMetrics:
    """Queries are sent as forms, because selectors may be longer than a URL. Times keep their fractions of a second."""

    def __init__(
        self,
        options: PrometheusOptions,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.connection = Connection(options, sleep)
        # The store need not work on what nobody waits for any more. Prometheus before 2.55 and others know no limit and
        # take no notice of it.
        self._bounds = {"timeout": f"{options.timeout_seconds:g}", "limit": str(options.max_series + 1)}

    async def query(self, expression: str, at: datetime) -> MetricsAnswer:
        """``/api/v1/query``."""
        answer = await self._asked("query", {"query": expression, "time": _seconds(at)})
        return self._linked(answer, expression, Window(at - _SHOWN, at))

    async def query_range(self, expression: str, window: Window, step: timedelta) -> MetricsAnswer:
        """``/api/v1/query_range``; for a plain selector its raw samples, where the back end does not refuse so many."""
        if _SELECTOR.fullmatch(expression):
            milliseconds = max(1, round(window.length.total_seconds() * 1000))
            fields = {"query": f"{expression}[{milliseconds}ms]", "time": _seconds(window.end)}
            try:
                return self._linked(await self._asked("query", fields), expression, window)
            except PermanentError:
                # Refused for its size, most likely; the steps below need fewer samples, and say so if they are refused.
                pass
        fields = {
            "query": expression,
            "start": _seconds(window.start),
            "end": _seconds(window.end),
            "step": f"{step.total_seconds():g}",
        }
        return self._linked(await self._asked("query_range", fields), expression, window)

    async def metric_names(self, window: Window) -> frozenset[str]:
        """``/api/v1/label/__name__/values`` in the window."""
        fields = {"start": _seconds(window.start), "end": _seconds(window.end)}
        reply = await self.connection.ask("GET", "label/__name__/values", fields)
        return frozenset(str(name) for name in _listed(reply.data))

    async def exemplars(self, selector: str, window: Window) -> tuple[Exemplar, ...]:
        """``/api/v1/query_exemplars``: Prometheus' and Mimir's; without exemplar storage the answer is empty."""
        fields = {"query": selector, "start": _seconds(window.start), "end": _seconds(window.end)}
        reply = await self.connection.ask("POST", "query_exemplars", fields)
        return read_exemplars(reply.data if reply.data is not None else [])

    async def rules(self) -> tuple[Mapping[str, Any], ...]:
        """Alerting rules of all groups, each with its ``group``; recording rules are left out."""
        reply = await self.connection.ask("GET", "rules", {"type": "alert"})
        groups = _listed(_field(reply.data, "groups"))
        return tuple(
            {**rule, "group": group.get("name", "")}
            for group in groups
            if isinstance(group, Mapping)
            for rule in group.get("rules") or ()
            if rule.get("type") == "alerting"
        )

    async def alerts(self) -> tuple[Mapping[str, Any], ...]:
        """Active alerts, pending ones included."""
        reply = await self.connection.ask("GET", "alerts")
        return tuple(item for item in _listed(_field(reply.data, "alerts")) if isinstance(item, Mapping))

    async def close(self) -> None:
        """Close the connections."""
        await self.connection.close()

    def _linked(self, answer: MetricsAnswer, expression: str, window: Window) -> MetricsAnswer:
        return replace(answer, link=self.connection.options.links.to(expression, window))

    async def _asked(self, path: str, fields: Mapping[str, str]) -> MetricsAnswer:
        reply = await self.connection.ask_series(path, {**fields, **self._bounds})
        kind, result = _field(reply.data, "resultType"), _field(reply.data, "result")
        try:
            if kind == "scalar":
                return MetricsAnswer((Series.of("", {}, [_point(result)]),), reply.warnings)
            if kind in {"vector", "matrix"}:
                _listed(result)
                return MetricsAnswer(reply.series, reply.warnings)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise PermanentError(f"Prometheus' answer of type {kind} is not well formed: {error}") from None
        raise PermanentError(f"an expression of type {kind!r} gives no metrics; expected a vector, matrix or scalar")


def _point(pair: Any) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])


def _seconds(at: datetime) -> str:
    """Seconds since the epoch, to the millisecond, which is what Prometheus stores."""
    return f"{at.timestamp():.3f}"


def _field(data: Any, name: str) -> Any:
    if not isinstance(data, Mapping) or name not in data:
        raise PermanentError(f"Prometheus' answer has no {name!r}; is it a Prometheus API?")
    return data[name]


def _listed(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise PermanentError(f"Prometheus' answer holds {type(data).__name__} where a list belongs")
    return data
