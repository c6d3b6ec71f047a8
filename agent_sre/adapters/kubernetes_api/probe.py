"""The doctor's look at a cluster: reach and version, then each right the account should and should not have."""

import asyncio

from agent_sre.adapters.kubernetes_api.connection import Connection, Refused
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.ports.cluster import CLUSTER_SCOPED, READ_KINDS
from agent_sre.ports.health import Check, CheckState

_SUBJECT = "cluster (Kubernetes)"
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
Right = tuple[str, str, str, str]
"""Verb, group, resource (with subresource) and namespace."""


class ConnectionProbe:
    """Checks one connection in the given namespaces ("" for all). A failure is a Check, never an exception."""

    def __init__(self, connection: Connection, namespaces: tuple[str, ...] = ("",)) -> None:
        self._connection = connection
        self._namespaces = namespaces or ("",)

    async def check(self) -> tuple[Check, ...]:
        """Reach first; rights only where that went well."""
        try:
            version = await self._connection.json("GET", "/version", "get the server's version")
        except Refused as refused:
            return (Check(_SUBJECT, CheckState.FAILED, str(refused.error("its version")), "renew the credentials"),)
        except TemporaryError as error:
            return (Check(_SUBJECT, CheckState.FAILED, str(error), "check the network and the server's address"),)
        except PermanentError as error:
            return (Check(_SUBJECT, CheckState.FAILED, str(error), "correct the AGENT_SRE_KUBE* settings"),)
        reach = Check(_SUBJECT, CheckState.OK, f"answers, version {version.get('gitVersion', 'unknown')}")
        return (reach, await self._rights())

    async def _rights(self) -> Check:
        subject = f"{_SUBJECT} rights"
        rights = [right for namespace in self._namespaces for right in _needed(namespace)]
        try:
            answers = await asyncio.gather(*(self._allowed(right) for right in dict.fromkeys(rights)))
        except (Refused, TemporaryError, PermanentError) as error:
            return Check(subject, CheckState.WARNING, f"could not be asked: {error}", "allow selfsubjectaccessreviews")
        missing = [right for right, allowed in zip(dict.fromkeys(rights), answers, strict=True) if not allowed]
        if not missing:
            return Check(subject, CheckState.OK, f"all {len(answers)} reading rights are there")
        shown = ", ".join(_shown(right) for right in missing[:8]) + (", ..." if len(missing) > 8 else "")
        fix = "grant get and list on them; without, they are evidence gaps"
        return Check(subject, CheckState.WARNING, f"{len(missing)} of {len(answers)} are missing: {shown}", fix)

    async def _allowed(self, right: Right) -> bool:
        verb, group, resource, namespace = right
        name, _, subresource = resource.partition("/")
        attributes = {"verb": verb, "group": group, "resource": name, "namespace": namespace}
        if subresource:
            attributes["subresource"] = subresource
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = await self._connection.json("POST", _REVIEWS, "review own rights", body=body)
        return (answer.get("status") or {}).get("allowed") is True


def _needed(namespace: str) -> list[Right]:
    """What the collectors read."""
    rights = [("get", "", "pods/log", namespace)]
    for kind, (version, plural) in READ_KINDS.items():
        group = version.rpartition("/")[0]
        rights.append(("list", group, plural, "" if kind in CLUSTER_SCOPED else namespace))
    return rights


def _shown(right: Right) -> str:
    verb, _, resource, namespace = right
    return f"{verb} {resource}" + (f" in {namespace}" if namespace else "")
