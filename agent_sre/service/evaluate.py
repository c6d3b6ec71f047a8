"""How good is the engine? Cases with known causes, scored by the rules of the snapshot document.

Scoring is pure: an answer and a truth in, a score out. Not here: who gives the cases out (``evaluate_set``), and any
look at what a case holds. Called by ``agent-sre eval`` and by tests.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.fault import fault_types
from agent_sre.domain.reference import owner_name

Answer = Mapping[str, Any]

DEPTHS = (1, 3, 5)
BINS = 10
_OWNED = frozenset({"Pod", "ReplicaSet"})


@dataclass(frozen=True, slots=True)
class Cause:
    """A right answer. None means: not known, so anything agrees."""

    fault: str | None
    object_name: str | None


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known to be right about a case; ``causes`` has the truth itself first, then what else is accepted."""

    causes: tuple[Cause, ...]
    change: str | None
    no_cause: bool
    outside: bool
    """Whether a case without a guilty change wants one of ``causes`` named."""

    @property
    def family(self) -> str:
        """The fault type's family; "object only" where no type is known, "no truth" where nothing is."""
        if not self.causes:
            return "no truth"
        known = fault_types().get(self.causes[0].fault or "")
        return known.family if known else "object only"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case, answered. ``seconds`` of work after start-up; ``peak_mb`` of the process; ``error`` where it broke."""

    id: str
    answer: Answer
    seconds: float
    peak_mb: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """One case, judged. ``right_at`` is the rank of the first right hypothesis, None where there is none."""

    outcome: Outcome
    truth: Truth
    right_at: int | None
    object_right: bool
    fault_right: bool
    abstained: bool
    confidence: float | None
    hit: bool


def read_truth(path: Path) -> Truth:
    """Raises PermanentError, naming the file, where it is no truth."""
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PermanentError(f"{path} can't be read as a truth: {error}") from error
    if not isinstance(data, dict):
        raise PermanentError(f"{path} holds {type(data).__name__}, not a truth: it needs cause and object")
    accepted = data.get("accept") or []
    if not isinstance(accepted, list):
        raise PermanentError(f"{path}: accept is {accepted!r:.80}, not a list of causes")
    causes = tuple(_cause(item, path) for item in (data, *accepted))
    change = data.get("change")
    if change is not None and not isinstance(change, str):
        raise PermanentError(f"{path}: change is {change!r:.80}, not a change's id; quote it")
    return Truth(causes, change, bool(data.get("no_cause")), bool(accepted))


def _cause(item: Any, path: Path) -> Cause:
    fault, named = (item.get("cause"), item.get("object")) if isinstance(item, dict) else (item, item)
    if fault is not None and not isinstance(fault, str):
        raise PermanentError(f"{path}: cause is {fault!r:.80}, not a fault type")
    if named is None:
        return Cause(fault, None)
    if not isinstance(named, dict) or not {"kind", "name"} <= named.keys():
        raise PermanentError(f"{path}: object is {named!r:.80}; it needs kind, namespace and name")
    return Cause(fault, owner_name(str(named["kind"]), str(named["name"])))


def broken_truth(outcome: Outcome, reason: str) -> Scored:
    """An answer that nothing can be held against, because its truth cannot be read: a miss with its reason."""
    nothing = Truth((), None, no_cause=False, outside=False)
    return Scored(
        outcome=replace(outcome, error=outcome.error or reason), truth=nothing, right_at=None, object_right=False,
        fault_right=False, abstained=False, confidence=None, hit=False,
    )  # fmt: skip


def score(outcome: Outcome, truth: Truth) -> Scored:
    """Judge one answer."""
    hypotheses: Sequence[Mapping[str, Any]] = outcome.answer.get("hypotheses") or []
    abstained = not outcome.error and outcome.answer.get("status") != "conclusive"
    first = hypotheses[0] if hypotheses else None
    right_at = next((place for place, item in enumerate(hypotheses[:5], start=1) if is_right(item, truth)), None)
    hit = right_at == 1
    if truth.no_cause:
        fine = abstained or first is None or _blames_nobody(first, truth)
        right_at = 1 if fine and not outcome.error else None
    return Scored(
        outcome=outcome,
        truth=truth,
        right_at=right_at,
        object_right=first is not None and any(_object_agrees(first, cause) for cause in truth.causes),
        fault_right=first is not None and any(_fault_agrees(first, cause) for cause in truth.causes),
        abstained=abstained,
        confidence=float(first["confidence"]) if first is not None else None,
        hit=hit or (truth.no_cause and right_at == 1 and not abstained),
    )


def is_right(hypothesis: Mapping[str, Any], truth: Truth) -> bool:
    """Whether fault type, object and (where given) change all agree with one of the right answers."""
    if truth.change is not None and hypothesis.get("change") != truth.change:
        return False
    if truth.no_cause and hypothesis.get("change"):
        return False
    return any(_fault_agrees(hypothesis, cause) and _object_agrees(hypothesis, cause) for cause in truth.causes)


def _blames_nobody(first: Mapping[str, Any], truth: Truth) -> bool:
    return not first.get("change") and (not truth.outside or is_right(first, truth))


def _fault_agrees(hypothesis: Mapping[str, Any], cause: Cause) -> bool:
    return cause.fault is None or hypothesis.get("fault") == cause.fault


def _object_agrees(hypothesis: Mapping[str, Any], cause: Cause) -> bool:
    named = hypothesis.get("object") or {}
    name = owner_name(str(named.get("kind", "")), str(named.get("name", "")))
    return cause.object_name is None or name == cause.object_name


def summary(cases: Sequence[Scored]) -> dict[str, float | int]:
    """The figures of a set of cases; empty for none."""
    if not cases:
        return {"cases": 0}
    size = len(cases)

    def share(flags: Iterable[bool]) -> float:
        return round(sum(flags) / size, 4)

    at = {k: share(case.right_at is not None and case.right_at <= k for case in cases) for k in range(1, 6)}
    seconds = [case.outcome.seconds for case in cases]
    abstained = [case for case in cases if case.abstained]
    right = sum(case.truth.no_cause or not case.hit for case in abstained)
    return {
        "cases": size,
        **{f"a_at_{k}": at[k] for k in DEPTHS},
        "avg_at_5": round(sum(at.values()) / len(at), 4),
        "object_only": share(case.object_right for case in cases),
        "fault_only": share(case.fault_right for case in cases),
        "abstained": share(case.abstained for case in cases),
        "abstain_right": round(right / len(abstained), 4) if abstained else 1.0,
        "ece": calibration_error(cases),
        "seconds_p50": round(quantile(seconds, 0.5), 4),
        "seconds_p95": round(quantile(seconds, 0.95), 4),
        "peak_mb": round(max(case.outcome.peak_mb for case in cases), 1),
    }


def calibration(cases: Sequence[Scored]) -> list[dict[str, float | int]]:
    """Predicted confidence against observed hits, in ten bins; bins without a case are left out."""
    rows = []
    stated = [(case.confidence, case.hit) for case in cases if case.confidence is not None]
    for number in range(BINS):
        low, high = number / BINS, (number + 1) / BINS
        found = [(c, hit) for c, hit in stated if low <= c < high or (c >= 1.0 and number == BINS - 1)]
        if found:
            rows.append(
                {
                    "from": low,
                    "to": high,
                    "cases": len(found),
                    "confidence": round(sum(c for c, _ in found) / len(found), 4),
                    "right": round(sum(hit for _, hit in found) / len(found), 4),
                }
            )
    return rows


def calibration_error(cases: Sequence[Scored]) -> float:
    """Expected calibration error: the mean gap of the bins, weighted by their cases."""
    rows = calibration(cases)
    size = sum(int(row["cases"]) for row in rows)
    gaps = sum(int(row["cases"]) * abs(row["confidence"] - row["right"]) for row in rows)
    return round(gaps / size, 4) if size else 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(math.ceil(share * len(ranked)) - 1, 0)]


def report(cases: Sequence[Scored]) -> dict[str, Any]:
    """The document that ``agent-sre eval --json`` prints."""
    families: dict[str, list[Scored]] = defaultdict(list)
    for case in cases:
        families[case.truth.family].append(case)
    return {
        "overall": summary(cases),
        "families": {name: summary(members) for name, members in sorted(families.items())},
        "calibration": calibration(cases),
        "cases": [_row(case) for case in cases],
    }


def _row(case: Scored) -> dict[str, Any]:
    answer = case.outcome.answer
    kept = ("rank", "fault", "object", "change", "confidence", "statement")
    told = [{key: item.get(key) for key in kept} for item in answer.get("hypotheses") or []]
    row = {
        "id": case.outcome.id,
        "right_at": case.right_at,
        "answer": {"status": answer.get("status"), "hypotheses": told},
        "truth": {
            "causes": [{"cause": cause.fault, "object": cause.object_name} for cause in case.truth.causes],
            "change": case.truth.change,
            "no_cause": case.truth.no_cause,
        },
        "seconds": round(case.outcome.seconds, 4),
    }
    return row | ({"error": case.outcome.error} if case.outcome.error else {})


def report_sets(sets: Mapping[str, Sequence[Scored]]) -> dict[str, Any]:
    """The document of several sets: all of them together, each case with its ``set``, and each set's own figures."""
    whole = report([case for cases in sets.values() for case in cases])
    alone = {name: report(cases) for name, cases in sets.items()}
    whole["cases"] = [{"set": name, **row} for name, found in alone.items() for row in found["cases"]]
    whole["sets"] = {name: {k: v for k, v in found.items() if k != "cases"} for name, found in alone.items()}
    return whole


def by_set(document: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """A printed document taken apart into one per set; ``name`` is that of the set where the document holds one."""
    if "sets" not in document:
        return {name: dict(document)}
    return {
        key: {**figures, "cases": [row for row in document["cases"] if row["set"] == key]}
        for key, figures in document["sets"].items()
    }


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Cases that got better, and worse, by the rank of the first right answer; new cases are neither.

    Cases agree by set and id, and by id alone where one of the documents holds a single set, which it does not name.
    """
    one = "sets" not in old or "sets" not in new
    before = {(None if one else row.get("set"), row["id"]): row["right_at"] for row in old.get("cases", [])}
    better, worse = [], []
    for row in new["cases"]:
        key = (None if one else row.get("set"), row["id"])
        if key not in before:
            continue
        then, now = _place(before[key]), _place(row["right_at"])
        name = f"{row['set']}/{row['id']}" if "set" in row else row["id"]
        if now < then:
            better.append(name)
        elif now > then:
            worse.append(name)
    return better, worse


def _place(right_at: int | None) -> int:
    return 99 if right_at is None else right_at
