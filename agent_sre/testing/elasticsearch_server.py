"""An Elasticsearch or OpenSearch over real sockets, written from their public API documents: a recorded protocol, not
the real program.

Speaks ``_search`` (with the queries, sorts and aggregations that a log reader needs), ``_field_caps`` and ``/``. Text
is analysed as the standard analyser does it (words, lower case); fields are compared exactly where ``mapping`` calls
them keywords. What it does not know it refuses with 400, as a real one does.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from agent_sre.domain.instant import parse_instant
from agent_sre.testing.recorded_server import Recorded, Request

Document = dict[str, Any]
Test = Callable[[Document], bool]
_WORDS = re.compile(r"[\w']+")
_MICROSECONDS = 10**6


@dataclass(slots=True)
class ElasticsearchServer:
    """``documents`` have dotted names; ``mapping`` tells the type of each field, which decides how it is compared."""

    documents: list[Document] = field(default_factory=list)
    mapping: dict[str, str] = field(default_factory=dict)
    key: str = ""
    distribution: str = ""
    partial: dict[str, Any] = field(default_factory=dict)
    http: Recorded = field(init=False)

    def __post_init__(self) -> None:
        self.http = Recorded(self._answer)

    async def _answer(self, request: Request) -> web.Response:
        if self.key and request.headers.get("Authorization") != f"ApiKey {self.key}":
            reason = "unable to authenticate with provided credentials"
            return _error(401, "security_exception", reason)
        if request.path == "/":
            told = {"number": "8.17.1", **({"distribution": self.distribution} if self.distribution else {})}
            return web.json_response({"name": "node-1", "cluster_name": "recorded", "version": told})
        index, _, name = request.path.removeprefix("/").partition("/")
        documents = self.documents if index.startswith("logs") else []
        if name == "_field_caps":
            return self._capabilities(request.fields["fields"].split(","), documents)
        if name != "_search":
            return _error(400, "illegal_argument_exception", f"no handler found for uri [{request.path}]")
        try:
            return self._search(orjson.loads(request.body), documents)
        except ValueError as error:
            return _error(400, "parsing_exception", str(error))

    def _capabilities(self, names: Sequence[str], documents: Sequence[Document]) -> web.Response:
        known = {
            name: {kind: {"type": kind, "searchable": True, "aggregatable": kind != "text"}}
            for name in names
            if (kind := self.mapping.get(name))
        }
        return web.json_response({"indices": ["logs-1"] if documents else [], "fields": known if documents else {}})

    def _search(self, asked: Mapping[str, Any], documents: Sequence[Document]) -> web.Response:
        start, size = int(asked.get("from", 0)), int(asked.get("size", 10))
        if start + size > 10_000:
            raise ValueError(f"Result window is too large, from + size must be less than or equal to: [10000] but was "
                             f"[{start + size}]")  # fmt: skip
        query = asked["query"]
        seed = None
        if "function_score" in query:
            seed, query = query["function_score"]["random_score"]["seed"], query["function_score"]["query"]
        test = self._test(query)
        found = [(number, item) for number, item in enumerate(documents) if test(item)]
        (sort,) = asked.get("sort", [{"_score": "desc"}])
        if "_score" in sort:
            scores = random.Random(seed)  # noqa: S311
            order = [scores.random() for _ in documents]
            found.sort(key=lambda pair: -order[pair[0]])
        else:
            (name,) = sort
            found.sort(key=lambda pair: _instant(pair[1][name]))
        page = found[start : start + size]
        hits = [{"_index": "logs-1", "_id": f"d{number}", "_source": _kept(item, asked)} for number, item in page]
        told: dict[str, Any] = {"took": 1, "timed_out": False, "_shards": {"total": 2, "successful": 2, "failed": 0}}
        told |= {"hits": {"hits": hits}, **self.partial}
        if "aggs" in asked:
            told["aggregations"] = {name: self._group(how, found) for name, how in asked["aggs"].items()}
        return web.json_response(body=orjson.dumps(told))

    def _group(self, how: Mapping[str, Any], found: Sequence[tuple[int, Document]]) -> dict[str, Any]:
        if "date_histogram" in how:
            name, width = (
                how["date_histogram"]["field"],
                int(how["date_histogram"]["fixed_interval"].removesuffix("ms")),
            )
            steps = Counter(_instant(item[name]) // 1000 // width * width for _, item in found)
            return {"buckets": [{"key": key, "doc_count": count} for key, count in sorted(steps.items())]}
        composite = how["composite"]
        first, second = (next(iter(part.values()))["terms"]["field"] for part in composite["sources"])
        for name in (first, second):
            self._exact(name)
        groups = Counter(
            (str(_value(item, first)), str(_value(item, second) or "")) for _, item in found if _value(item, first)
        )
        after = composite.get("after")
        keys = sorted(key for key in groups if not after or key > (after["first"], after["second"] or ""))
        keys = keys[: composite["size"]]
        buckets = [{"key": {"first": key[0], "second": key[1] or None}, "doc_count": groups[key]} for key in keys]
        return {"buckets": buckets, **({"after_key": buckets[-1]["key"]} if buckets else {})}

    def _exact(self, name: str) -> None:
        if self.mapping.get(name) == "text":
            raise ValueError(
                f"Text fields are not optimised for operations that require per-document field data: [{name}]"
            )

    def _test(self, query: Mapping[str, Any]) -> Test:
        ((kind, body),) = query.items()
        makers: dict[str, Callable[[Any], Test]] = {
            "bool": self._bool, "range": self._range, "term": self._term, "terms": self._terms, "regexp": self._regexp,
            "match_phrase": self._phrase, "match": self._match, "exists": self._exists,
        }  # fmt: skip
        if kind not in makers:
            raise ValueError(f"unknown query [{kind}]")
        return makers[kind](body)

    def _bool(self, body: Mapping[str, Any]) -> Test:
        all_of = [self._test(part) for part in body.get("filter", [])]
        none_of = [self._test(part) for part in body.get("must_not", [])]
        any_of = [self._test(part) for part in body.get("should", [])]
        return lambda item: (
            all(test(item) for test in all_of)
            and not any(test(item) for test in none_of)
            and (not any_of or any(test(item) for test in any_of))
        )

    def _range(self, body: Mapping[str, Any]) -> Test:
        ((name, bounds),) = body.items()
        # Dates are kept to the millisecond, unless they are date_nanos.
        low = _instant(bounds["gte"]) // 1000 * 1000
        high = _instant(bounds["lte"]) if "lte" in bounds else None
        return lambda item: (at := _instant(item[name]) // 1000 * 1000) >= low and (high is None or at <= high)

    def _term(self, body: Mapping[str, Any]) -> Test:
        ((name, wanted),) = body.items()
        # A term is compared with the words of analysed text, which is why it does not find a pod's name there.
        if self.mapping.get(name) == "text":
            return lambda item: wanted["value"] in _words(_value(item, name))
        return lambda item: _value(item, name) == wanted["value"]

    def _terms(self, body: Mapping[str, Any]) -> Test:
        ((name, wanted),) = body.items()
        return lambda item: _value(item, name) in wanted

    def _regexp(self, body: Mapping[str, Any]) -> Test:
        ((name, wanted),) = body.items()
        pattern = re.compile(wanted["value"])
        return lambda item: pattern.fullmatch(str(_value(item, name) or "")) is not None

    def _phrase(self, body: Mapping[str, Any]) -> Test:
        ((name, wanted),) = body.items()
        words = _words(wanted["query"])
        if not words:
            return lambda item: wanted.get("zero_terms_query") == "all"

        def test(item: Document) -> bool:
            text = _words(_value(item, name))
            return any(text[at : at + len(words)] == words for at in range(len(text)))

        return test

    def _match(self, body: Mapping[str, Any]) -> Test:
        ((name, wanted),) = body.items()
        words = set(_words(wanted["query"]))
        return lambda item: bool(words & set(_words(_value(item, name))))

    def _exists(self, body: Mapping[str, Any]) -> Test:
        return lambda item: _value(item, body["field"]) is not None


def _value(item: Document, name: str) -> Any:
    return item.get(name.removesuffix(".keyword"))


def _words(text: object) -> list[str]:
    return [word.lower() for word in _WORDS.findall(str(text or ""))]


def _instant(text: str) -> int:
    """Microseconds since the epoch."""
    return round(parse_instant(text).timestamp() * _MICROSECONDS)


def _kept(item: Document, asked: Mapping[str, Any]) -> Document:
    wanted = asked.get("_source", list(item))
    return {
        name: value
        for name, value in item.items()
        if any(name == part or name.startswith(f"{part}.") for part in wanted)
    }


def _error(status: int, kind: str, reason: str) -> web.Response:
    cause = {"type": kind, "reason": reason}
    return web.json_response({"error": {"root_cause": [cause], **cause}, "status": status}, status=status)
