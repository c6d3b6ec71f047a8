"""What the autoscaler objects themselves say: the workload needs more replicas than it may have.

The controller writes down what it wanted: the condition ``ScalingLimited`` with the reason ``TooManyReplicas`` says
that the number it computed lies above ``maxReplicas``. That outlives its events, which are gone after an hour, and
needs no metric of it. At the maximum and content (the reason ``DesiredWithinRange``) is no fault. What the same looks
like in metrics is read in ``performance``.
"""

from collections.abc import Iterable

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.reading import namespace_of, number, positions, text
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import profiles
from agent_sre.domain.finding import Finding
from agent_sre.domain.reference import ObjectRef


def autoscalers_limited(case: CaseFile) -> Iterable[Finding]:
    """Workloads whose autoscaler is held back by its maximum; strong where the workload suffers or is alerted about.

    Source: the conditions of HorizontalPodAutoscaler status in autoscaling/v2.
    """
    for seen in case.objects("HorizontalPodAutoscaler"):
        item = seen.value
        top, current = number(item, "spec", "maxReplicas"), number(item, "status", "currentReplicas")
        limited = next((place for place, told in positions(item, "status", "conditions") if _too_many(told)), None)
        if limited is None or top is None or current is None or current < top:
            continue
        name = text(item, "spec", "scaleTargetRef", "name")
        kind = text(item, "spec", "scaleTargetRef", "kind")
        target = ObjectRef(kind, namespace_of(item), name) if kind else object_of(case, name, namespace_of(item))
        profile = profiles(case).get(name)
        suffers = profile is None or profile.slow > 0 or profile.failing > 0.01
        condition = ("status", "conditions", limited)
        yield Finding(
            analyzer="autoscalers_limited",
            fault="hpa_at_max",
            object=target,
            strength=0.85 if suffers else 0.4,
            statement=f"{name} is at the maximum of its autoscaler and needs more.",
            facts=(
                fact(f"Its autoscaler runs {current} replicas", seen, ("status", "currentReplicas")),
                fact(f"Its maximum is {top}", seen, ("spec", "maxReplicas")),
                fact("It wants more", seen, (*condition, "type"), (*condition, "reason"), (*condition, "message")),
            ),
            explains=tuple(object_of(case, caller) for caller in calls(case).callers.get(name, ())),
            distinguish=f"a higher maximum for {name}: whether its load and latency fall",
        )


def _too_many(condition: object) -> bool:
    told = (text(condition, "type"), text(condition, "status"), text(condition, "reason"))
    return told == ("ScalingLimited", "True", "TooManyReplicas")
