"""Origin localisation on simulated shops: it must not get worse, whatever a site measures, and must not blame nobody's
fault on somebody. The larger run, with every fault and many seeds, is ``benchmarks/analysis/simulated.py``.
"""

import pytest

from tests.scenarios.simulated.incidents import SETTINGS, simulate
from tests.scenarios.simulated.scoring import Mark, mark, rates

FAULTS = ("cpu_stress", "memory_leak", "disk_busy", "descriptors", "slow_code", "failing_code", "network_loss")
LEAST = {
    "own": 0.85,
    "own, no topology": 0.7,
    "latency and errors": 0.85,
    "latency, no topology": 0.7,
    "containers": 0.55,
    "containers, no topology": 0.55,
    "mesh": 0.85,
    "traces": 0.85,
    "runtime": 0.85,
}
"""The share of incidents whose origin must be named first, by what the site measures."""


def marks(setting: str, faults: tuple[str, ...], seed: int) -> list[Mark]:
    return [mark(simulate(seed, setting, fault)) for fault in faults]


@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_the_origin_is_named(setting: str) -> None:
    assert set(LEAST) == set(SETTINGS)
    found = marks(setting, FAULTS, 1)
    assert rates(found).at_1 >= LEAST[setting], found


@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_nobody_is_blamed_where_nothing_is_wrong(setting: str) -> None:
    found = marks(setting, ("nothing", "mild_load"), 1)
    assert not any(item.blamed for item in found), found


def test_equal_seeds_give_equal_incidents() -> None:
    first, second = (simulate(3, "mesh", "cpu_stress") for _ in range(2))
    assert first.truth == second.truth
    assert [item.value.values for item in first.case.series] == [item.value.values for item in second.case.series]
