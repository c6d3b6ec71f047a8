"""Which alerts belong together: the source's own grouping, else alert name, namespace and service.

Alertmanager's group key is what an operator chose with ``group_by``; all peers of a cluster send the same one. Wider
correlation (by topology, by time) belongs in this stage and nowhere else.
"""

from dataclasses import replace

from agent_sre.domain.alert import Alert
from agent_sre.ingest.step import Step


def group_key_of(alert: Alert) -> str:
    """The key under which the alert's incident is looked for; never empty, and the same for every peer and message."""
    if alert.group_key:
        return f"{alert.source}:{alert.group_key}"
    parts = (alert.name, alert.namespace, alert.service)
    return f"{alert.source}:" + "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def group(step: Step) -> Step:
    """Set the step's group key."""
    return replace(step, group_key=group_key_of(step.alert))
