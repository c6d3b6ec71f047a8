"""Label selectors, node selector terms, taints and tolerations: what matches what, exactly as Kubernetes decides it."""

from collections.abc import Mapping
from typing import Any

from agent_sre.analysis.kubernetes.reading import dig, items, labels, text

_NO_SCHEDULE = frozenset({"NoSchedule", "NoExecute"})


def selects(selector: Mapping[str, str], found: Mapping[str, str]) -> bool:
    """Whether equality requirements hold; an empty selector selects nothing (as a Service's does)."""
    return bool(selector) and all(found.get(key) == value for key, value in selector.items())


def label_selector(selector: Any, found: Mapping[str, str]) -> bool:
    """A ``LabelSelector`` (matchLabels and matchExpressions); an empty one selects everything."""
    wanted = labels(selector, "matchLabels")
    return all(found.get(key) == value for key, value in wanted.items()) and all(
        requirement(item, found) for item in items(selector, "matchExpressions")
    )


def node_terms(terms: list[Mapping[str, Any]], node: Mapping[str, Any]) -> bool:
    """Node selector terms: any term holds; all requirements of it hold; an empty term holds nowhere."""
    found = labels(node, "metadata", "labels")
    fields = {"metadata.name": text(node, "metadata", "name")}
    return any(_term(term, found, fields) for term in terms)


def _term(term: Mapping[str, Any], found: Mapping[str, str], fields: Mapping[str, str]) -> bool:
    on_labels, on_fields = items(term, "matchExpressions"), items(term, "matchFields")
    if not on_labels and not on_fields:
        return False
    return all(requirement(item, found) for item in on_labels) and all(requirement(item, fields) for item in on_fields)


def requirement(item: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    """One match expression (key, operator, values) against labels."""
    key, operator = text(item, "key"), text(item, "operator")
    values = [str(value) for value in dig(item, "values", default=[])]
    present = found.get(key)
    if operator == "In":
        return present in values
    if operator == "NotIn":
        return present not in values
    if operator == "Exists":
        return present is not None
    if operator == "DoesNotExist":
        return present is None
    if operator in ("Gt", "Lt") and present is not None and present.lstrip("-").isdigit() and values:
        bound = int(values[0]) if values[0].lstrip("-").isdigit() else 0
        return int(present) > bound if operator == "Gt" else int(present) < bound
    return False


def untolerated(taints: list[Mapping[str, Any]], tolerations: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The taints that keep a pod off a node."""
    keeping = [taint for taint in taints if text(taint, "effect") in _NO_SCHEDULE]
    return [taint for taint in keeping if not any(_tolerates(item, taint) for item in tolerations)]


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    effect = text(toleration, "effect")
    if effect and effect != text(taint, "effect"):
        return False
    key = text(toleration, "key")
    if text(toleration, "operator") == "Exists":
        return not key or key == text(taint, "key")
    return key == text(taint, "key") and text(toleration, "value") == text(taint, "value")
