"""Whether a signal does this every hour, day or week: what comes back at the same phase with the same size is no onset.

A nightly backup makes a store slow every night, and a job at the full hour fills a queue every hour; on the incident's
window alone both look like a fault that began just now. Where the history reaches back, the same stretch is looked at
one, two, .. periods earlier: did the signal, calm before it, go at least as far there? For a day and a week one earlier
period is enough, for an hour there must be two, since more happens by chance within an hour. A period in which nothing
was sampled says nothing either way. Resets of counters are gone before this: it reads rates (``signals``). Called by
``departures``. Not here: any model of the season's shape.
"""

from dataclasses import dataclass

import numpy as np

from agent_sre.analysis.changepoints import Floats, median

_PERIODS = ((3600.0, "every hour", 2), (86_400.0, "every day", 1), (604_800.0, "every week", 1))
_AS_FAR = 0.7
"""The part of the way at least that the signal must have gone in an earlier period."""
_CALM = 0.4
"""The part of the way that it may have been off just before, at the median."""
_OF_THEM = 0.75
"""The share of the earlier periods with samples in which it must have done so."""
_LATEST_LEAD = 600.0


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How often it comes (``every hour``), when it last did before (seconds) and how far the signal then went."""

    often: str
    time: float
    level: float


def recurrence(times: Floats, values: Floats, start: float, before: float, after: float) -> Recurrence | None:
    """Whether the departure from ``before`` to ``after`` at ``start`` (seconds) comes at this phase; None where not, or
    where the history is too short to tell."""
    if times.size < 4 or before == after:
        return None
    step = median(np.diff(times))
    length = max(float(times[-1]) - start, step)
    way = (values - before) / (after - before)
    for period, often, least in _PERIODS:
        slack = min(max(1.5 * step, 0.02 * period), _LATEST_LEAD)
        if length + 2 * slack > period / 2:
            continue  # it lasts for most of a period: then the phase says nothing
        earlier = [
            _stretch(times, way, start - n * period, length, slack) for n in range(1, _count(times, start, period))
        ]
        told = [item for item in earlier if item is not None]
        found = [item for item in told if item[0]]
        if len(found) >= least and len(found) >= _OF_THEM * len(told):
            _, at, far = found[0]
            return Recurrence(often, at, before + far * (after - before))
    return None


def _count(times: Floats, start: float, period: float) -> int:
    return int((start - float(times[0])) // period) + 1


def _stretch(times: Floats, way: Floats, at: float, length: float, slack: float) -> tuple[bool, float, float] | None:
    """Whether the signal went the way in this stretch and was calm before it, when, and how far; None without
    samples."""
    low, high = np.searchsorted(times, (at - slack, at + length + slack))
    inside = way[low:high]
    if inside.size < 2:
        return None
    # The second farthest, so that a lone spike counts for nothing though samples between may be missing.
    place = int(np.argsort(inside)[-2])
    prior = way[np.searchsorted(times, at - slack - max(4 * length, 8 * slack)) : low]
    calm = prior.size == 0 or median(prior) < _CALM
    return bool(inside[place] >= _AS_FAR) and calm, float(times[low + place]), float(inside[place])
