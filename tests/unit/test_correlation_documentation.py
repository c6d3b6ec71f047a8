"""docs/correlation.md says what the code does: its tables are compared with the enums and weights."""

import re
from pathlib import Path

from agent_sre.domain.placement import Reason
from agent_sre.ingest.facts import CHILD_AT, JOIN_AT, TIME_POINTS, WEIGHTS, FactKind

TEXT = (Path(__file__).parents[2] / "docs" / "correlation.md").read_text()


def test_every_reason_is_explained_in_its_own_words() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", TEXT, re.MULTILINE))
    assert rows == {str(reason): reason.meaning for reason in Reason}


def test_every_fact_is_listed_with_its_weight() -> None:
    rows = {
        fact: (int(points), decides)
        for fact, points, decides in re.findall(r"^\| ([a-z ,]+) \| (\d+) \| (join|part|no) \|$", TEXT, re.MULTILINE)
    }
    decides = {
        kind: "join" if weight.strong else "part" if weight.relation else "no" for kind, weight in WEIGHTS.items()
    }
    assert rows == {str(kind): (weight.points, decides[kind]) for kind, weight in WEIGHTS.items()}
    assert set(WEIGHTS) == set(FactKind) - {FactKind.TIME}


def test_the_thresholds_are_named() -> None:
    words = " ".join(TEXT.split())
    assert f"From {JOIN_AT} points on" in words and f"from {CHILD_AT} on" in words
    first, *others = [
        f"{points} {'points ' if not place else ''}up to {most:.0f} s"
        for place, (most, points) in enumerate(TIME_POINTS)
    ]
    assert f"adds {first}, {', '.join(others[:-1])} and {others[-1]}" in words
