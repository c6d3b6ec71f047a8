"""How a Kubernetes API server takes changes: merge patches, creations, deletions and evictions, each with its options.

Where the options are found is part of the API: a deletion with a body has its dry run and preconditions there, and
its query is not looked at; everything else has the dry run in the query.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import ClusterReader, ClusterWriter
from agent_sre.testing.kube_api_answers import missing, status

_MERGE_PATCH = "application/merge-patch+json"


async def change(
    verb: str, ref: ObjectRef, body: Any, request: web.Request, reader: ClusterReader, writer: ClusterWriter
) -> tuple[web.Response, bool]:
    """Carry out one change; the answer, and whether a patch really changed something."""
    if verb == "create":
        manifest = {**body, "metadata": {**body["metadata"], "namespace": ref.namespace}}
        made = await writer.create(manifest, dry_run=_dry(request))
        return web.json_response(made, status=201), False
    if await reader.get(ref) is None:
        return missing(ref), False
    if verb == "patch":
        return await _patch(ref, body, request, writer)
    options = (body or {}).get("deleteOptions") if verb == "evict" else body
    uid = ((options or {}).get("preconditions") or {}).get("uid")
    if verb == "evict":
        await writer.evict(ref, uid=str(uid), dry_run=_dry(request) or _all(options))
        return status(201, "", "Success"), False
    await writer.delete(ref, uid=str(uid), dry_run=_all(options) if body else _dry(request))
    return status(200, "", "Success"), False


async def _patch(ref: ObjectRef, body: Any, request: web.Request, writer: ClusterWriter) -> tuple[web.Response, bool]:
    if request.content_type != _MERGE_PATCH:
        return status(415, f"the body of the request was in an unknown format: {request.content_type}"), False
    metadata = dict(body.get("metadata") or {})
    version = str(metadata.pop("resourceVersion", ""))
    patch = {
        **{key: value for key, value in body.items() if key != "metadata"},
        **({"metadata": metadata} if metadata else {}),
    }
    after = await writer.patch(ref, patch, resource_version=version, dry_run=_dry(request))
    changed = not _dry(request) and str(after["metadata"]["resourceVersion"]) != version
    return web.json_response(after), changed


def _dry(request: web.Request) -> bool:
    return request.query.get("dryRun") == "All"


def _all(options: Mapping[str, Any] | None) -> bool:
    return (options or {}).get("dryRun") == ["All"]
