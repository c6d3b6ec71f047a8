"""Which other incident an alert belongs to, where none of its group is active: on facts, never on time alone.

The facts and their weights are the table of ``facts``. Sameness (one workload, one rollout, one rule in one namespace)
makes it the same incident. A relation (one calls the other, it runs on a node that is ill itself) makes it a part: an
incident of its own that waits for the end of the other. Different clusters share nothing, and neither do different
namespaces but a call, a rollout or a node. Pure; of equally good incidents the one that was opened first is taken.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from agent_sre.domain.footprint import Footprint
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.placement import Reason
from agent_sre.domain.telemetry import Change
from agent_sre.ingest.candidates import keys_of
from agent_sre.ingest.facts import WEIGHTS, Fact, FactKind, enough, time_points
from agent_sre.ingest.known import Surroundings
from agent_sre.ingest.step import Match, Step, end_of
from agent_sre.ingest.storm import storm
from agent_sre.ingest.traits import footprint_of

_MOST_LABELS = 2
_PLACES = (
    (FactKind.NAME_ON_NODE, " on the same node "),
    (FactKind.NAME, " in namespace "),
    (FactKind.INSTANCES, " in cluster "),
)
_BEFORE = timedelta(minutes=30)
"""How long before both a change may have been made."""


def correlate(step: Step) -> Step:
    """Set the match of an alert that has no incident; where a person pinned it, none is looked for."""
    if not step.homeless or step.pinned:
        return step
    alert = footprint_of(step.alert)
    return replace(step, match=_best(step, alert) or storm(step, alert))


def _best(step: Step, alert: Footprint) -> Match | None:
    moment, found = alert.first, []
    if moment is None:
        return None
    for incident in step.known.candidates.sharing(_keys(alert, step.known.surroundings)):
        apart = _apart(step, incident, alert)
        if apart is None:
            continue
        facts = tuple(_facts(alert, incident.footprint, apart, step.known.surroundings))
        deciding = enough(facts)
        if deciding is None:
            continue
        if WEIGHTS[deciding].relation and (incident.parent_id or not incident.active):
            continue  # one step only: the neighbours of neighbours are soon everybody
        found.append((sum(fact.points for fact in facts), incident, facts, deciding))
    if not found:
        return None
    found.sort(key=lambda item: (-item[0], item[1].opened_at, item[1].id))
    _, incident, facts, deciding = found[0]
    return _match(step, incident, facts, deciding)


def _match(step: Step, incident: Incident, facts: tuple[Fact, ...], deciding: FactKind) -> Match:
    because = ", ".join(fact.text for fact in facts)
    told = tuple(map(str, facts))
    if not WEIGHTS[deciding].relation:
        return Match(incident, Reason.CORRELATED, f"{incident.id} because: {because}", told)
    return Match(incident, Reason.CHILD, f"part of {incident.id} because: {because}", told)


def _keys(alert: Footprint, around: Surroundings) -> Iterator[str]:
    yield from keys_of(alert)
    names = [workload.partition("/")[2] for workload in alert.workloads]
    for name in names:
        yield from (f"workload:{other}" for other in sorted(around.neighbours.get(name, ())))
    for change in around.changes:
        targets = _targets(change)
        if any(name in targets for name in names):
            for other in (item for item in around.changes if item.id == change.id):
                yield from (f"workload:{name}" for name in _targets(other))


def _apart(step: Step, incident: Incident, alert: Footprint) -> float | None:
    """Seconds between the alert and the incident's; None where it is no candidate."""
    moment = alert.first
    apart = incident.footprint.apart(moment) if moment else None
    if apart is None or moment is None or incident.status is IncidentStatus.CLOSED:
        return None
    if not incident.active:
        over = (moment - end_of(incident)).total_seconds()
        if over > step.known.windows.reopen.total_seconds():
            return None
    if _differ(alert.clusters, incident.footprint.clusters):
        return None
    return apart if apart <= step.known.windows.correlation.total_seconds() else None


def _facts(alert: Footprint, other: Footprint, apart: float, around: Surroundings) -> Iterator[Fact]:
    facts = [
        fact
        for fact in (
            _same_workload(alert, other),
            _same_rollout(alert, other, around),
            _same_alert(alert, other),
            _calls(alert, other, around),
            _on_node(alert, other),
        )
        if fact is not None
    ]
    facts += _same_labels(alert, other)
    yield from facts
    if facts:
        yield Fact(FactKind.TIME, f"{apart:.0f} s apart" if apart else "within its alerts", time_points(apart))


def _fact(kind: FactKind, text: str) -> Fact:
    return Fact(kind, text, WEIGHTS[kind].points)


def _same_workload(alert: Footprint, other: Footprint) -> Fact | None:
    for workload in alert.workloads:
        place, _, name = workload.partition("/")
        if workload in other.workloads:
            kind = FactKind.WORKLOAD if place else FactKind.SERVICE
            return _fact(kind, f"same workload {workload}" if place else f"same service {name}")
        for known in other.workloads:
            namespace, _, theirs = known.partition("/")
            if theirs == name and not (place and namespace):
                return _fact(FactKind.SERVICE, f"same service {name}")
    return None


def _same_rollout(alert: Footprint, other: Footprint, around: Surroundings) -> Fact | None:
    ours = {workload.partition("/")[2] for workload in alert.workloads}
    theirs = {workload.partition("/")[2] for workload in other.workloads}
    start = min(moment for moment in (alert.first, other.first) if moment)
    by_id: dict[str, set[str]] = {}
    for change in around.changes:
        if start - _BEFORE <= change.time <= start:
            by_id.setdefault(change.id, set()).update(_targets(change))
    for change_id, targets in by_id.items():
        if ours & targets and theirs & targets and not ours & theirs:
            return _fact(
                FactKind.ROLLOUT, f"same rollout {change_id} of {' and '.join(sorted((ours | theirs) & targets))}"
            )
    return None


def _same_alert(alert: Footprint, other: Footprint) -> Fact | None:
    """The strongest of the facts that come from one alert rule: they are one witness, not several."""
    for kind, place in _PLACES:
        for named in alert.alerts:
            if place in named and named in other.alerts:
                return _fact(kind, f"same alert {named}")
    rules = [rule for rule in alert.rules if rule in other.rules]
    return _fact(FactKind.RULE, f"same alert rule {rules[0]}".removesuffix(" in ")) if rules else None


def _calls(alert: Footprint, other: Footprint, around: Surroundings) -> Fact | None:
    for workload in alert.workloads:
        neighbours = around.neighbours.get(workload.partition("/")[2], frozenset())
        for known in other.workloads:
            if known.partition("/")[2] in neighbours and known != workload:
                return _fact(FactKind.CALLS, f"{_plain(workload)} and {_plain(known)} call one another")
    return None


def _on_node(alert: Footprint, other: Footprint) -> Fact | None:
    shared = [node for node in alert.nodes if node in other.nodes]
    if not shared:
        return None
    if bool(alert.workloads) != bool(other.workloads):
        ill = "the incident's" if other.nodes and not other.workloads else "its"
        return _fact(FactKind.ON_NODE, f"on node {shared[0]}, which is {ill} own subject")
    return _fact(FactKind.NODE, f"same node {shared[0]}")


def _same_labels(alert: Footprint, other: Footprint) -> list[Fact]:
    shared = [pair for pair in alert.pairs if pair in other.pairs][:_MOST_LABELS]
    return [_fact(FactKind.LABELS, f"same label {pair}") for pair in shared]


def _targets(change: Change) -> set[str]:
    """Names a change's target may mean: "shop/cart", "Deployment shop/cart" and "cart" are one."""
    return {part.rpartition("/")[2].strip() for part in change.target.replace(",", " ").split() if part}


def _plain(workload: str) -> str:
    return workload.removeprefix("/")


def _differ(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    return bool(ours and theirs) and not set(ours) & set(theirs)
