"""How far each signal has left its usual level since the incident began, and when the incident began.

Two questions that every metric analyzer asks. ``incident_start`` dates the incident from what the alerted workloads'
own signals show (their symptoms, else their spans, else their resources), because an alert is late by its ``for``
clause and a synthetic one by more. ``Departure`` then
compares the usual level before that with the strongest level held since: held means two neighbouring samples, so a
lone spike counts for nothing, and a fault that came and went within the window still counts. How rare such a level
was before tells a signal that does this every few minutes from one that never did; what comes at the same phase of the
hour, the day or the week (``seasons``) is no departure at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

import numpy as np

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.changepoints import Shift, median, noise_of, onset
from agent_sre.analysis.seasons import Recurrence, recurrence
from agent_sre.analysis.signals import Floats, Measured, measured
from agent_sre.analysis.trace_trees import trees_of
from agent_sre.domain.finding import Fact
from agent_sre.domain.instant import format_instant
from agent_sre.domain.reference import owner_name

DATING = frozenset({"latency", "errors", "availability", "traffic", "edge_latency", "saturation"})
_STRAINED = frozenset({"cpu", "throttling", "disk", "gc", "packet_loss", "memory", "pool_waiting"})
"""Resources that date an incident where the alerted workload has no symptom measured: its strain began with it."""
_FILLS = frozenset({"queue_depth", "replication_lag", "file_descriptors"})
"""Levels that grow while something stands still, often long before any symptom: they date what nothing else dates."""
LONGEST_LEAD = 20 * 60.0
"""Seconds that an incident may go on before its alert fires, where nothing measured says when it began."""
_MEASURED_LEAD = 60 * 60.0
"""The same where a shift that holds until the alert says so: thresholds are high and ``for`` clauses long."""
_FEW_SPANS = 8
_STIRRED = 2.0
"""Deviations from the middle below which no search for an onset is worth while: a shift needs four."""
_PLAIN = 10.0
"""Deviations from which on a single signal dates an incident whose alert names nobody that is measured."""
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
    recurs: Recurrence | None = None
    """That it does so every hour, day or week, where the history shows it."""

    @property
    def ratio(self) -> float:
        """After over before; infinite where there was nothing before."""
        if self.before == 0:
            return np.inf if self.after > 0 else 1.0
        return self.after / self.before

    @property
    def strong(self) -> bool:
        """Whether this is a change worth a word: clear, and not what comes at this hour, day or week anyway."""
        return self.clear and self.recurs is None

    @property
    def clear(self) -> bool:
        """Whether it is four deviations and 30 % of the level, and no everyday one."""
        return self.far and self.rarity <= 0.12

    @property
    def far(self) -> bool:
        """Whether it is four deviations and 30 % of the level, everyday or not."""
        big = abs(self.after - self.before) >= 0.3 * max(abs(self.before), 1e-12)
        return abs(self.z) >= 4 and big

    def usual_facts(self, text: str) -> tuple[Fact, ...]:
        """That what ``text`` says comes at this phase, with when it last did; empty where it does not recur."""
        found = self.recurs
        if found is None:
            return ()
        told = f"{text} {found.often} at this time; it went to {number(found.level)} before"
        shown = f"{told}, at {clock(found.time)}; {excerpt(self)}"
        return (Fact(told, self.signal.observation, shown, datetime.fromtimestamp(found.time, UTC)),)

    @property
    def told(self) -> str:
        """``3.1 cores, usually 0.4``."""
        return f"{number(self.after)} {self.signal.unit.replace('_', ' ')}, usually {number(self.before)}"

    def fact(self, text: str) -> Fact:
        """A fact about this signal; the excerpt shows the levels and the samples they were read from."""
        return Fact(text, self.signal.observation, excerpt(self), datetime.fromtimestamp(self.start, UTC))


_Dating = tuple[str, Floats, Floats]
"""The meaning of a signal that may date an incident, and its samples: their times and values."""
_STARTS: "WeakKeyDictionary[CaseFile, tuple[float, bool]]" = WeakKeyDictionary()
_DEPARTURES: "WeakKeyDictionary[CaseFile, dict[Measured, Departure | None]]" = WeakKeyDictionary()


def alerted(case: CaseFile) -> frozenset[str]:
    """Names of the workloads, services and nodes that the alerts are about."""
    names = {alert.service for alert in case.alerts}
    names |= {alert.labels.get(label, "") for alert in case.alerts for label in ("node", "instance", "pod")}
    names |= {owner_name("Pod", alert.labels["pod"]) for alert in case.alerts if alert.labels.get("pod")}
    return frozenset(names - {""})


def incident_start(case: CaseFile) -> float:
    """Seconds since the epoch of the incident's first sign in the metrics, else of the first alert (with some lead)."""
    return _dated(case)[0]


def is_dated(case: CaseFile) -> bool:
    """Whether something measured dates the incident, and not its alert alone."""
    return _dated(case)[1]


def _dated(case: CaseFile) -> tuple[float, bool]:
    known = _STARTS.get(case)
    if known is None:
        known = _STARTS[case] = _date(case)
    return known


def _date(case: CaseFile) -> tuple[float, bool]:
    """The start, and whether a shift tells it: one of the last minutes where there is any, else one of the last hour.

    An older shift is another incident's more often than this one's.
    """
    alert = min((item.starts_at.timestamp() for item in case.alerts), default=case.now.timestamp())
    names = alerted(case)
    symptoms = [item for item in measured(case) if item.meaning in DATING and item.times.size >= 4]
    own = [item for item in symptoms if item.entity.name in names]
    strain = [item for item in measured(case) if item.meaning in _STRAINED and item.entity.name in names]
    step = median(np.array([median(np.diff(item.times)) for item in own or symptoms])) if symptoms else 60.0
    filling = [item for item in measured(case) if item.meaning in _FILLS]
    # One odd signal of a bystander dates nothing; the alerted workload's own does.
    groups: tuple[tuple[list[_Dating], int], ...] = (
        ([(item.meaning, item.times, item.values) for item in own], 1),
        ([(item.meaning, item.times, item.values) for item in symptoms], 3),
        ([] if own else [("latency", *durations) for durations in _durations(case, names)], 1),
        ([] if own else [(item.meaning, item.times, item.values) for item in strain], 1),
        ([(item.meaning, item.times, item.values) for item in filling], 1),
    )
    for lead in (LONGEST_LEAD, _MEASURED_LEAD):
        for group, least in groups:
            shifts = [shift for item in group if (shift := _onset_of(*item, alert, step, lead)) is not None]
            plain = not names and any(abs(shift.z) >= _PLAIN for shift in shifts)
            if len(shifts) >= least or plain:
                starts = [shift.time for shift in shifts]
                found = median(np.array(starts)) if len(starts) > 2 else min(starts)
                # No alert fires before its incident begins: what shifted well after it, more than samples lag, is an
                # echo.
                return (found if found <= alert + max(2 * step, _LAG) else alert), True
    return alert - 2 * step, False


def _durations(case: CaseFile, names: frozenset[str]) -> list[tuple[Floats, Floats]]:
    """Start times of the spans of each operation of these services, and the seconds that each took."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    by_service = trees_of(case).by_service
    for name in names:
        for span in by_service.get(name, ()):
            found[span.service, span.name].append((span.start, span.end - span.start))
    pairs = [np.array(sorted(spans)).T for _, spans in sorted(found.items()) if len(spans) >= _FEW_SPANS]
    return [(times, values) for times, values in pairs]


def _onset_of(meaning: str, every: Floats, levels: Floats, alert: float, step: float, lead: float) -> Shift | None:
    """The departure that still held at the alert and began at most ``lead`` seconds before; an older one is another
    incident, and so is a drift that began long ago."""
    times, values = every[-_DATED_SAMPLES:], levels[-_DATED_SAMPLES:]
    if times.size < 4:
        return None
    near = min(alert, float(times[-1])) - 2 * step
    if not _stirred(times, values, alert - lead):
        return None
    shift = onset(times, values, near=near)
    if shift is None or shift.until < near or shift.time < alert - lead:
        return None
    if shift.time < alert - LONGEST_LEAD and abs(shift.z) < _PLAIN:
        return None  # a drift of long ago
    if meaning != "traffic" and shift.up == (meaning == "availability"):
        return None  # getting better is no sign of trouble
    if recurrence(every, levels, shift.time, shift.before, shift.after) is not None:
        return None  # it comes at this time
    return shift


def _stirred(times: Floats, values: Floats, since: float) -> bool:
    """Whether two neighbouring samples lately left the middle: a quick look that spares most series the search."""
    recent = np.abs(values[times >= since] - median(values))
    if recent.size < 2:
        return False
    return bool(np.minimum(recent[1:], recent[:-1]).max() >= _STIRRED * noise_of(values))


def departure(case: CaseFile, item: Measured) -> Departure | None:
    """How far one signal has departed since the incident began; None where it has too few samples to say."""
    known = _DEPARTURES.get(case)
    if known is None:
        every = measured(case)
        known = _DEPARTURES[case] = dict(zip(every, _depart_all(every, incident_start(case)), strict=True))
    if item not in known:
        known[item] = depart(item, incident_start(case))
    return known[item]


def departures(case: CaseFile, items: Iterable[Measured]) -> list[Departure]:
    """The departures of several signals, those with too few samples left out."""
    return [found for item in items if (found := departure(case, item)) is not None]


def depart(item: Measured, start: float) -> Departure | None:
    """Compare the samples before ``start`` (at least three) with those since (at least one)."""
    return _depart_together([item], start)[0]


def _depart_all(items: Sequence[Measured], start: float) -> list[Departure | None]:
    """The same for many signals; those sampled at the same times are compared together, which is much faster."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        groups[item.times.tobytes()].append(place)
    found: list[Departure | None] = [None] * len(items)
    for places in groups.values():
        for place, moved in zip(places, _depart_together([items[at] for at in places], start), strict=True):
            found[place] = moved
    return found


def _depart_together(items: Sequence[Measured], start: float) -> list[Departure | None]:
    times = items[0].times
    step = median(np.diff(times)) if times.size > 1 else 0.0
    first = int(np.searchsorted(times, start - 0.5 * step))
    if first < 3 or first >= times.size:
        return [None] * len(items)
    values = np.stack([item.values for item in items])
    usual, recent = values[:, :first], values[:, first:]
    before = _medians(usual)
    deviations = 1.4826 * _medians(np.abs(usual - before[:, None]))
    noise = np.maximum.reduce([deviations, 0.05 * np.abs(before), 0.02 * np.abs(values).max(axis=1)])
    noise = np.maximum(noise, 1e-12)
    after = _held(recent, before)
    half = (recent - before[:, None]) * np.sign(after - before)[:, None] >= np.abs(after - before)[:, None] / 2
    z, rarity = (after - before) / noise, _rarity(usual, before, after)
    begun, highest = times[first:][np.argmax(half, axis=1)], recent.max(axis=1)
    return [
        _with_season(
            Departure(
                signal=item,
                before=float(before[row]),
                after=float(after[row]),
                z=float(z[row]),
                rarity=float(rarity[row]),
                start=float(begun[row]),
                highest=float(highest[row]),
                recent=recent.shape[1],
            )
        )
        for row, item in enumerate(items)
    ]


def _with_season(found: Departure) -> Departure:
    if not found.far:
        return found
    signal = found.signal
    return replace(found, recurs=recurrence(signal.times, signal.values, found.start, found.before, found.after))


def _medians(rows: Floats) -> Floats:
    """The median of each row."""
    middle = rows.shape[1] // 2
    ranked = np.partition(rows, (max(middle - 1, 0), middle), axis=1)
    found: Floats = ranked[:, middle] if rows.shape[1] % 2 else (ranked[:, middle - 1] + ranked[:, middle]) / 2
    return found


def _held(recent: Floats, before: Floats) -> Floats:
    """By row, the value farthest from ``before`` that two neighbouring samples both reach."""
    if recent.shape[1] == 1:
        return recent[:, 0]
    left, right = recent[:, :-1], recent[:, 1:]
    high, low = np.minimum(left, right).max(axis=1), np.maximum(left, right).min(axis=1)
    held: Floats = np.where(high - before >= before - low, high, low)
    return held


def _rarity(usual: Floats, before: Floats, after: Floats) -> Floats:
    """By row, the share of neighbouring samples that were both about as far off (80 % of the way) before."""
    moved = after != before
    way = (usual - before[:, None]) / np.where(moved, after - before, 1.0)[:, None]
    share: Floats = np.where(moved, np.mean(np.minimum(way[:, :-1], way[:, 1:]) >= _AS_FAR, axis=1), 1.0)
    return share


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
