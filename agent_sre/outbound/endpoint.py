"""One back end: its address, its credentials, and how much of it may be read at a time."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from agent_sre.domain.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``name`` is what people call it; ``settings`` the prefix of its settings, for messages that say what to change.

    ``login`` are those of its settings that decide whether it lets us in. Secrets are kept out of ``repr``.
    ``timeout_seconds`` bounds one request as a whole, a dripping answer included; ``parallel`` is how many requests may
    be under way together.
    """

    name: str
    settings: str
    url: str = field(repr=False)
    bearer: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: str = ""
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
                headers=self.all_headers(),
                auth=httpx.BasicAuth(self.username, self.password) if self.username else None,
                timeout=self.timeout_seconds,
                verify=self._trust(),
                follow_redirects=False,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise PermanentError(f"{self.settings}_URL={self.shown} is no URL: {error}") from None

    def all_headers(self) -> dict[str, str]:
        """The site's headers, and the login where it is a token or a key."""
        login = f"Bearer {self.bearer}" if self.bearer else f"ApiKey {self.api_key}" if self.api_key else ""
        return {"Accept": "application/json", **self.headers, **({"Authorization": login} if login else {})}

    def _trust(self) -> ssl.SSLContext | bool:
        if not self.url.startswith("https://"):
            return False  # nothing to verify, and the system's certificates take a while to load
        if not self.ca_file:
            return True
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise PermanentError(f"{self.settings}_CA_FILE={self.ca_file!r} cannot be used: {error}") from None
