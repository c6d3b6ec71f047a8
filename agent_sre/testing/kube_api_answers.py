"""How a Kubernetes API server says no: Status objects, their reasons, and its words for a missing right."""

from aiohttp import web

from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import READ_KINDS

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
}


def status(code: int, message: str) -> web.Response:
    """A Status object, as every refusal of the API is one."""
    document = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(code, "InternalError"),
        "code": code,
    }
    return web.json_response(document, status=code)


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
