"""Rights that an account lacks, in words, and the commands that would grant them.

A right is granted where it is asked for: a Role in the namespace, a ClusterRole for what has none. The commands are for
a person to read and run; they name nothing but what is lacking, so that running them grants nothing more.
"""

from collections.abc import Iterable, Sequence

from agent_sre.adapters.kubernetes_api.connection import Connection, Refused
from agent_sre.domain.errors import PermanentError, TemporaryError

Right = tuple[str, str, str, str]
"""Verb, group, resource (with subresource) and namespace."""
_WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_SERVICE_ACCOUNT = "system:serviceaccount:"


async def account(connection: Connection) -> str:
    """The name the server knows us by, or "" where it does not say (before Kubernetes 1.28)."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        answer = await connection.json("POST", _WHO, "ask for our own name", body=body)
    except (Refused, TemporaryError, PermanentError):
        return ""
    return str(((answer.get("status") or {}).get("userInfo") or {}).get("username") or "")


def in_words(rights: Sequence[Right]) -> str:
    """``list deployments.apps in shop, bank; get pods/log in shop``: each verb and resource once."""
    places: dict[tuple[str, str], list[str]] = {}
    for verb, group, resource, namespace in rights:
        places.setdefault((verb, _qualified(group, resource)), []).append(namespace)
    return "; ".join(
        f"{verb} {resource}" + (f" in {', '.join(where)}" if any(where) else "")
        for (verb, resource), where in places.items()
    )


def by_verb(rights: Iterable[Right]) -> str:
    """``get pods/log; list pods, services``: what may be done, wherever."""
    found: dict[str, dict[str, None]] = {}
    for verb, group, resource, _ in rights:
        found.setdefault(verb, {})[_qualified(group, resource)] = None
    return "; ".join(f"{verb} {', '.join(resources)}" for verb, resources in found.items())


def commands(rights: Sequence[Right], who: str, role: str) -> str:
    """One line for each verb and namespace: a role with exactly what is lacking there, and its binding to ``who``."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for verb, group, resource, namespace in rights:
        lacking.setdefault((verb, namespace), []).append(_qualified(group, resource))
    return "\n".join(
        _command(f"{role}-{verb}", verb, ",".join(dict.fromkeys(resources)), namespace, _subject(who))
        for (verb, namespace), resources in sorted(lacking.items())
    )


def _command(role: str, verb: str, resources: str, namespace: str, subject: str) -> str:
    kind, place = ("role", f" -n {namespace}") if namespace else ("clusterrole", "")
    return (
        f"kubectl create {kind} {role}{place} --verb={verb} --resource={resources} && "
        f"kubectl create {kind}binding {role}{place} --{kind}={role} {subject}"
    )


def _subject(who: str) -> str:
    if who.startswith(_SERVICE_ACCOUNT):
        return f"--serviceaccount={who.removeprefix(_SERVICE_ACCOUNT)}"
    return f"--user={who}" if who else "--serviceaccount=NAMESPACE:ACCOUNT"


def _qualified(group: str, resource: str) -> str:
    """As kubectl names it: ``deployments.apps``, ``pods/log``."""
    name, slash, subresource = resource.partition("/")
    return f"{name}.{group}{slash}{subresource}" if group else resource
