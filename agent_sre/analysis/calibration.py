"""From how well a cause stands to how often such a cause is right: a curve with three parameters.

The raw figure of ``ranking`` orders causes well but is no rate: it was chosen, not counted. The curve was fitted to
what became of the first hypotheses of many cases (``benchmarks/calibrate.py``; ``calibration.toml`` says of which and
when). It rises, so it changes no order. Weak guesses are right far less often than a logistic curve can say that fits
the strong ones, so both ends have a slope of their own: beta calibration (Kull, Silva Filho, Flach, AISTATS 2017).
Cases that were in view while the engine was written flatter it; ``unseen`` is the share of their hits that was taken
back for that.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import exp, log

_EDGE = 1e-4
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Calibration:
    """``level``, and the slopes at the ``low`` and the ``high`` end; ``conclusive`` the least rate so called."""

    level: float
    low: float
    high: float
    conclusive: float
    unseen: float

    def rate(self, raw: float) -> float:
        """The expected hit rate of a cause with this raw figure, both in 0..1."""
        below, above = ends(raw)
        return 1.0 / (1.0 + exp(-(self.level + self.low * below + self.high * above)))

    def raw(self, rate: float) -> float:
        """The raw figure behind a rate; the inverse of ``rate``, by halving."""
        least, most = _EDGE, 1.0 - _EDGE
        for _ in range(_HALVINGS):
            middle = (least + most) / 2
            least, most = (middle, most) if self.rate(middle) < rate else (least, middle)
        return (least + most) / 2


def ends(share: float) -> tuple[float, float]:
    """The log of the share, and minus that of what it lacks; shares of 0 and 1 are moved inwards."""
    inside = min(max(share, _EDGE), 1.0 - _EDGE)
    return log(inside), -log(1.0 - inside)


@cache
def calibration() -> Calibration:
    """The curve in force."""
    data = tomllib.loads(resources.files("agent_sre.analysis").joinpath("calibration.toml").read_text("utf-8"))
    return Calibration(data["level"], data["low"], data["high"], data["conclusive"], data["unseen"])
