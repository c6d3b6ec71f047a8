"""The vocabulary of causes: every fault type the product can name, from ``faults.toml`` beside this file.

A type is added there, in one place: its id, family, one sentence, the kind of object at fault, what would prove and
disprove it, and the usual fix.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class FaultType:
    """One kind of cause. ``object_kind`` is "workload", "Namespace", "Node", "Service", "component" or "external"."""

    id: str
    family: str
    sentence: str
    object_kind: str
    proves: str
    disproves: str
    fix: str


@cache
def fault_types() -> dict[str, FaultType]:
    """All fault types by id, in the order of the file."""
    data = tomllib.loads(resources.files("agent_sre.domain").joinpath("faults.toml").read_text("utf-8"))
    return {
        name: FaultType(id=name, family=family, **fields)
        for family, entries in data.items()
        for name, fields in entries.items()
    }
