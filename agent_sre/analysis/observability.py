"""The watching itself is at fault: a rule that is wrong, a target not scraped, series that ended; or nothing is.

An alert is a claim about the world by a rule. Before anybody is blamed the claim is checked: does the expression hold
now, did it hold all the time and at the usual level (then its threshold is wrong, not the service), are its series
there at all, is the target scraped. Each of these is only said where users are not hit: nothing that answers requests
is slower or fails more than it does on any day. Called by the engine.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

import numpy as np

from agent_sre.analysis.casefile import CaseFile, Seen
from agent_sre.analysis.departures import clock, incident_start, number
from agent_sre.analysis.grounding import empty_answer
from agent_sre.analysis.log_entries import troubles
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import Profile, profiles
from agent_sre.analysis.signals import workload_of_pod
from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.alert_rule import comparison_in, expression_in_link
from agent_sre.domain.evidence import Observation
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.instant import format_instant
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.telemetry import Change, Series
from agent_sre.domain.visible import one_line

_CONDITIONS = "alert_conditions/"
_METRIC = re.compile(r"(?<![\w\"'~=.:])([a-zA-Z_:][\w:]*)\s*(?=[{\[)]|$|\s*[<>=!+*/-])")
_FUNCTIONS = frozenset(
    [
        "rate",
        "irate",
        "increase",
        "sum",
        "avg",
        "min",
        "max",
        "count",
        "by",
        "without",
        "on",
        "ignoring",
        "absent",
        "absent_over_time",
        "histogram_quantile",
        "vector",
        "time",
        "and",
        "or",
        "unless",
        "bool",
        "offset",
        "clamp_min",
        "clamp_max",
        "scalar",
        "topk",
        "bottomk",
        "quantile",
        "delta",
        "deriv",
        "predict_linear",
    ]
)
_RULE_LINES = re.compile(r"\bexpr:|\bfor:|threshold|\balert(?:ing)?s?\b|\brules?\b|\bquery:|monitor", re.IGNORECASE)
_EDITED = timedelta(hours=1)
_STEADY = 0.25
_ALL_THE_TIME = 0.9
_NO_DATA = re.compile(r"no ?data|absent|missing series|datasource_?error", re.IGNORECASE)
_ENDED = 3 * 60.0
_STEPS_MISSING = 5


def alert_rule_wrong(case: CaseFile) -> Iterable[Finding]:
    """Rules whose condition holds all the time at the usual level of what they watch, while nobody suffers."""
    if anybody_suffers(case):
        return
    for alert in case.alerts:
        seen = _condition(case, alert)
        told = comparison_in(_expression(alert, seen))
        if alert.status is not AlertStatus.FIRING or seen is None or told is None or not seen.series:
            continue
        threshold = told.threshold
        for series in seen.series:
            level = _steady_level(case, series)
            if level is None:
                continue
            shown = (
                f"{series}: {number(level)} from {clock(series.times[0])} to {clock(series.times[-1])} in"
                f" {len(series.times)} samples; condition {told.words} of {seen.query[:200]}"
            )
            said = f"{told.operator} {told.number} holds all the time: the usual level is {number(level)}"
            facts = [Fact(said, seen.id, shown)]
            yield Finding(
                analyzer="alert_rule_wrong",
                fault="alert_rule_wrong",
                object=_rule(case, alert),
                strength=0.82 if _far(level, threshold) else 0.7,
                statement=f"Rule {alert.name} takes a usual level for trouble; nothing else is out of order.",
                facts=(*facts, *_unaffected(case, alert)),
                distinguish=f"the rule of {alert.name}: unit, direction and threshold, and when it was last edited",
            )
            break


def alert_rule_edited(case: CaseFile) -> Iterable[Finding]:
    """Rules that somebody edited shortly before they fired, while nobody suffers."""
    if anybody_suffers(case):
        return
    for alert in case.alerts:
        edits = [seen for seen in case.changes if _edits(seen.value, alert)]
        if alert.status is not AlertStatus.FIRING or not edits:
            continue
        last = max(edits, key=lambda seen: (seen.value.time, seen.value.id))
        change = last.value
        lines = [line for line in change.diff.splitlines() if line[:1] in "+-" and _RULE_LINES.search(line)]
        shown = f"{format_instant(change.time)} {change.target}: {change.summary}; {' '.join(lines)}"
        said = f"{change.summary} was made shortly before {alert.name} fired"
        yield Finding(
            analyzer="alert_rule_edited",
            fault="alert_rule_wrong",
            object=_rule(case, alert),
            strength=0.78 if lines else 0.66,
            statement=f"Rule {alert.name} was edited shortly before it fired; nothing else is out of order.",
            facts=(Fact(said, last.observation, one_line(shown, 600), change.time), *_unaffected(case, alert)),
            change=change.id,
            onset=change.time,
            distinguish=f"the expression of {alert.name} as it was before, over the same hour",
        )


def _edits(change: Change, alert: Alert) -> bool:
    """Whether a change touches the rule of an alert, and came before it fired, but not long before."""
    text = f"{change.target} {change.summary} {change.diff}"
    ago = alert.starts_at - change.time
    return alert.name in text and bool(_RULE_LINES.search(text)) and timedelta(0) <= ago <= _EDITED


def _expression(alert: Alert, seen: Observation | None) -> str:
    return seen.query if seen is not None else ""


def _condition(case: CaseFile, alert: Alert) -> Observation | None:
    """The evaluation of the alert's own expression over the window."""
    wanted = expression_in_link(alert.generator_url)
    rules = [rule for item in case.observations.values() for rule in item.rules if rule.get("name") == alert.name]
    texts = {wanted, *(str(rule.get("query", "")) for rule in rules)} - {""}
    found = [item for item in case.observations.values() if item.id.startswith(_CONDITIONS) and item.query in texts]
    return found[0] if found else None


def _steady_level(case: CaseFile, series: Series) -> float | None:
    """The level of a condition that holds through the whole window without a change; None where it does not."""
    times, values = np.asarray(series.times), np.asarray(series.values)
    if times.size < 10:
        return None
    step = float(np.median(np.diff(times)))
    held = times.size * step / max(case.window.end.timestamp() - case.window.start.timestamp(), step)
    middle = float(np.median(values))
    if held < _ALL_THE_TIME or middle == 0:
        return None
    parts = [float(np.median(part)) for part in np.array_split(values, 4)]
    return middle if max(parts) - min(parts) <= _STEADY * abs(middle) else None


def _far(level: float, threshold: float) -> bool:
    if threshold == 0 or level == 0:
        return True
    return max(abs(level / threshold), abs(threshold / level)) >= 3


def _rule(case: CaseFile, alert: Alert) -> ObjectRef:
    return ObjectRef("Component", case.namespaces[0] if case.namespaces else "", alert.name)


def _suffers(profile: Profile) -> bool:
    """Whether it is clearly slower or fails more than usual."""
    if profile.failing > 0.01:
        return True
    moved = profile.strongest("latency")
    return profile.slow > 0 and moved is not None and moved.strong and moved.after > 1.3 * moved.before


def anybody_suffers(case: CaseFile) -> bool:
    """Whether any workload is clearly slower or fails more than usual, or logs errors that it did not log before."""
    return any(_suffers(profile) for profile in profiles(case).values()) or any(
        item.severity >= 3 for item in troubles(case)
    )


def _unaffected(case: CaseFile, alert: Alert) -> Iterator[Fact]:
    """That the alerted workload answers as on any day."""
    profile = profiles(case).get(alert.service)
    for meaning in ("latency", "traffic", "errors"):
        moved = profile.strongest(meaning) if profile is not None else None
        if moved is not None and not moved.strong:
            yield moved.fact(f"{alert.service} is as usual: {moved.told}")


def scrape_target_down(case: CaseFile) -> Iterable[Finding]:
    """Targets whose scrape fails since some time although what is behind them serves."""
    reported: set[str] = set()
    for seen in case.series:
        series = seen.value
        if series.name != "up" or len(series.values) == 0 or series.values[-1] != 0:
            continue
        name = _target_name(series)
        if name in reported:
            continue
        reported.add(name)
        profile = profiles(case).get(name)
        if profile is not None and (_suffers(profile) or _silent(case, profile)):
            continue
        zero = next((t for t, v in zip(series.times, series.values, strict=True) if v == 0), series.times[0])
        shown = f"{series}: 0 since {clock(zero)}, last {clock(series.times[-1])}"
        serving = _serving(case, name, float(zero))
        named = any(_about(alert, name, series) for alert in case.alerts)
        yield Finding(
            analyzer="scrape_target_down",
            fault="scrape_target_down",
            object=object_of(case, name, series.labels.get("namespace", "")),
            strength=0.55 + 0.2 * named + 0.1 * bool(serving),
            statement=f"The scrape of {name} fails; the target itself gives no sign of trouble.",
            facts=(Fact(f"The scrape of {name} fails", seen.observation, shown), *serving),
            distinguish=f"the metrics endpoint of {name} by hand, and the scrape's last error",
        )


def _target_name(series: Series) -> str:
    """The workload behind a scrape: its pod's, its service's, or the job's name without a namespace."""
    labels = series.labels
    if labels.get("pod"):
        return workload_of_pod(labels["pod"])
    name = labels.get("service") or labels.get("container") or labels.get("job", "")
    return name.rpartition("/")[2] or labels.get("instance", "")


def _silent(case: CaseFile, profile: Profile) -> bool:
    """Whether its requests ended with the scrape, as seen by others: then it is down and not merely unscraped."""
    moved = profile.traffic
    return (
        moved is not None
        and moved.before > 0
        and moved.after < 0.1 * moved.before
        and moved.start >= incident_start(case) - 120
    )


def _serving(case: CaseFile, name: str, since: float) -> tuple[Fact, ...]:
    """Signs of life after the scrape began to fail: lines of its log, requests others count, CPU the node counts."""
    for seen in case.streams:
        lines = [line for line in seen.value.lines if line.time is not None and line.time.timestamp() > since + 60]
        if workload_of_pod(seen.value.source.pod) == name and len(lines) >= 3:
            line = lines[-1]
            return (
                Fact(
                    f"{name} still writes its log",
                    seen.observation,
                    f"{seen.value.source}: {line.text[:200]}",
                    line.time,
                ),
            )
    profile = profiles(case).get(name)
    for meaning in ("traffic", "cpu"):
        moved = profile.strongest(meaning) if profile is not None else None
        if moved is not None and moved.after > 0.5 * moved.before > 0:
            return (
                moved.fact(
                    f"{name} is at work: {number(moved.after)} {moved.signal.unit}, usually {number(moved.before)}"
                ),
            )
    return ()


def _about(alert: Alert, name: str, series: Series) -> bool:
    told = (alert.service, alert.labels.get("instance", ""), alert.labels.get("pod", ""), alert.labels.get("job", ""))
    ours = {name, series.labels.get("job", ""), series.labels.get("instance", ""), series.labels.get("pod", "")} - {""}
    return any(item in ours for item in told if item)


def no_data(case: CaseFile) -> Iterable[Finding]:
    """Alerts about series that are not there: named so by the source, or whose metric ended or never was."""
    if any(profile.failing > 0.01 for profile in profiles(case).values()):
        return
    for alert in case.alerts:
        if alert.status is not AlertStatus.FIRING:
            continue
        seen = _condition(case, alert)
        expression = expression_in_link(alert.generator_url)
        says = _NO_DATA.search(f"{alert.name} {alert.labels.get('grafana_state_reason', '')} {alert.summary}")
        absent = expression.lstrip().startswith(("absent(", "absent_over_time("))
        if not (says or absent):
            continue
        ended = _ended(case, expression)
        empty = seen is not None and not seen.series and not absent
        if not (ended or empty or (absent and seen is not None and seen.series)):
            continue
        yield Finding(
            analyzer="no_data",
            fault="no_data",
            object=_rule(case, alert),
            strength=0.8 if ended or absent else 0.7,
            statement=f"Alert {alert.name} has no samples to judge by.",
            facts=tuple(_absence(seen, ended)),
            distinguish="whether the exporter still gives the series under this name and these labels",
        )


def _absence(seen: Observation | None, ended: Sequence[Seen[Series]]) -> Iterator[Fact]:
    for item in ended[:2]:
        series = item.value
        shown = f"{series}: last sample {clock(series.times[-1])}, value {number(series.values[-1])}"
        yield Fact(f"{series.name} ended at {clock(series.times[-1])}", item.observation, shown)
    if seen is not None and seen.series:
        yield Fact(
            "The condition of absence holds",
            seen.id,
            f"{seen.series[0]}: {len(seen.series[0].times)} samples of {seen.query[:200]}",
        )
    elif seen is not None and not ended:
        yield Fact("The alert's expression has no samples", seen.id, empty_answer(seen))


def _ended(case: CaseFile, expression: str) -> list[Seen[Series]]:
    """The series of the expression's metrics whose samples end before now."""
    names = {name for name in _METRIC.findall(expression) if name not in _FUNCTIONS}
    found = []
    for seen in case.series:
        times = seen.value.times
        if seen.value.name in names and len(times) > _STEPS_MISSING:
            step = float(np.median(np.diff(np.asarray(times))))
            if case.now.timestamp() - times[-1] > max(_STEPS_MISSING * step, _ENDED):
                found.append(seen)
    return found
