"""Requests to one API server with one account: sent, bounded, and their failures told apart.

Which failures may pass by themselves: no connection, silence, 429 and 5xx (and 410 in the middle of a paged listing,
which the reader handles). A missing right, refused credentials or a conflict will not, and their messages name the
verb, the resource and the namespace, as the server's own sentence does.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import orjson

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.ports.cluster import CLUSTER_SCOPED, NAMES_ONLY, NEVER_READ, READ_KINDS, NotOffered

if TYPE_CHECKING:
    import aiohttp
    from kubernetes.aio.client.api_client import ApiClient
    from kubernetes.aio.dynamic.client import DynamicClient

MAX_BYTES = 64 * 1024 * 1024
TIMEOUT = 10.0
"""Seconds per request, where nothing else is said."""
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9._:]{0,251}[A-Za-z0-9])?")
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_SECRETS = re.compile(r"/api/v1(?:/watch)?(?:/namespaces/[^/]+)?/secrets(/.*)?$")
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""The Accept header that makes an API server leave everything but the metadata out."""
_CHUNK = 64 * 1024
_EXCERPT = 300
Query = Sequence[tuple[str, str]]
Mode = Literal["auto", "in_cluster", "kubeconfig"]


@dataclass(frozen=True, slots=True)
class Access:
    """Where the account comes from. ``auto``: a kubeconfig that is named, else in a pod its service account.

    ``kubeconfig`` is a path, "" for the library's default (KUBECONFIG or ~/.kube/config); ``context`` "" for the
    current one; ``timeout`` is seconds per request.
    """

    mode: Mode = "auto"
    kubeconfig: str = ""
    context: str = ""
    timeout: float = TIMEOUT


class Refused(Exception):
    """A status that is no success, before it is known what it means to the caller; never leaves this package."""

    def __init__(self, status: int, message: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after

    def error(self, what: str) -> TemporaryError | PermanentError:
        """The error to raise where no special case applies; ``what`` names verb, resource and namespace."""
        if self.status == 401:
            return PermanentError(
                f"Kubernetes refused the credentials for {what} (401): {self}; renew the account's token"
            )
        if self.status == 403:
            return PermanentError(f"Kubernetes does not allow {what} (403): {self}; grant that right to the account")
        if self.status in {408, 429} or self.status >= 500:
            return TemporaryError(f"Kubernetes answered {self.status} to {what}: {self}", retry_after=self.retry_after)
        return PermanentError(f"Kubernetes refused {what} ({self.status}): {self}")


class Unsent(TemporaryError):
    """No connection: the request certainly did not reach the server."""


class UnusableAnswer(PermanentError):
    """The request was carried out, but what came back cannot be used."""


@dataclass(slots=True, eq=False)
class _Session:
    """One client with its credentials, and how many requests use it now. The library opens a closed one again for a
    request under way, so one that is retired is closed by the last that uses it.
    """

    api: "ApiClient"
    client: "DynamicClient"
    users: int = 0
    retired: bool = False

    async def left(self) -> None:
        """One request has ended."""
        self.users -= 1
        if self.retired and not self.users:
            await self.api.close()  # type: ignore[no-untyped-call]


class Connection:
    """Opened on first use, in the loop that uses it; after 401 the credentials are loaded anew at the next request."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._session: _Session | None = None
        self._opening = asyncio.Lock()
        self._host = ""

    async def json(
        self,
        method: str,
        path: str,
        what: str,
        *,
        query: Query = (),
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """One request whose answer is a JSON object. Raises Refused, TemporaryError or PermanentError."""
        content = await self.content(method, path, what, query=query, body=body, content_type=content_type)
        try:
            document = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise UnusableAnswer(f"the answer of {self.server} to {what} is not JSON: {error}") from None
        if not isinstance(document, dict):
            raise UnusableAnswer(f"the answer of {self.server} to {what} is no object")
        return document

    async def content(
        self,
        method: str,
        path: str,
        what: str,
        *,
        query: Query = (),
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        max_bytes: int = MAX_BYTES,
    ) -> bytes:
        """One request; its body, whole. Raises Refused, TemporaryError or PermanentError.

        Of Secrets the metadata is asked for, whoever asks; any other request about them is not sent: PermanentError.
        """
        secrets = _SECRETS.match(path)
        if secrets and (method != "GET" or secrets[1]):
            raise PermanentError(f"{what} was not sent: {NEVER_READ}")
        session = await self._opened()
        session.users += 1
        import aiohttp
        from kubernetes.aio.client.exceptions import ApiException
        from kubernetes.aio.config.config_exception import ConfigException

        try:
            response: aiohttp.ClientResponse = await session.client.request(
                method,
                path,
                body=body,
                serialize=False,
                query_params=list(query),
                content_type=content_type,
                header_params={"Accept": METADATA_ONLY if secrets else "application/json, */*"},
                _request_timeout=aiohttp.ClientTimeout(total=self.access.timeout),
            )
            async with response:
                return await _bounded(response, what, max_bytes)
        except ApiException as error:
            raise self._refused(error, session) from None
        except ConfigException as error:
            # Before each request the library may renew a token: from the pod's file, or by a program.
            raise PermanentError(f"no credentials for {what}: {error}; renew the account's token") from None
        except TimeoutError:
            raise TemporaryError(f"{self.server} gave no answer to {what} within {self.access.timeout:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise Unsent(f"{self.server} cannot be reached for {what}: {error}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise TemporaryError(f"{self.server} cut the connection in the middle of {what}: {error}") from None
        finally:
            await session.left()

    @property
    def server(self) -> str:
        """``Kubernetes at <address>``; the address is known once the configuration was read."""
        return f"Kubernetes at {self._host}" if self._host else "Kubernetes"

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            session.retired = True
            await session.api.close()  # type: ignore[no-untyped-call]

    def _refused(self, error: Any, session: _Session) -> Refused:
        if error.status == 401:
            session.retired = True
            self._session = None if self._session is session else self._session
        headers = error.headers or {}
        retry_after = str(headers.get("Retry-After", ""))
        seconds = float(retry_after) if retry_after.isdigit() else None
        return Refused(int(error.status or 0), _message(error.body) or str(error.reason), seconds)

    async def _opened(self) -> _Session:
        async with self._opening:
            if self._session is None:
                # In a thread: the import takes seconds, and others' requests must not wait for it.
                await asyncio.to_thread(import_module, "kubernetes.aio.dynamic.client")
                from kubernetes.aio.dynamic.client import DynamicClient

                api = await _load(self.access)
                self._host = str(api.configuration.host)
                self._session = _Session(api, DynamicClient(api))  # type: ignore[no-untyped-call]
            return self._session


async def _load(access: Access) -> "ApiClient":
    """A client with the account's configuration. Raises PermanentError where there is none."""
    from kubernetes.aio.client.api_client import ApiClient
    from kubernetes.aio.client.configuration import Configuration
    from kubernetes.aio.config.config_exception import ConfigException
    from kubernetes.aio.config.incluster_config import load_incluster_config
    from kubernetes.aio.config.kube_config import load_kube_config
    from yaml import YAMLError

    configuration = Configuration()
    try:
        if access.mode == "in_cluster" or (access.mode == "auto" and not access.kubeconfig and in_pod()):
            load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            await load_kube_config(  # type: ignore[no-untyped-call]
                config_file=access.kubeconfig or None,
                context=access.context or None,
                client_configuration=configuration,
                persist_config=False,
            )
        return ApiClient(configuration)
    except (ConfigException, YAMLError, OSError, ValueError, KeyError, TypeError) as error:
        where = access.kubeconfig or "the default kubeconfig"
        raise PermanentError(
            f"no access to Kubernetes from {where} (mode {access.mode}): {' '.join(str(error).split())}; "
            f"set AGENT_SRE_KUBECONFIG and AGENT_SRE_KUBERNETES_CONTEXT, or AGENT_SRE_KUBERNETES=off"
        ) from None


def in_pod() -> bool:
    """Whether this process has a service account."""
    return _SERVICE_ACCOUNT.is_file()


async def _bounded(response: "aiohttp.ClientResponse", what: str, max_bytes: int) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_chunked(_CHUNK):
        size += len(part)
        if size > max_bytes:
            raise UnusableAnswer(f"Kubernetes' answer to {what} is longer than {max_bytes // 1024**2} MB; narrow it")
        parts.append(part)
    return b"".join(parts)


def _message(body: object) -> str:
    """The sentence of a Status object, or the beginning of whatever else came."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        document = json.loads(text)
    except ValueError:
        return " ".join(text.split())[:_EXCERPT]
    message = document.get("message") if isinstance(document, dict) else None
    return " ".join(str(message or text).split())[:_EXCERPT]


def path_of(kind: str, namespace: str, name: str | None = None, api: str = "") -> str:
    """The path of a kind, a namespace's objects of it, or one object; ``api`` is another version than the usual.

    Raises PermanentError for a kind that is never read and for names that are none: they may come from an alert.
    """
    if kind in NAMES_ONLY:
        raise NotOffered(NEVER_READ)
    if kind not in READ_KINDS:
        raise PermanentError(f"objects of kind {kind!r} are never read; readable: {', '.join(sorted(READ_KINDS))}")
    if name and not namespace and kind not in CLUSTER_SCOPED:
        raise PermanentError(f"{kind} {name[:80]} needs a namespace")
    version, plural = READ_KINDS[kind]
    version = api or version
    parts = ["/apis" if "/" in version else "/api", version]
    if namespace and kind not in CLUSTER_SCOPED:
        parts += ["namespaces", checked(namespace)]
    return "/".join([*parts, plural, *([] if name is None else [checked(name)])])


def checked(name: str) -> str:
    """A name as a path segment. Raises PermanentError where Kubernetes has no such names."""
    if _NAME.fullmatch(name) is None:
        raise PermanentError(f"{name[:80]!r} is no name of a Kubernetes object")
    return quote(name, safe="")


def about(verb: str, kind: str, namespace: str, name: str = "") -> str:
    """``list pods in namespace shop``: what a refusal was about."""
    plural = READ_KINDS[kind][1] if kind in READ_KINDS else kind
    where = f"in namespace {namespace}" if namespace else "in the whole cluster"
    return f"{verb} {plural} {name} {where}" if name else f"{verb} {plural} {where}"
