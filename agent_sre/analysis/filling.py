"""How long until something that fills up is full: a robust slope, and the room that is left.

The slope is Theil and Sen's, the median of the slopes between all pairs of samples (Sen 1968), which a quarter of odd
samples cannot move. It is carried on in a straight line, so the answer is "about", and none is given for what does not
fill or would take more than a day: there a straight line says nothing.
"""

import numpy as np

from agent_sre.analysis.departures import number
from agent_sre.analysis.signals import Floats

_PAIRED = 60
"""Samples whose pairs are looked at."""
_LONGEST = 24 * 60.0


def theil_sen(times: Floats, values: Floats) -> float:
    """Change per second: the median slope over pairs of (at most 60, evenly picked) samples; 0 for fewer than two."""
    if values.size < 2:
        return 0.0
    pick = np.linspace(0, values.size - 1, min(values.size, _PAIRED)).astype(int)
    left, right = np.triu_indices(pick.size, 1)
    apart = times[pick][right] - times[pick][left]
    rise = values[pick][right] - values[pick][left]
    return float(np.median(rise[apart > 0] / apart[apart > 0])) if (apart > 0).any() else 0.0


def minutes_left(room: float, per_second: float) -> float | None:
    """Minutes until the room is used up at this speed; None where it is not, or not within a day."""
    minutes = room / per_second / 60 if per_second > 0 else np.inf
    return float(minutes) if 0 < minutes <= _LONGEST else None


def full_in(room: float, per_second: float) -> str:
    """``full in about 12 minutes`` for the room left and the speed at which it goes; "" where that cannot be said."""
    minutes = minutes_left(room, per_second)
    if minutes is None:
        return ""
    return f"full in about {number(round(minutes))} minutes" if minutes >= 2 else "full within 2 minutes"
