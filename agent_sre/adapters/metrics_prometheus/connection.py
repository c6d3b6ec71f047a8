"""Prometheus' API over the exchange that all adapters share: where it is, its envelope of status, data and warnings."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from agent_sre.adapters.metrics_prometheus.flavour import Flavour, limit_advice
from agent_sre.adapters.metrics_prometheus.links import MetricsLinks
from agent_sre.adapters.metrics_prometheus.rows import Result, read_result
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import Series
from agent_sre.outbound import Call, Endpoint, Exchange

MAX_SERIES = 5_000
_EXCERPT = 300
_PARALLEL = 8


@dataclass(frozen=True, slots=True)
class PrometheusOptions:
    """Where Prometheus is and how to log in. Secrets are kept out of ``repr``; ``timeout_seconds`` is per request.

    ``name`` tells several instances apart, ``settings`` is where its settings are, for messages. ``max_series`` and
    ``max_bytes`` bound one answer. ``flavour`` "" means that it is found out where it matters.
    """

    url: str
    bearer: str = field(default="", repr=False)
    bearer_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    timeout_seconds: float = 10.0
    max_bytes: int = 64 * 1024 * 1024
    max_series: int = MAX_SERIES
    name: str = ""
    settings: str = "AGENT_SRE_PROMETHEUS"
    flavour: Flavour | None = None
    links: MetricsLinks = field(default_factory=MetricsLinks)

    @property
    def title(self) -> str:
        """What people call it: the product, and the instance's name where it has one."""
        product = self.flavour.product if self.flavour else "Prometheus"
        return f"{product} {self.name!r}" if self.name else product

    @property
    def endpoint(self) -> Endpoint:
        """The same as every adapter's exchange takes it."""
        return Endpoint(
            name=self.title,
            settings=self.settings,
            url=self.url,
            bearer=self.bearer,
            bearer_file=self.bearer_file,
            username=self.username,
            password=self.password,
            headers=self.headers,
            ca_file=self.ca_file,
            cert_file=self.cert_file,
            key_file=self.key_file,
            timeout_seconds=self.timeout_seconds,
            parallel=_PARALLEL,
        )

    @property
    def shown(self) -> str:
        """The URL without a user and password, for messages."""
        return self.endpoint.shown

    def all_headers(self) -> dict[str, str]:
        """The site's headers, and the bearer token where there is one."""
        return self.endpoint.all_headers()


@dataclass(frozen=True, slots=True)
class Reply:
    """The ``data`` of a successful answer without its series, the series, and what is to be said of them."""

    data: Any
    warnings: tuple[str, ...]
    series: tuple[Series, ...] = ()


class Connection:
    """Requests to one Prometheus."""

    def __init__(self, options: PrometheusOptions, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.options = options
        self._exchange = Exchange(options.endpoint, sleep, words=_words)

    async def ask(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> Reply:
        """One API call, tried up to three times where that may help."""
        call = _call(method, path, fields or {})
        document = await self._exchange.document(call, self.options.max_bytes)
        return self._reply(path, document, [])

    async def ask_series(self, path: str, fields: Mapping[str, str]) -> Reply:
        """A query, whose answer is read row by row; what was beyond a limit is said in the warnings."""
        call = _call("POST", path, fields)
        options = self.options

        async def rows(parts: AsyncIterator[bytes]) -> Result:
            try:
                return await read_result(parts, options.max_series, options.max_bytes)
            except orjson.JSONDecodeError as error:
                raise self._exchange.foreign(call, str(error.doc).encode()[:_EXCERPT]) from None
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                raise PermanentError(f"{options.title}'s answer is not well formed: {error}") from None

        result = await self._exchange.read(call, rows)
        if result.document is None:
            size = options.max_bytes // 1024**2
            raise PermanentError(f"the answer is longer than {size} MB; narrow the search or the window")
        return self._reply(path, result.document, _left_out(result, options), tuple(result.series))

    def _reply(self, path: str, document: Any, notes: list[str], series: tuple[Series, ...] = ()) -> Reply:
        options = self.options
        if not isinstance(document, dict) or document.get("status") != "success":
            shown = str(document)[:_EXCERPT]
            raise PermanentError(
                f"{options.title} at {options.shown} is not a Prometheus API: {path} answered {shown!r}; "
                f"check {options.settings}_URL (the part before /api/v1)"
            )
        told = [*(document.get("warnings") or ()), *(document.get("infos") or ())]
        if document.get("isPartial") is True:  # VictoriaMetrics' cluster
            told.append("the answer is partial: some of the cluster's storage nodes did not answer")
        return Reply(document.get("data"), (*(str(note) for note in told), *notes), series)

    async def close(self) -> None:
        """Close the connections."""
        await self._exchange.close()


def _call(method: str, path: str, given: Mapping[str, str]) -> Call:
    form, params = (given, {}) if method == "POST" else (None, given)
    return Call(method, f"api/v1/{path}", params=params, form=form)


def _left_out(result: Result, options: PrometheusOptions) -> list[str]:
    notes = []
    if result.cut:
        size = options.max_bytes // 1024**2
        notes.append(
            f"the answer is longer than {size} MB; of {result.total} series read {len(result.series)} are kept"
        )
    elif result.total > options.max_series:
        notes.append(f"{result.total - options.max_series} of {result.total} series left out")
    if result.histograms:
        notes.append("samples of native histograms left out")
    return notes


def _words(content: bytes) -> str:
    """Prometheus' own message, with what to do where it is a limit; or what something else said in its place."""
    try:
        document = orjson.loads(content)
        told = f"{document.get('errorType', 'error')}: {document['error']}"
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        told = content[:_EXCERPT].decode(errors="replace").strip()
    advice = limit_advice(told)
    return f"{told}; {advice}" if advice else told
