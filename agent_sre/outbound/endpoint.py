"""One back end: its address, its credentials, and how much of it may be read at a time."""

import re
import ssl
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from agent_sre.domain.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``name`` is what people call it; ``settings`` the prefix of its settings, for messages that say what to change.

    ``login`` are those of its settings that decide whether it lets us in. Secrets are kept out of ``repr``.
    ``bearer_file`` is read for every request, because what writes such files (Kubernetes, an agent) renews them.
    ``cert_file`` and ``key_file`` are our own certificate, for servers that ask for one.
    ``timeout_seconds`` bounds one request as a whole, a dripping answer included; ``parallel`` is how many requests may
    be under way together.
    """

    name: str
    settings: str
    url: str = field(repr=False)
    bearer: str = field(default="", repr=False)
    bearer_file: str = ""
    api_key: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    timeout_seconds: float = 10.0
    parallel: int = 4
    login: tuple[str, ...] = ("TOKEN", "USERNAME", "PASSWORD", "HEADERS")

    @property
    def shown(self) -> str:
        """The URL without a user and password, for messages."""
        return re.sub(r"//[^/@]*@", "//", self.url)

    def __str__(self) -> str:
        """``Loki at http://loki:3100``."""
        return f"{self.name} at {self.shown}"

    def client(self) -> httpx.AsyncClient:
        """A client for it. Redirects are not followed: they could carry the credentials to another host."""
        if not self.url.startswith(("http://", "https://")):
            raise PermanentError(f"{self.settings}_URL={self.shown} must begin with http:// or https://")
        try:
            return httpx.AsyncClient(
                base_url=self.url.rstrip("/") + "/",
                headers={"Accept": "application/json", **self.headers},
                auth=self._login(),
                timeout=self.timeout_seconds,
                verify=self._trust(),
                follow_redirects=False,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise PermanentError(f"{self.settings}_URL={self.shown} is no URL: {error}") from None

    def _login(self) -> httpx.Auth | None:
        """None leaves it to what the URL or the site's headers say."""
        if self.username:
            return httpx.BasicAuth(self.username, self.password)
        return _Login(self) if self.bearer or self.bearer_file or self.api_key else None

    def all_headers(self) -> dict[str, str]:
        """The site's headers, and the login of this moment where it is a token or a key."""
        login = self.authorization()
        return {"Accept": "application/json", **self.headers, **({"Authorization": login} if login else {})}

    def authorization(self) -> str:
        """The value of the Authorization header, or "". Raises PermanentError for a token file that can't be read."""
        bearer = self.bearer or (self._from_file() if self.bearer_file else "")
        return f"Bearer {bearer}" if bearer else f"ApiKey {self.api_key}" if self.api_key else ""

    def _from_file(self) -> str:
        try:
            token = Path(self.bearer_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not text"
            raise PermanentError(f"{self.settings}_TOKEN_FILE={self.bearer_file!r} cannot be read: {reason}") from None
        if not token or not token.isascii() or not token.isprintable():
            raise PermanentError(f"{self.settings}_TOKEN_FILE={self.bearer_file!r} holds no token of one line")
        return token

    def _trust(self) -> ssl.SSLContext | bool:
        if not self.url.startswith("https://"):
            return False  # nothing to verify, and the system's certificates take a while to load
        if not self.ca_file and not self.cert_file:
            return True
        context = self._authorities()
        if self.cert_file:
            try:
                context.load_cert_chain(self.cert_file, self.key_file or None, password=lambda: "")
            except (OSError, ssl.SSLError) as error:
                named = f"{self.settings}_CERT_FILE={self.cert_file!r} with _KEY_FILE={self.key_file!r}"
                raise PermanentError(f"{named} cannot be used: {error}") from None
        return context

    def _authorities(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            raise PermanentError(f"{self.settings}_CA_FILE={self.ca_file!r} cannot be used: {error}") from None


class _Login(httpx.Auth):
    """Sets the Authorization header when a request is sent, so that a renewed token file is taken up."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if value := self._endpoint.authorization():
            request.headers["Authorization"] = value
        yield request
