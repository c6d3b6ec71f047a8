"""The endpoints as this adapter uses them: field capabilities, pages of documents, counts by container and by time.

A search may come back with part of its shards missing or cut short by its own time limit, and still with status 200:
``notes`` collects that.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from agent_sre.adapters.logs_elasticsearch.language import Query
from agent_sre.domain.errors import PermanentError
from agent_sre.outbound import Call, Exchange
from agent_sre.outbound.exchange import TooLong

PAGE = 500
MOST = 10_000
"""``index.max_result_window``: as many documents as plain pages reach."""
_GROUPS = 1_000
_MAX_GROUPS = 20_000
_SMALLER = 4
_LENIENT = {"ignore_unavailable": "true", "allow_no_indices": "true"}

Document = Mapping[str, Any]


class ElasticsearchApi:
    """Requests to one pattern of indices."""

    def __init__(self, exchange: Exchange, index: str) -> None:
        self.exchange = exchange
        self.index = index
        self.notes: dict[str, None] = {}

    async def capabilities(self, names: list[str]) -> Mapping[str, Mapping[str, Any]]:
        """For each of these fields that some index has: its types. Raises PermanentError where no index matches."""
        params = {"fields": ",".join(names), **_LENIENT}
        told = await self.exchange.document(Call("GET", self._path("_field_caps"), params=params))
        if not isinstance(told, dict) or not isinstance(told.get("fields"), dict):
            raise self._foreign(told)
        if not told.get("indices"):
            raise PermanentError(
                f"{self.exchange.endpoint} has no index {self.index!r} that may be read; "
                f"correct {self.exchange.endpoint.settings}_INDEX, or grant read on it"
            )
        found: Mapping[str, Mapping[str, Any]] = told["fields"]
        return found

    async def documents(self, query: Query, sort: Query, sources: list[str], wanted: int) -> list[Document]:
        """The first documents of a search, page by page; smaller pages where answers would be too long."""
        found: dict[str, Document] = {}
        start, size = 0, PAGE
        while start < min(wanted, MOST):
            asked: Query = {"from": start, "size": min(size, wanted - start), "query": query, "sort": [sort]}
            asked |= {"_source": sources, "track_total_hits": False}
            try:
                told = await self._search(asked)
            except TooLong:
                if size == 1:
                    raise
                size = max(size // _SMALLER, 1)
                continue
            # A document that came in meanwhile moves others to the next page, where they come again.
            with self.exchange.well_formed():
                hits = told["hits"]["hits"]
                found |= {f"{hit.get('_index')}/{hit['_id']}": hit["_source"] for hit in hits}
            if len(hits) < asked["size"]:
                break
            start += len(hits)
        return list(found.values())

    async def groups(self, query: Query, fields: tuple[str, str]) -> dict[tuple[str, str], int]:
        """Documents by the values of two fields; those without the first are left out."""
        found: dict[tuple[str, str], int] = {}
        parts = [
            {"first": {"terms": {"field": fields[0]}}},
            {"second": {"terms": {"field": fields[1], "missing_bucket": True}}},
        ]
        after: Mapping[str, Any] | None = None
        while True:
            composite: Query = {"size": _GROUPS, "sources": parts, **({"after": after} if after else {})}
            asked = {"size": 0, "query": query, "aggs": {"groups": {"composite": composite}}}
            told = await self._search({**asked, "track_total_hits": False})
            with self.exchange.well_formed():
                page = told["aggregations"]["groups"]
                for bucket in page["buckets"]:
                    key = str(bucket["key"]["first"]), str(bucket["key"]["second"] or "")
                    found[key] = int(bucket["doc_count"])
                after = page.get("after_key")
            if after is None or len(page["buckets"]) < _GROUPS:
                return found
            if len(found) > _MAX_GROUPS:
                raise PermanentError(f"more than {_MAX_GROUPS} containers have lines there; narrow the window")

    async def histogram(self, query: Query, time: str, milliseconds: int) -> dict[int, int]:
        """Documents by step, the step's start in milliseconds since the epoch."""
        steps = {"field": time, "fixed_interval": f"{milliseconds}ms", "min_doc_count": 1}
        asked = {"size": 0, "query": query, "track_total_hits": False, "aggs": {"steps": {"date_histogram": steps}}}
        told = await self._search(asked)
        with self.exchange.well_formed():
            return {int(step["key"]): int(step["doc_count"]) for step in told["aggregations"]["steps"]["buckets"]}

    async def _search(self, asked: Query) -> dict[str, Any]:
        seconds = self.exchange.endpoint.timeout_seconds
        # The same shard copies each time, so that equal places in the order stay where they are.
        params = {**_LENIENT, "preference": "agent_sre"}
        call = Call("POST", self._path("_search"), params=params, document={**asked, "timeout": f"{seconds:g}s"})
        told = await self.exchange.document(call)
        if not isinstance(told, dict) or "hits" not in told or ("aggs" in asked and "aggregations" not in told):
            raise self._foreign(told)
        self.notes.update(dict.fromkeys(_partial(told)))
        return told

    def _path(self, name: str) -> str:
        return f"{quote(self.index, safe='*,:-_.<>')}/{name}"

    def _foreign(self, told: Any) -> PermanentError:
        endpoint, shown = self.exchange.endpoint, str(told)[:200]
        return PermanentError(f"{endpoint} is no {endpoint.name}: it answered {shown!r}; check {endpoint.settings}_URL")


def words(content: bytes) -> str:
    """The reason that an error's body gives, or the body where it is another's."""
    try:
        error = orjson.loads(content)["error"]
        return f"{error['type']}: {error['reason']}"
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return content.decode(errors="replace")


def _partial(told: Mapping[str, Any]) -> Iterator[str]:
    """What is missing from an answer, in words."""
    if told.get("timed_out"):
        yield "the search was cut short by its time limit; the answer is partial"
    shards = told.get("_shards") or {}
    if shards.get("failed"):
        reasons = [failure.get("reason", {}).get("reason", "") for failure in shards.get("failures") or ()]
        reason = f": {reasons[0]}" if any(reasons) else ""
        yield f"{shards['failed']} of {shards.get('total', '?')} shards failed{reason}"
    clusters = told.get("_clusters") or {}
    if clusters.get("skipped"):
        yield f"{clusters['skipped']} of {clusters.get('total', '?')} remote clusters were skipped"
