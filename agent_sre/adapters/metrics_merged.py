"""Several metric stores as one: a Prometheus per cluster, a Thanos above them, a Mimir of another team.

All are asked side by side, each under its own time limit. What one of them does not answer is named in ``missing``: an
answer from the others is worth having, and silence must not look like health. One that failed while nothing else it was
asked in the meantime succeeded is left alone for a moment, because every question would otherwise wait for it again
and the others' answers would come too late for the collector that asked.

Series are kept as they are. Only where two instances give the same name and labels is a label added that says where
each comes from; where their samples are the same too, or one is the other with more labels (what Thanos or federation
makes of it), it is one series and kept once: counting it twice would double rates.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from agent_sre.domain.errors import AgentSreError, PermanentError, TemporaryError
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Exemplar, Series
from agent_sre.ports.metrics import Listing, MetricNames, MetricsAnswer, MetricsReader

T = TypeVar("T")
SOURCE_LABEL = "metrics_source"
REST_SECONDS = 15.0


@dataclass(slots=True)
class _Instance:
    name: str
    reader: MetricsReader
    answered_at: float = float("-inf")
    rests_until: float = float("-inf")
    failure: AgentSreError | None = None


class MergedMetrics:
    """MetricsReader over named others. Raises only where none of them answers."""

    def __init__(
        self,
        readers: Mapping[str, MetricsReader],
        monotonic: Callable[[], float] = time.monotonic,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self._instances = [_Instance(name, reader) for name, reader in readers.items()]
        self._monotonic = monotonic
        self._rest = rest_seconds

    async def query(self, expression: str, at: datetime) -> MetricsAnswer:
        """Instant query of all."""
        return _merged(*await self._ask(lambda reader: reader.query(expression, at)))

    async def query_range(self, expression: str, window: Window, step: timedelta) -> MetricsAnswer:
        """Range query of all."""
        return _merged(*await self._ask(lambda reader: reader.query_range(expression, window, step)))

    async def metric_names(self, window: Window) -> MetricNames:
        """The names that any has."""
        found, missing = await self._ask(lambda reader: reader.metric_names(window))
        return MetricNames.of((name for names in found.values() for name in names), missing)

    async def exemplars(self, selector: str, window: Window) -> tuple[Exemplar, ...]:
        """The exemplars of all, each trace's once for each metric and moment."""
        found, _ = await self._ask(lambda reader: reader.exemplars(selector, window))
        once = {(item.metric, item.trace_id, item.time, item.value): item for items in found.values() for item in items}
        return tuple(sorted(once.values(), key=lambda item: item.time))

    async def rules(self) -> Listing:
        """The rules of all, each once: replicas and a ruler above them have the same."""
        found, missing = await self._ask(lambda reader: reader.rules())
        return Listing.of(_distinct(found, ("name", "query", "duration", "labels")), missing)

    async def alerts(self) -> Listing:
        """The active alerts of all, each once."""
        found, missing = await self._ask(lambda reader: reader.alerts())
        return Listing.of(_distinct(found, ("labels", "state")), missing)

    async def _ask(self, question: Callable[[MetricsReader], Awaitable[T]]) -> tuple[dict[str, T], tuple[str, ...]]:
        """The answers by instance, and what is missing. Raises where nobody answers."""
        answers = await asyncio.gather(*(self._one(instance, question) for instance in self._instances))
        found: dict[str, T] = {}
        failed: dict[str, AgentSreError] = {}
        for instance, answer in zip(self._instances, answers, strict=True):
            if isinstance(answer, AgentSreError):
                failed[instance.name] = answer
            else:
                found[instance.name] = answer
        missing = tuple(f"metrics instance {name!r} is missing: {error}" for name, error in failed.items())
        if not found:
            passing = any(isinstance(error, TemporaryError) for error in failed.values())
            raise (TemporaryError if passing else PermanentError)("; ".join(missing))
        return found, missing

    async def _one(self, instance: _Instance, question: Callable[[MetricsReader], Awaitable[T]]) -> T | AgentSreError:
        begun = self._monotonic()
        if instance.failure is not None and begun < instance.rests_until:
            return instance.failure
        try:
            answer = await question(instance.reader)
        except TemporaryError as error:
            if instance.answered_at < begun:  # else only this question was too much for it
                instance.failure, instance.rests_until = error, self._monotonic() + self._rest
            return error
        except PermanentError as error:
            instance.answered_at = self._monotonic()
            return error
        instance.answered_at, instance.failure = self._monotonic(), None
        return answer


def _merged(found: Mapping[str, MetricsAnswer], missing: tuple[str, ...]) -> MetricsAnswer:
    told = dict.fromkeys(f"{name}: {text}" for name, answer in found.items() for text in answer.warnings)
    if len(found) == 1:
        (answer,) = found.values()
        return MetricsAnswer(answer.series, tuple(told), missing, answer.link)
    all_of_them = [(name, series) for name, answer in found.items() for series in answer.series]
    series = tuple(_told_apart(_without_repeats(all_of_them)))
    return MetricsAnswer(series, tuple(told), missing, _link(found.values()))


def _link(answers: Iterable[MetricsAnswer]) -> str:
    """To the instance with the most of it; a link shows one."""
    linked = [answer for answer in answers if answer.link]
    return max(linked, key=lambda answer: len(answer.series)).link if linked else ""


def _without_repeats(items: Sequence[tuple[str, Series]]) -> list[tuple[str, Series]]:
    """Without series whose samples another instance has too, under the same labels or more of them."""
    alike: dict[tuple[str, bytes, bytes], list[int]] = defaultdict(list)
    for index, (_, series) in enumerate(items):
        alike[series.name, series.times.tobytes(), series.values.tobytes()].append(index)
    dropped: set[int] = set()
    for indices in alike.values():
        if len({items[index][0] for index in indices}) > 1:
            dropped.update(_contained(items, indices))
    return [item for index, item in enumerate(items) if index not in dropped]


def _contained(items: Sequence[tuple[str, Series]], indices: Sequence[int]) -> Iterable[int]:
    """Those that are another instance's with fewer labels; of equals all but the first.

    Series of the same samples are compared with each other, so they are found by one of their labels first.
    """
    by_label: dict[tuple[str, str], set[int]] = defaultdict(set)
    for index in indices:
        for pair in items[index][1].labels.items():
            by_label[pair].add(index)
    for index in indices:
        source, series = items[index]
        having = sorted((by_label[pair] for pair in series.labels.items()), key=len)
        holders = set.intersection(*having) if having else set(indices)
        for other in holders:
            more = len(items[other][1].labels) > len(series.labels)
            if items[other][0] != source and (more or other < index):
                yield index
                break


def _told_apart(items: Sequence[tuple[str, Series]]) -> Iterable[Series]:
    """With a label for the source where the name and all labels are the same."""
    sources: dict[tuple[str, frozenset[tuple[str, str]]], set[str]] = defaultdict(set)
    keys = [(series.name, frozenset(series.labels.items())) for _, series in items]
    for key, (name, _) in zip(keys, items, strict=True):
        sources[key].add(name)
    for key, (name, series) in zip(keys, items, strict=True):
        if len(sources[key]) > 1:
            yield replace(series, labels={**series.labels, SOURCE_LABEL: name})
        else:
            yield series


def _distinct(found: Mapping[str, Iterable[Mapping[str, Any]]], fields: tuple[str, ...]) -> Iterable[Mapping[str, Any]]:
    known: dict[str, Mapping[str, Any]] = {}
    for items in found.values():
        for item in items:
            known.setdefault(repr([_ordered(item.get(field)) for field in fields]), item)
    return known.values()


def _ordered(value: Any) -> Any:
    return sorted(value.items()) if isinstance(value, Mapping) else value
