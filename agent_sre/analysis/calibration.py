"""From how well a cause stands to how often such a cause is right: a logistic curve with two parameters.

The raw figure of ``ranking`` orders causes well but is no rate: it was chosen, not counted. The curve was fitted to
what became of the first hypotheses of many cases (``benchmarks/calibrate.py``; ``calibration.toml`` says of which and
when). It rises, so it changes no order. Cases that were in view while the engine was written flatter it; ``unseen`` is
the share of their hits that was taken back for that. Platt's scaling (Advances in Large Margin Classifiers, 1999).
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import exp, log

_EDGE = 1e-4


@dataclass(frozen=True, slots=True)
class Calibration:
    """``level`` and ``slope`` of the curve over the raw logit; ``conclusive`` the least rate so called."""

    level: float
    slope: float
    conclusive: float
    unseen: float

    def rate(self, raw: float) -> float:
        """The expected hit rate of a cause with this raw figure, both in 0..1."""
        return 1.0 / (1.0 + exp(-(self.level + self.slope * logit(raw))))

    def raw(self, rate: float) -> float:
        """The raw figure behind a rate; the inverse of ``rate``."""
        return 1.0 / (1.0 + exp(-(logit(rate) - self.level) / self.slope))


def logit(share: float) -> float:
    """The log of the odds, with shares of 0 and 1 moved inwards."""
    inside = min(max(share, _EDGE), 1.0 - _EDGE)
    return log(inside / (1.0 - inside))


@cache
def calibration() -> Calibration:
    """The curve in force."""
    data = tomllib.loads(resources.files("agent_sre.analysis").joinpath("calibration.toml").read_text("utf-8"))
    return Calibration(data["level"], data["slope"], data["conclusive"], data["unseen"])
