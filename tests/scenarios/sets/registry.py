"""The scenarios by set, and what is true about each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from tests.scenarios.frozen import Frozen
from tests.scenarios.variants import VARIANTS

SETS: tuple[str, ...] = (
    "admission",
    "scheduling",
    "volumes",
    "startup",
    "cluster_unseen",
    "third_round_cluster",
    "events_gone",
    "change",
    "change_decoys",
    "no_cause",
    "runtime",
    "routing",
    "infrastructure",
    "runtime_unseen",
    "data_stores",
    "performance",
    "outside",
    "observability",
    "telemetry_unseen",
    "third_round_telemetry",
    "fourth_round_cluster",
    "fourth_round_stores",
    "fourth_round_load",
    "fourth_round_wide",
    "fifth_round_stores",
    "fifth_round_load",
    "fifth_round_outside",
    "fifth_round_change",
)
"""The sets: modules of this package, each with scenarios."""

Cause = tuple[str | None, str, str]
"""A fault type (None: only the object is known), the object's kind and its name ("" where no object is known)."""
Build = Callable[[], Frozen]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One incident and its truth. ``variants`` names further forms of it (``variants``) with the same truth."""

    id: str
    build: Build
    cause: Cause | None
    accept: Sequence[Cause] = ()
    change: str | None = None
    no_cause: bool = False
    variants: Sequence[str] = field(default=())


_FOUND: dict[str, dict[str, Scenario]] = {}


def scenario(
    fault: str | None,
    kind: str = "Deployment",
    name: str = "",
    *,
    accept: Sequence[Cause] = (),
    change: str | None = None,
    no_cause: bool = False,
    variants: Sequence[str] = (),
) -> Callable[[Build], Build]:
    """Register a function of a set's module under its own name."""

    def register(build: Build) -> Build:
        module = build.__module__.rpartition(".")[2]
        cause = (fault, kind, name) if fault or name else None
        known = _FOUND.setdefault(module, {})
        assert build.__name__ not in known, f"two scenarios are called {build.__name__}"
        known[build.__name__] = Scenario(build.__name__, build, cause, accept, change, no_cause, variants)
        return build

    return register


def scenarios(set_name: str) -> dict[str, Scenario]:
    """The scenarios of a set by id."""
    import_module(f"tests.scenarios.sets.{set_name}")
    return _FOUND[set_name]


def write_set(set_name: str, folder: Path) -> None:
    """Write ``cases/`` and ``truth/`` of a set into the folder, every variant as a case of its own."""
    (folder / "truth").mkdir(parents=True)
    for item in scenarios(set_name).values():
        for variant in ("", *item.variants):
            name = f"{item.id}.{variant}" if variant else item.id
            frozen = item.build()
            if variant:
                VARIANTS[variant](frozen)
            frozen.write(folder / "cases" / name, name)
            (folder / "truth" / f"{name}.yaml").write_text(yaml.safe_dump(truth(item, frozen)), "utf-8")


def truth(item: Scenario, frozen: Frozen) -> dict[str, Any]:
    """The truth document of a scenario."""
    found = _cause(item.cause, frozen) if item.cause else {"cause": None, "object": None}
    if item.accept:
        found["accept"] = [_cause(other, frozen) for other in item.accept]
    if item.change:
        found["change"] = item.change
    if item.no_cause:
        found["no_cause"] = True
    return found


def _cause(cause: Cause, frozen: Frozen) -> dict[str, Any]:
    fault, kind, name = cause
    cluster_wide = kind in ("Node", "Namespace", "PersistentVolume", "Component")
    place = {"kind": kind, "namespace": "" if cluster_wide else frozen.namespace, "name": name}
    return {"cause": fault, "object": place if name else None}
