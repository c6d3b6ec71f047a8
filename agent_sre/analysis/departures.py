"""How far each signal has left its usual level since the incident began, and when the incident began.

Two questions that every metric analyzer asks. ``incident_start`` dates the incident from what the alerted workloads'
own signals show, because an alert is late by its ``for`` clause and a synthetic one by more. ``Departure`` then
compares the usual level before that with the strongest level held since: held means two neighbouring samples, so a
lone spike counts for nothing, and a fault that came and went within the window still counts. How rare such a level
was before tells a signal that does this every few minutes from one that never did.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

import numpy as np

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.changepoints import median, onset, spread
from agent_sre.analysis.signals import Floats, Measured, measured
from agent_sre.domain.finding import Fact
from agent_sre.domain.instant import format_instant

_SYMPTOMS = frozenset({"latency", "errors", "availability", "traffic", "edge_latency", "saturation"})
_LONGEST_LEAD = 20 * 60.0
_LAG = 60.0
"""Seconds by which samples trail what they measure: a rate is over the time before it, often a minute."""
_AS_FAR = 0.8
_DATED_SAMPLES = 360
"""Samples looked at to date an onset; older ones only tell the usual level."""


@dataclass(frozen=True, slots=True, eq=False)
class Departure:
    """A signal's usual level (``before``), the strongest level held since the incident began (``after``), and how rare.

    ``z`` is the difference in robust deviations, signed; ``rarity`` the share of earlier pairs of samples that were as
    far off; ``start`` the time (seconds) of the first sample more than half way to ``after``.
    """

    signal: Measured
    before: float
    after: float
    z: float
    rarity: float
    start: float
    highest: float
    """The highest single sample since the incident began, held or not."""
    recent: int = 0
    """How many samples there are since the incident began."""

    @property
    def ratio(self) -> float:
        """After over before; infinite where there was nothing before."""
        if self.before == 0:
            return np.inf if self.after > 0 else 1.0
        return self.after / self.before

    @property
    def strong(self) -> bool:
        """Whether this is a change worth a word: four deviations, 30 % of the level, and not an everyday one."""
        big = abs(self.after - self.before) >= 0.3 * max(abs(self.before), 1e-12)
        return abs(self.z) >= 4 and big and self.rarity <= 0.12

    def fact(self, text: str) -> Fact:
        """A fact about this signal; the excerpt shows the levels and the samples they were read from."""
        return Fact(text, self.signal.observation, excerpt(self), datetime.fromtimestamp(self.start, UTC))


_STARTS: "WeakKeyDictionary[CaseFile, float]" = WeakKeyDictionary()
_DEPARTURES: "WeakKeyDictionary[CaseFile, dict[Measured, Departure]]" = WeakKeyDictionary()


def alerted(case: CaseFile) -> frozenset[str]:
    """Names of the workloads, services and nodes that the alerts are about."""
    names = {alert.service for alert in case.alerts}
    names |= {alert.labels.get(label, "") for alert in case.alerts for label in ("node", "instance", "pod")}
    return frozenset(names - {""})


def incident_start(case: CaseFile) -> float:
    """Seconds since the epoch of the incident's first sign in the metrics, else of the first alert (with some lead)."""
    known = _STARTS.get(case)
    if known is None:
        known = _STARTS[case] = _date(case)
    return known


def _date(case: CaseFile) -> float:
    alert = min((item.starts_at.timestamp() for item in case.alerts), default=case.now.timestamp())
    names = alerted(case)
    symptoms = [item for item in measured(case) if item.meaning in _SYMPTOMS and item.times.size >= 4]
    own = [item for item in symptoms if item.entity.name in names]
    step = median(np.array([median(np.diff(item.times)) for item in own or symptoms])) if symptoms else 60.0
    # One odd signal of a bystander dates nothing; the alerted workload's own does.
    for group, least in ((own, 1), (symptoms, 3)):
        starts = [start for item in group if (start := _onset_of(item, alert, step)) is not None]
        if len(starts) >= least:
            found = median(np.array(starts)) if len(starts) > 2 else min(starts)
            # No alert fires before its incident begins: what shifted well after it, more than samples lag, is an echo.
            return found if found <= alert + max(2 * step, _LAG) else alert
    return alert - 2 * step


def _onset_of(item: Measured, alert: float, step: float) -> float | None:
    """When the departure began that still held at the alert; an older one is another incident."""
    times, values = item.times[-_DATED_SAMPLES:], item.values[-_DATED_SAMPLES:]
    near = min(alert, float(times[-1])) - 2 * step
    shift = onset(times, values, near=near)
    if shift is None or shift.until < near or shift.time < alert - _LONGEST_LEAD:
        return None
    if item.meaning != "traffic" and shift.up == (item.meaning == "availability"):
        return None  # getting better is no sign of trouble
    return shift.time


def departure(case: CaseFile, item: Measured) -> Departure | None:
    """How far one signal has departed since the incident began; None where it has too few samples to say."""
    known = _DEPARTURES.setdefault(case, {})
    if item not in known:
        found = depart(item, incident_start(case))
        if found is None:
            return None
        known[item] = found
    return known[item]


def departures(case: CaseFile, items: Iterable[Measured]) -> list[Departure]:
    """The departures of several signals, those with too few samples left out."""
    return [found for item in items if (found := departure(case, item)) is not None]


def depart(item: Measured, start: float) -> Departure | None:
    """Compare the samples before ``start`` (at least three) with those since (at least one)."""
    times, values = item.times, item.values
    step = median(np.diff(times)) if times.size > 1 else 0.0
    since = times >= start - 0.5 * step
    usual, recent = values[~since], values[since]
    if usual.size < 3 or recent.size < 1:
        return None
    before = median(usual)
    after = _held(recent, before)
    noise = max(spread(usual), 0.02 * float(np.max(np.abs(values))))
    return Departure(
        signal=item,
        before=before,
        after=after,
        z=(after - before) / noise,
        rarity=_rarity(usual, before, after),
        start=_start(times[since], recent, before, after),
        highest=float(recent.max()),
        recent=recent.size,
    )


def _held(recent: Floats, before: float) -> float:
    """The value farthest from ``before`` that two neighbouring samples both reach."""
    if recent.size == 1:
        return float(recent[0])
    first, second = recent[:-1], recent[1:]
    high, low = float(np.max(np.minimum(first, second))), float(np.min(np.maximum(first, second)))
    return high if high - before >= before - low else low


def _rarity(usual: Floats, before: float, after: float) -> float:
    """The share of neighbouring samples that were both about as far off (80 % of the way) before."""
    if after == before:
        return 1.0
    way = (usual - before) / (after - before)
    return float(np.mean(np.minimum(way[:-1], way[1:]) >= _AS_FAR))


def _start(times: Floats, recent: Floats, before: float, after: float) -> float:
    half = (recent - before) * np.sign(after - before) >= abs(after - before) / 2
    return float(times[int(np.argmax(half))])


def excerpt(found: Departure) -> str:
    """``usual <x>, <clock> <y>`` and the raw samples around the change, as the source has them."""
    source = found.signal.source
    times = np.asarray(source.times)
    at = int(np.searchsorted(times, found.start))
    shown = [index for index in (at - 2, at - 1, at, at + 1) if 0 <= index < times.size]
    samples = " ".join(f"{clock(times[index])}={number(source.values[index])}" for index in shown)
    unit = found.signal.unit
    computed = f"usual {number(found.before)}, since {clock(found.start)} {number(found.after)} {unit}"
    return f"{computed}: {source} {samples}"


def clock(seconds: float) -> str:
    """RFC 3339, whole seconds, UTC."""
    return format_instant(datetime.fromtimestamp(round(float(seconds)), UTC))


def number(value: float) -> str:
    """Four significant digits, without an exponent where that is readable."""
    text = f"{float(value):.4g}"
    return f"{float(value):.0f}" if "e+" in text and abs(value) < 1e15 else text
