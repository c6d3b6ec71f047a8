"""The vocabulary of causes: complete, and every type says what a person needs to know."""

import re
from collections import Counter
from pathlib import Path

import pytest

from agent_sre.domain.fault import fault_types

DOCUMENT = Path(__file__).parents[3] / "../shared/design/fault_types.md"
OBJECT_KINDS = {"workload", "Namespace", "Node", "Service", "component", "external"}


def test_every_type_has_a_sentence_what_proves_and_disproves_it_and_a_fix() -> None:
    for item in fault_types().values():
        for words in (item.sentence, item.proves, item.disproves, item.fix):
            assert words.endswith("."), (item.id, words)
            assert len(words.split()) >= 2, (item.id, words)
        assert item.object_kind in OBJECT_KINDS, item.id


def test_the_families_are_those_of_an_incident() -> None:
    sizes = Counter(item.family for item in fault_types().values())
    assert sizes == {
        "admission": 10,
        "scheduling": 14,
        "startup": 10,
        "runtime": 18,
        "data_stores": 14,
        "service_routing": 9,
        "performance": 13,
        "infrastructure": 15,
        "change": 7,
        "outside": 4,
        "observability": 3,
        "none": 1,
    }


@pytest.mark.cases
def test_the_types_are_those_of_the_specification() -> None:
    rows = [line.split("|") for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ")]
    wanted = {name for row in rows[1:] for name in re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b|\bdeadlock\b", row[2])}
    assert {item.id for item in fault_types().values()} >= wanted
    assert set(fault_types()) - wanted <= {"no_fault_found"}
