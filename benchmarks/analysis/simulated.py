"""Origin localisation on simulated shops: every fault in every setting, on seeds that no test uses.

``tests/scenarios/simulated`` says what is simulated. There is no peer here: figures are absolute, by what a site can
see. Faults that a setting cannot show at all (a delayed leaf where only containers are measured) count as missed.
"""

from pathlib import Path

from benchmarks.figures import Figure
from tests.scenarios.simulated.faults import FAULTS
from tests.scenarios.simulated.incidents import SETTINGS, simulate
from tests.scenarios.simulated.scoring import grouped, mark, rates

FIRST_SEED, SEEDS = 100, 2


def measure(_: Path) -> list[Figure]:
    """AC@1 and Avg@5 by setting, and the share of incidents without a fault in which somebody was blamed."""
    seeds = range(FIRST_SEED, FIRST_SEED + SEEDS)
    marks = [mark(simulate(seed, setting, fault)) for setting in SETTINGS for fault in FAULTS for seed in seeds]
    figures = []
    for setting, found in {**grouped(marks, "setting"), "all settings": rates(marks)}.items():
        figures.append(Figure(f"simulated shops, {setting}, AC@1", found.at_1, ""))
        figures.append(Figure(f"simulated shops, {setting}, Avg@5", found.avg_5, ""))
    blamed = rates(marks).blamed
    figures.append(Figure("simulated shops, blamed without a fault", blamed, "", goal="<= 0.05", met=blamed <= 0.05))
    return figures
