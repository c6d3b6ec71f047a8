"""What we write on an object to recognise our own effect, and what others write there to say that they keep it.

The effect's id is an annotation of the object itself, never of its pod template: an annotation of the template would
restart the pods.
"""

from collections.abc import Mapping
from typing import Any

EFFECT = "agent-sre.io/effect"
"""Annotation with the id of the last effect that changed the object."""

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""Annotation of a pod template that ``kubectl rollout restart`` sets, and so do we."""


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Annotation in which ``kubectl apply`` notes what it was given last."""


def keeper_note(item: Mapping[str, Any]) -> str:
    """A line for the preview where a GitOps tool keeps the object and may put its own state back; else ""."""
    meta = item["metadata"]
    annotations, labels = meta.get("annotations") or {}, meta.get("labels") or {}
    if "argocd.argoproj.io/tracking-id" in annotations or "argocd.argoproj.io/instance" in labels:
        return "\nNote: Argo CD manages this object; with automated sync it will put back what its source says."
    if any(key.endswith(".toolkit.fluxcd.io/name") for key in labels):
        return "\nNote: Flux manages this object and will put back what its source says at its next reconciliation."
    if "meta.helm.sh/release-name" in annotations:
        return "\nNote: Helm manages this object; its release record will not know of the change."
    return ""
