"""Helm's releases from the metadata of its Secrets: a ChangeReader for sites that opt in.

Helm keeps one Secret per revision of a release, labelled with the release's name, the revision, how it ended and when.
The labels are all that is asked for: the request's ``Accept`` header wants ``PartialObjectMetadata``, so the API server
leaves the data out; ``Connection`` sends no other request about Secrets. Where a server (or a proxy)
answers with whole Secrets nevertheless, nothing of the answer is used. The right that it takes is still that to list
Secrets, since Kubernetes does not divide it: hence the opt-in.

The chart and its version are in the data and so not known here; the labels of what was installed tell them.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from agent_sre.adapters.kubernetes_api.connection import Refused, checked
from agent_sre.adapters.kubernetes_api.reader import PAGE, KubernetesCluster
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import parse_instant
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change

_MOST = 2_000
_TYPE = "type=helm.sh/release.v1"
_WORDS = {
    "deployed": "was deployed",
    "superseded": "was deployed, and superseded since",
    "failed": "failed",
    "pending-install": "is being installed",
    "pending-upgrade": "is being upgraded, or was cut off in the middle",
    "pending-rollback": "is being rolled back, or was cut off in the middle",
    "uninstalling": "is being uninstalled",
    "uninstalled": "was uninstalled",
}


class HelmReleases:
    """Reads through the cluster's own connection, with its limits and its reach."""

    def __init__(self, cluster: KubernetesCluster) -> None:
        self._cluster = cluster

    async def changes(self, namespaces: tuple[str, ...], window: Window) -> tuple[Change, ...]:
        """Each revision of a release that was made in the window, oldest first.

        Raises PermanentError naming verb, resource and namespace where the right is missing.
        """
        found = await asyncio.gather(*(self._labels(namespace) for namespace in namespaces))
        changes = [
            change
            for namespace, every in zip(namespaces, found, strict=True)
            for metadata in every
            if (change := _change(namespace, metadata)) is not None and window.start <= change.time <= window.end
        ]
        return tuple(sorted(changes, key=lambda change: (change.time, change.id)))

    async def _labels(self, namespace: str) -> list[Mapping[str, Any]]:
        """The metadata of one namespace's releases."""
        self._cluster.reach.check("Secret", namespace)
        path, what = f"/api/v1/namespaces/{checked(namespace)}/secrets", f"list secrets in namespace {namespace}"
        found: list[Mapping[str, Any]] = []
        token = ""
        while True:
            query = [("labelSelector", "owner=helm"), ("fieldSelector", _TYPE), ("limit", str(PAGE))]
            query += [("continue", token)] if token else []
            ask = partial(self._cluster.connection.json, "GET", path, what, query=query)
            try:
                document = await self._cluster.retrying(what, ask)
            except Refused as refused:
                raise refused.error(f"{what} (of Helm's, by metadata only)") from None
            found += _metadata(document, what)
            token = str((document.get("metadata") or {}).get("continue") or "")
            if not token:
                return found
            if len(found) > _MOST:
                raise PermanentError(f"{what}: more than {_MOST} revisions of releases; lower Helm's --history-max")


def _metadata(document: Mapping[str, Any], what: str) -> list[Mapping[str, Any]]:
    """The items' metadata. Raises PermanentError where the server sent more than that."""
    items = document.get("items")
    whole = document.get("kind") != "PartialObjectMetadataList" or not isinstance(items, list)
    if whole or any(not isinstance(item, Mapping) or {"data", "stringData"} & set(item) for item in items or ()):
        raise PermanentError(
            f"the server did not answer {what} with metadata only; nothing of it was kept; set AGENT_SRE_HELM_SECRETS="
            "false, or let no proxy change the Accept header"
        )
    return [item["metadata"] for item in items or () if isinstance(item.get("metadata"), Mapping)]


def _change(namespace: str, metadata: Mapping[str, Any]) -> Change | None:
    labels = metadata.get("labels") or {}
    name, revision, status = (str(labels.get(key) or "") for key in ("name", "version", "status"))
    time = _time(labels, metadata)
    if not name or time is None:
        return None
    summary = f"Helm release {name} revision {revision} {_WORDS.get(status, f'has the status {status[:40]}')}"
    return Change(f"helm/{namespace}/{name}@v{revision}", time, "deploy", name, summary)


def _time(labels: Mapping[str, Any], metadata: Mapping[str, Any]) -> datetime | None:
    """When the revision was made. Helm's own label counts from 1970; the Secret is made as the release begins."""
    created = metadata.get("creationTimestamp")
    try:
        if str(labels.get("createdAt", "")).isdigit():
            return datetime.fromtimestamp(int(labels["createdAt"]), UTC)
        return parse_instant(created) if isinstance(created, str) else None
    except (ValueError, OverflowError, OSError):
        return None
