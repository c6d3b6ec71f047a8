"""The doctor's look at a cluster: reach and version, then the rights an account needs, and one it should not have.

Rights are asked of the server (SelfSubjectAccessReview), never tried out: nothing is read or changed to find out.
"""

import asyncio
from collections.abc import Iterable

from agent_sre.adapters.kubernetes_api.connection import Connection, Refused
from agent_sre.adapters.kubernetes_api.grants import Right, account, by_verb, commands, in_words
from agent_sre.adapters.kubernetes_api.reach import Reach
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.ports.cluster import CLUSTER_SCOPED, READ_KINDS
from agent_sre.ports.health import Check, CheckState

_SUBJECT = "cluster (Kubernetes)"
_WRITER = "cluster (Kubernetes) actions"
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_ROLE = "agent-sre-reader"
_WRITER_ROLE = "agent-sre-executor"


class ConnectionProbe:
    """Checks one connection in the given namespaces ("" for all). A failure is a Check, never an exception.

    ``secrets_wanted``: the site reads Helm's releases, by the metadata of their Secrets.
    """

    def __init__(
        self,
        connection: Connection,
        namespaces: tuple[str, ...] = ("",),
        reach: Reach | None = None,
        secrets_wanted: bool = False,
    ) -> None:
        self._connection = connection
        self._namespaces = namespaces or ("",)
        self._reach = reach or Reach()
        self._secrets_wanted = secrets_wanted

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
        detail = f"{self._connection.server} answers, version {version.get('gitVersion', 'unknown')}"
        return (Check(_SUBJECT, CheckState.OK, detail), await self._rights())

    async def _rights(self) -> Check:
        subject = f"{_SUBJECT} rights"
        needed = dict.fromkeys(right for namespace in self._namespaces for right in _needed(namespace, self._reach))
        secrets = [("list", "", "secrets", namespace) for namespace in self._namespaces]
        try:
            missing = await _missing(self._connection, needed)
            unread = await _missing(self._connection, secrets)
        except (Refused, TemporaryError, PermanentError) as error:
            return Check(subject, CheckState.WARNING, f"could not be asked: {error}", "allow selfsubjectaccessreviews")
        if self._secrets_wanted:
            needed |= dict.fromkeys(secrets)
            missing += unread
        if missing:
            who = await account(self._connection)
            detail = _counted(missing, needed, who) + "; without them there are evidence gaps"
            return Check(subject, CheckState.WARNING, detail, commands(missing, who, _ROLE))
        if self._secrets_wanted:
            detail = f"all {len(needed)} reading rights are there; of Secrets only the metadata of Helm's is asked for"
            return Check(subject, CheckState.OK, detail)
        if len(unread) < len(secrets):
            detail = f"all {len(needed)} reading rights are there, and that to read Secrets, which is never used"
            return Check(subject, CheckState.WARNING, detail, "use an account that cannot read Secrets")
        detail = f"all {len(needed)} reading rights are there ({by_verb(needed)}), and Secrets are out of reach"
        return Check(subject, CheckState.OK, detail)


async def acting_rights(connection: Connection, rights: Iterable[Right]) -> Check:
    """Whether the connection's account has these rights (namespace "" for what is cluster-scoped). Never raises."""
    needed = dict.fromkeys(rights)
    if not needed:
        fix = "set AGENT_SRE_ACTIONS_NAMESPACES"
        return Check(_WRITER, CheckState.WARNING, "no namespace is open to actions, so each is refused", fix)
    try:
        missing = await _missing(connection, needed)
    except (Refused, TemporaryError, PermanentError) as error:
        return Check(_WRITER, CheckState.FAILED, f"rights could not be asked: {error}", "correct the executor's access")
    if missing:
        who = await account(connection)
        detail = _counted(missing, needed, who) + "; without them approved actions are refused"
        return Check(_WRITER, CheckState.FAILED, detail, commands(missing, who, _WRITER_ROLE))
    return Check(_WRITER, CheckState.OK, f"all {len(needed)} acting rights are there ({by_verb(needed)})")


async def _missing(connection: Connection, rights: Iterable[Right]) -> list[Right]:
    """Those rights the account does not have, in the given order."""
    asked = list(rights)
    answers = await asyncio.gather(*(_allowed(connection, right) for right in asked))
    return [right for right, allowed in zip(asked, answers, strict=True) if not allowed]


async def _allowed(connection: Connection, right: Right) -> bool:
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
    answer = await connection.json("POST", _REVIEWS, "review own rights", body=body)
    return (answer.get("status") or {}).get("allowed") is True


def _needed(namespace: str, reach: Reach) -> list[Right]:
    """What the collectors read, as far as they may ask."""
    rights = [("get", "", "pods/log", namespace)]
    for kind, (version, plural) in READ_KINDS.items():
        if not reach.covers(kind):
            continue
        group = version.rpartition("/")[0]
        rights.append(("list", group, plural, "" if kind in CLUSTER_SCOPED else namespace))
    return rights


def _counted(missing: list[Right], needed: Iterable[Right], who: str) -> str:
    wanted = list(needed)
    there = [right for right in wanted if right not in missing]
    has = f"{who or 'the account'} has {len(there)} of the {len(wanted)} rights that are used"
    named = f" ({by_verb(there)})" if there else ""
    return f"{has}{named}; it lacks {len(missing)}: {in_words(missing)}"
