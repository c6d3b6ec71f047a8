"""Whether a right is granted by now: rules of Roles and ClusterRoles, by their bindings.

A refusal in a log is history once somebody has bound the right. Aggregated ClusterRoles have their rules filled in by
the controller, so rules are read as they stand. Where bindings were not listed nothing is granted, and nothing proven.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.reading import dig, items, text
from agent_sre.domain.reference import ObjectRef

_PREFIX = "system:serviceaccount:"


def granting(case: CaseFile, user: str, verb: str, resource: str, namespace: str) -> Seen[K8sObject] | None:
    """The binding that gives a user the verb on a resource in a namespace, or None."""
    bindings = [*case.objects("RoleBinding", namespace), *case.objects("ClusterRoleBinding")]
    for seen in bindings:
        bound = any(_is(subject, user, namespace) for subject in items(seen.value, "subjects"))
        if bound and any(_allows(rule, verb, resource) for rule in _rules(case, seen.value, namespace)):
            return seen
    return None


def _is(subject: Mapping[str, Any], user: str, namespace: str) -> bool:
    kind, name = text(subject, "kind"), text(subject, "name")
    if kind == "ServiceAccount":
        return user == f"{_PREFIX}{text(subject, 'namespace') or namespace}:{name}"
    if kind == "Group":
        space = user.removeprefix(_PREFIX).partition(":")[0]
        groups = {"system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{space}"}
        return user.startswith(_PREFIX) and name in groups
    return name == user


def _rules(case: CaseFile, binding: K8sObject, namespace: str) -> Iterator[Mapping[str, Any]]:
    kind = text(binding, "roleRef", "kind")
    ref = ObjectRef(kind, namespace if kind == "Role" else "", text(binding, "roleRef", "name"))
    role = case.get(ref)
    yield from items(role.value, "rules") if role is not None else ()


def _allows(rule: Mapping[str, Any], verb: str, resource: str) -> bool:
    if dig(rule, "resourceNames"):
        return False
    verbs, resources = dig(rule, "verbs", default=[]), dig(rule, "resources", default=[])
    return ("*" in verbs or verb in verbs) and ("*" in resources or resource in resources)
