"""How a Kubernetes API server says no: Status objects, their reasons, and its words for a missing right."""

from aiohttp import web

from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import READ_KINDS
from agent_sre.testing.pod_eviction import VIOLATES

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
}


def status(code: int, message: str, outcome: str = "Failure") -> web.Response:
    """A Status object, as every refusal of the API is one, and what a deletion is answered with."""
    document = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": outcome,
        "message": message,
        "reason": _REASONS.get(code, "InternalError"),
        "code": code,
    }
    if outcome == "Success":
        document = {key: document[key] for key in ("kind", "apiVersion", "metadata", "status")}
    return web.json_response(document, status=code)


def unavailable(error: TemporaryError) -> web.Response:
    """What may pass: 429 where a disruption budget says no, with its time, 500 where there are two, else 503."""
    code = 429 if str(error).startswith(VIOLATES) else 500 if "more than one PodDisruptionBudget" in str(error) else 503
    answer = status(code, str(error))
    if error.retry_after is not None:
        answer.headers["Retry-After"] = f"{error.retry_after:.0f}"
    return answer


def missing(ref: ObjectRef) -> web.Response:
    """404, in the server's words."""
    return status(404, f'{READ_KINDS[ref.kind][1]} "{ref.name}" not found')


def forbidden(verb: str, version: str, plural: str, namespace: str) -> str:
    """The words of a missing right."""
    group = version.rpartition("/")[0]
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    account = "system:serviceaccount:agent-sre:reader"
    return f'{plural} is forbidden: User "{account}" cannot {verb} resource "{plural}" in API group "{group}" {where}'


def code_of(message: str) -> int:
    """The status a refusal of the cluster behind stands for, by the words that the fakes use."""
    if message.startswith("conflict"):
        return 409
    if " is invalid:" in message:
        return 422
    return 404 if "not found" in message else 403
