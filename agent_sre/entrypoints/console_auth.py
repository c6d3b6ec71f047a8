"""Who may see and press what in the console.

Bound to loopback without a token the console is open to whoever is on this machine, and then a page from elsewhere must
not be able to speak through the operator's browser: the Host header must be a loopback name (DNS rebinding), and every
POST needs an Origin of our own and the session's CSRF token. With a token there is a login; the session is a signed
cookie and nothing is stored, so it survives restarts and holds on every replica, and a new token ends all sessions.

Not here: which person may approve which action; in this mode all who hold the token are operators.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.visible import one_line
from agent_sre.ports.clock import Clock

COOKIE = "agent_sre_session"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Session:
    """One browser's login. ``id`` is random, ``expires`` in seconds since the epoch."""

    id: str
    name: str
    expires: float


@dataclass(frozen=True, slots=True)
class Access:
    """How the console is reached: ``token`` "" means open, which only ``loopback`` allows. Seconds for the session."""

    token: str
    loopback: bool
    allowed_hosts: tuple[str, ...]
    session_seconds: float
    operator: str


@dataclass(slots=True)
class LoginThrottle:
    """At most ``limit`` failed logins per address and ``period`` seconds; no address can lock out another."""

    limit: int = 5
    period: float = 60.0
    _failures: "OrderedDict[str, list[float]]" = field(default_factory=OrderedDict)

    def wait(self, address: str, now: float) -> float:
        """Seconds until another attempt is allowed; 0 where it is now."""
        recent = self._recent(address, now)
        return recent[-self.limit] + self.period - now if len(recent) >= self.limit else 0.0

    def failed(self, address: str, now: float) -> None:
        """Note a failed attempt."""
        self._failures[address] = [*self._recent(address, now), now][-self.limit :]
        self._failures.move_to_end(address)
        while len(self._failures) > 1000:
            self._failures.popitem(last=False)

    def _recent(self, address: str, now: float) -> list[float]:
        return [time for time in self._failures.get(address, []) if now - time < self.period]


class Gate:
    """Checks of one console; all methods are pure but for the throttle."""

    def __init__(self, access: Access, clock: Clock) -> None:
        if not access.token and not access.loopback:
            raise PermanentError(
                "the console listens beyond loopback without a token; set AGENT_SRE_CONSOLE_TOKEN "
                "(for example: openssl rand -hex 32) or AGENT_SRE_HOST=127.0.0.1"
            )
        self._access = access
        self._clock = clock
        self.throttle = LoginThrottle()
        seed = access.token.encode() if access.token else secrets.token_bytes(32)
        self._key = hmac.new(seed, b"agent_sre console session 1", hashlib.sha256).digest()

    @property
    def open(self) -> bool:
        """Whether no login is needed."""
        return not self._access.token

    @property
    def operator(self) -> str:
        """Who decides where there is no login."""
        return self._access.operator

    def host_allowed(self, request: Request) -> bool:
        """Whether the Host header names us. With a token and no configured names any host is taken."""
        name = _host_name(request.headers.get("host", ""))
        known = LOOPBACK_NAMES.union(item.lower() for item in self._access.allowed_hosts)
        return name in known or bool(self._access.token and not self._access.allowed_hosts and name)

    def origin_allowed(self, request: Request, *, needed: bool = True) -> bool:
        """Whether a POST comes from a page of ours. Browsers always send Origin; without one only if not ``needed``."""
        origin = request.headers.get("origin")
        if origin is None:
            return not needed
        if urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower() != "":
            return True
        return _host_name(urlsplit(origin).netloc) in self._access.allowed_hosts  # a proxy that rewrites Host

    def session(self, request: Request) -> Session | None:
        """The request's session, or None where there is none that is ours and still runs."""
        value = request.cookies.get(_cookie(request), "")
        body, _, signature = value.rpartition(".")
        if not body or not hmac.compare_digest(self._sign(f"session {body}"), signature.encode()):
            return None
        try:
            sid, name, expires = json.loads(base64.urlsafe_b64decode(body))
        except (ValueError, binascii.Error):
            return None
        session = Session(str(sid), str(name), float(expires))
        return session if self.now().timestamp() < session.expires else None

    def new_session(self, name: str) -> Session:
        """A fresh session for a person who gave this name."""
        expires = self.now().timestamp() + self._access.session_seconds
        return Session(secrets.token_urlsafe(16), one_line(name, MAX_NAME), expires)

    def remember(self, request: Request, response: Response, session: Session) -> None:
        """Set the cookie: not readable by scripts, never sent along from other sites."""
        body = base64.urlsafe_b64encode(json.dumps([session.id, session.name, session.expires]).encode()).decode()
        value = f"{body}.{self._sign(f'session {body}').decode()}"
        age = max(int(session.expires - self.now().timestamp()), 0)
        secure = request.url.scheme == "https"
        response.set_cookie(_cookie(request), value, max_age=age, httponly=True, samesite="strict", secure=secure)

    def forget(self, request: Request, response: Response) -> None:
        """Remove the cookie."""
        response.delete_cookie(_cookie(request), httponly=True, samesite="strict")

    def csrf_token(self, session: Session) -> str:
        """What every form of this session carries."""
        return self._sign(f"csrf {session.id}").decode()

    def csrf_matches(self, session: Session, token: str) -> bool:
        """Compared in constant time."""
        return hmac.compare_digest(self._sign(f"csrf {session.id}"), token.encode("utf-8", "replace"))

    def token_matches(self, token: str) -> bool:
        """Whether this is the console's token; compared in constant time, also over its length."""
        if self.open:
            return False
        given = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        return hmac.compare_digest(given, hashlib.sha256(self._access.token.encode()).digest())

    def bearer_matches(self, request: Request) -> bool:
        """Whether the request carries the token as ``Authorization: Bearer``."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.token_matches(token.strip())

    def now(self) -> datetime:
        """The clock's instant, UTC."""
        return self._clock.now()

    def _sign(self, text: str) -> bytes:
        return base64.urlsafe_b64encode(hmac.new(self._key, text.encode(), hashlib.sha256).digest()).rstrip(b"=")


def _cookie(request: Request) -> str:
    """Cookies do not know ports: two consoles on one machine must not end each other's sessions."""
    return f"{COOKIE}_{request.url.port}" if request.url.port else COOKIE


def _host_name(host: str) -> str:
    """The name in a Host header, without port and brackets; "" where it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
