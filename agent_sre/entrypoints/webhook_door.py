"""What a request to one source's webhook must pass, in order: cheap before dear, and nothing read before it must be.

Address, key in the path and shared secret are judged before the body is read; a signature needs the body, which is read
within its limit and never parsed before it is proven. The quota counts proven requests only, so that nobody but the
source itself can use it up.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.requests import Request

from agent_sre.entrypoints.quota import Quota
from agent_sre.entrypoints.webhook_auth import Admission, WebhookAuth, same
from agent_sre.entrypoints.webhook_signature import Signature


@dataclass(frozen=True, slots=True)
class Door:
    """The door of one source. ``networks`` empty: any address. ``setting`` is the variable that opens it.

    ``signature``: it proves itself by signing, and the shared secret is not asked for. ``route_key``: it must post
    under this key; the key alone is proof enough where there is no secret, unless the source ``signs``.
    ``may_be_insecure``: the operator may let it in without any proof, by name.
    """

    auth: WebhookAuth
    setting: str = ""
    signature: Signature | None = None
    signs: bool = False
    may_be_insecure: bool = True
    route_key: str = field(default="", repr=False)
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    quota: Quota = field(default_factory=lambda: Quota(0, 1))

    @property
    def closed(self) -> bool:
        """Whether nobody can come in, because there is nothing that a request could prove."""
        proofs = (self.signature, self.auth.secret, self._key_is_proof, self.auth.open_without_secret)
        return not any(proofs)

    @property
    def guarded(self) -> bool:
        """Whether a request must prove something."""
        return bool(self.signature or self.auth.secret or self._key_is_proof)

    @property
    def _key_is_proof(self) -> bool:
        return bool(self.route_key) and not self.signs

    def judge(self, request: Request) -> Admission:
        """What can be judged without the body."""
        if self.networks and not self._is_inside(request.client.host if request.client else ""):
            return Admission.NETWORK
        given = str(request.path_params.get("key", ""))
        if (self.route_key or given) and not (self.route_key and same(given, self.route_key)):
            return Admission.ROUTE
        if self.signature is not None or (self._key_is_proof and not self.auth.secret):
            return Admission.ADMITTED
        return self.auth.admit(request.headers.get("authorization"), request.headers.get("origin"))

    async def judge_body(self, headers: Headers, body: bytes) -> Admission:
        """Whether the body is the source's own. Raises TemporaryError where that cannot be told at the moment."""
        return Admission.ADMITTED if self.signature is None else await self.signature.check(headers, body)

    def _is_inside(self, host: str) -> bool:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)
