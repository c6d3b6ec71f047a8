"""A Kubernetes API server over real sockets, in front of any ClusterReader and ClusterWriter.

Speaks what the adapters use of the API: paged lists, objects, changes with their preconditions (``kube_api_writes``),
logs, reviews of own rights, Status objects for refusals, a bearer token. Failures can be played per request, and every
request is recorded. With FakeCluster behind it, the real adapter can be held to the same suite as the fake.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from aiohttp import web

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.field_selector import selects
from agent_sre.domain.instant import EPOCH, format_instant, parse_instant
from agent_sre.domain.reference import ObjectRef, Window
from agent_sre.domain.telemetry import LogLine, LogSource
from agent_sre.ports.cluster import CLUSTER_SCOPED, READ_KINDS, ClusterReader, ClusterWriter
from agent_sre.ports.logs import LogReader
from agent_sre.testing.kube_api_answers import code_of, forbidden, missing, status, unavailable
from agent_sre.testing.kube_api_writes import change

_PATH = re.compile(
    r"/(?:api|apis)/(?P<version>v1|[^/]+/v[0-9a-z]+)(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?P<below>/log|/eviction)?"
)
_KINDS = {(version, plural): kind for kind, (version, plural) in READ_KINDS.items()}
_GROUPS = frozenset(version.partition("/")[0] for version, _ in READ_KINDS.values() if "/" in version)
_SECRETS = re.compile(r"/api/v1(?:/namespaces/([^/]+))?/secrets(?:/.*)?")
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_MAX_LINES = 100_000


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What the next request is answered with; status 0 cuts the connection. ``after`` lets the effect happen first.

    ``message`` goes into a Status object, unless ``body`` says what comes instead of one.
    """

    status: int
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    after: bool = False
    body: str = ""


class KubeApiServer:
    """Serves one cluster. ``faults`` are used up one per request; ``denied`` holds (verb, plural) without rights.

    Logs come from ``logs`` (whole texts, each line with its time) or, where that has none, from ``log_reader``.
    ``unserved`` holds API groups, and kinds of a group (``applications.argoproj.io``), that this cluster does not
    have; ``older`` the one version that it has of a group instead of the usual. ``patched`` holds what was really
    changed: no dry run, no conflict, no patch that changed nothing. ``secrets`` are given by their metadata only: a
    request that would bring their data fails the test that made it, when the server ends. ``ignores_accept`` makes it
    a proxy that drops the header which asks for metadata, with a value in each Secret.
    """

    def __init__(
        self, reader: ClusterReader, writer: ClusterWriter | None = None, log_reader: LogReader | None = None
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.log_reader = log_reader
        self.patched: list[ObjectRef] = []
        self.token = "let-me-in"  # noqa: S105 - nothing is behind it
        self.account = "system:serviceaccount:ops:agent-sre"
        self.url = ""
        self.logs: dict[LogSource, str] = {}
        self.denied: set[tuple[str, str]] = set()
        self.unserved: set[str] = set()
        self.older: dict[str, str] = {}
        self.secrets: list[Mapping[str, Any]] = []
        self.ignores_accept = False
        self.requests: list[Request] = []
        self.faults: list[Fault] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["KubeApiServer"]:
        """Listen on a free loopback port while the block runs; ``url`` says where."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()
        whole = [item.path for item in self.requests if _asks_for_secrets(item)]
        if whole:
            raise AssertionError(f"the data of Secrets was asked for: {', '.join(whole)}")

    def kubeconfig(self, token: str | None = None) -> str:
        """The text of a kubeconfig for this server (JSON, which YAML contains)."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.url}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "users": [{"name": "test", "user": {"token": self.token if token is None else token}}],
        }
        return orjson.dumps(config).decode()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; a server that serves other things too calls it for those that are meant for this one."""
        raw = await request.read()
        body = orjson.loads(raw) if raw else None
        self.requests.append(Request(request.method, request.path, dict(request.query), dict(request.headers), body))
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and not fault.after:
            return await _play(fault, request)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return status(401, "Unauthorized")
        try:
            answer = await self._answer(request, body)
        except TemporaryError as error:
            answer = unavailable(error)
        except PermanentError as error:
            answer = status(code_of(str(error)), str(error))
        return answer if fault is None else await _play(fault, request)

    async def _answer(self, request: web.Request, body: Any) -> web.Response:
        discovered = self._discovery(request.path)
        if discovered is not None:
            return discovered
        if request.path in (_REVIEW, _WHO) and request.method == "POST":
            return self._review(body)
        if _SECRETS.fullmatch(request.path):
            return self._secrets(request)
        match = _PATH.fullmatch(request.path)
        kind = self._kind(match["version"], match["plural"]) if match else None
        if match is None or kind is None:
            return status(404, "the server could not find the requested resource")
        namespace, name = match["namespace"] or "", match["name"] or ""
        below = match["below"] or ""
        verb = {"GET": "get" if name else "list", "POST": "create"}.get(request.method, request.method.lower())
        if below == "/log":
            return await self._log(namespace, name, request.query)
        if (verb, match["plural"] + below) in self.denied:
            return status(403, forbidden(verb, match["version"], match["plural"] + below, namespace))
        if verb == "list":
            return await self._list(kind, namespace, request.query)
        ref = ObjectRef(kind, "" if kind in CLUSTER_SCOPED else namespace, name)
        return await (self._get(ref) if verb == "get" else self._change(verb, below, ref, body, request))

    def _discovery(self, path: str) -> web.Response | None:
        """The server's version, an API group, or 404 for everything of a group that is not served."""
        if path == "/version":
            return web.json_response({"major": "1", "minor": "31", "gitVersion": "v1.31.4"})
        group, _, rest = path.removeprefix("/apis/").partition("/")
        if group in self.unserved:
            return status(404, "the server could not find the requested resource")
        if group not in _GROUPS or "/" in rest:
            return None
        versions = {item.partition("/")[2] for item, _ in READ_KINDS.values() if item.startswith(f"{group}/")}
        versions = {self.older[group]} if group in self.older else versions
        if not rest:
            found = [{"groupVersion": f"{group}/{version}", "version": version} for version in sorted(versions)]
            return web.json_response({"kind": "APIGroup", "apiVersion": "v1", "name": group, "versions": found})
        plurals = [plural for item, plural in READ_KINDS.values() if self._kind(f"{group}/{rest}", plural)]
        resources = [{"name": plural, "verbs": ["get", "list"]} for plural in plurals]
        return web.json_response({"kind": "APIResourceList", "groupVersion": f"{group}/{rest}", "resources": resources})

    def _kind(self, api: str, plural: str) -> str | None:
        """The kind that this cluster serves by a version and a plural, or None."""
        group, _, version = api.rpartition("/")
        if f"{plural}.{group}" in self.unserved or (group in self.older and self.older[group] != version):
            return None
        usual = {(item.rpartition("/")[0], name): kind for kind, (item, name) in READ_KINDS.items()}
        return usual.get((group, plural)) if group in self.older else _KINDS.get((api, plural))

    async def _list(self, kind: str, namespace: str, query: Mapping[str, str]) -> web.Response:
        items = await self.reader.list(kind, namespace, query.get("fieldSelector", ""))
        start, limit = int(query.get("continue") or 0), int(query.get("limit") or 0) or len(items)
        page = items[start : start + limit]
        metadata = {"resourceVersion": "1"}
        if start + limit < len(items):
            metadata |= {"continue": str(start + limit), "remainingItemCount": str(len(items) - start - limit)}
        # Items of a list carry neither kind nor apiVersion on a real server.
        bare = [{key: value for key, value in item.items() if key not in {"kind", "apiVersion"}} for item in page]
        version = READ_KINDS[kind][0]
        return web.json_response({"kind": f"{kind}List", "apiVersion": version, "metadata": metadata, "items": bare})

    def _secrets(self, request: web.Request) -> web.Response:
        """Metadata of the Secrets that the selector admits, in the form that the Accept header asks for."""
        match = _SECRETS.fullmatch(request.path)
        namespace = match[1] if match else ""
        if ("list", "secrets") in self.denied:
            return status(403, forbidden("list", "v1", "secrets", namespace))
        key, _, value = request.query.get("labelSelector", "").partition("=")
        found = [
            {"metadata": item["metadata"]}
            for item in self.secrets
            if item["metadata"]["namespace"] == namespace
            and item["metadata"].get("labels", {}).get(key) == value
            and selects(request.query.get("fieldSelector", ""), item)
        ]
        if self.ignores_accept:
            whole = [{**item, "data": {"release": "c2VjcmV0"}} for item in found]
            return web.json_response({"kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": whole})
        document = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {}}
        return web.json_response({**document, "items": found})

    async def _get(self, ref: ObjectRef) -> web.Response:
        found = await self.reader.get(ref)
        return missing(ref) if found is None else web.json_response(found)

    async def _change(self, verb: str, below: str, ref: ObjectRef, body: Any, request: web.Request) -> web.Response:
        if self.writer is None or verb not in ("patch", "create", "delete"):
            return status(405, "the server does not allow this method on the requested resource")
        if verb == "create" and not below:
            ref = replace(ref, name=str(body["metadata"]["name"]))
        asked = "evict" if below == "/eviction" else verb
        answer, changed = await change(asked, ref, body, request, self.reader, self.writer)
        if changed:
            self.patched.append(ref)
        return answer

    async def _log(self, namespace: str, pod: str, query: Mapping[str, str]) -> web.Response:
        previous = query.get("previous") == "true"
        source = LogSource(namespace, pod, query.get("container", ""), previous)
        if ("get", "pods/log") in self.denied:
            return status(403, forbidden("get", "v1", "pods/log", namespace))
        text = await self._text(source, _since(query))
        if text is None:
            run = "previous terminated container" if previous else "container"
            return status(400, f'{run} "{source.container}" in pod "{pod}" not found')
        # As the kubelet does it: first the last lines, then of those the first bytes.
        lines = text.splitlines(keepends=True)
        kept = "".join(lines[max(0, len(lines) - int(query.get("tailLines", len(lines)))) :]).encode()
        return web.Response(body=kept[: int(query.get("limitBytes", len(kept)))], content_type="text/plain")

    async def _text(self, source: LogSource, since: datetime) -> str | None:
        """All lines since an instant, each with its time; None where there is no such log."""
        if source in self.logs:
            lines = self.logs[source].splitlines(keepends=True)
            return "".join(line for line in lines if line[:19] >= format_instant(since)[:19])
        window = Window(since, max(since, datetime.now(UTC)))
        if self.log_reader is None or source not in await self.log_reader.sources(source.namespace, window):
            return None
        (stream,) = (await self.log_reader.read(source, window, _MAX_LINES)).streams
        return "".join(_stamped(line) for line in stream.lines)

    def _review(self, body: Any) -> web.Response:
        if body["kind"] == "SelfSubjectReview":
            return web.json_response({**body, "status": {"userInfo": {"username": self.account}}}, status=201)
        attributes = body["spec"]["resourceAttributes"]
        parts = [attributes["resource"], attributes.get("subresource", "")]
        resource = "/".join(part for part in parts if part)
        allowed = (attributes["verb"], resource) not in self.denied
        return web.json_response({**body, "status": {"allowed": allowed}}, status=201)


def _asks_for_secrets(request: Request) -> bool:
    """Whether a request would bring the data of Secrets."""
    accept = request.headers.get("Accept", "")
    return bool(_SECRETS.fullmatch(request.path)) and "as=PartialObjectMetadataList" not in accept.split(",")[0]


def _since(query: Mapping[str, str]) -> datetime:
    """The instant from which lines are asked for."""
    if "sinceTime" in query:
        return parse_instant(query["sinceTime"])
    if "sinceSeconds" in query:
        return datetime.now(UTC) - timedelta(seconds=int(query["sinceSeconds"]))
    return EPOCH


def _stamped(line: LogLine) -> str:
    """An entry as the kubelet prints it: it knows nothing of continuations, so every line has the time."""
    stamp = format_instant(line.time or EPOCH)
    return "".join(f"{stamp} {part}\n" for part in line.text.splitlines() or [""])


async def _play(fault: Fault, request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(fault.delay)
    if fault.status == 0:
        if request.transport is not None:
            request.transport.close()
        return web.Response()
    response = status(fault.status, fault.message)
    if fault.body:
        response = web.Response(status=fault.status, text=fault.body)
    response.headers.update(fault.headers)
    return response
