"""What an alert says of the rule behind it: its expression, from the link it came with; the threshold in an expression.

Sources put the expression into the alert's link in their own ways: Prometheus, Thanos and Mimir as ``g0.expr``,
VictoriaMetrics' user interface the same behind a ``#``, Grafana Explore as JSON in ``left`` (an object, or a list in
old versions) or in ``panes``. Which of these vmalert sends is up to the site; by default it is a link with ids alone,
and the rule has to be looked up by its name. A link is data from outside: it is parsed, never followed.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

MAX_EXPRESSION = 5_000
_MAX_LINK = 20_000
_MAX_FIELDS = 50
_ENCODED = re.compile(r"%(?:20|28|29|2[27]|3[CDE]|5[BD]|7[BD])", re.IGNORECASE)
_PLAIN = re.compile(r"[\s(){}<>=\[\]\"]")
_NOT_METRICS = re.compile(
    r"loki|logs|tempo|jaeger|zipkin|elastic|opensearch|influx|graphite|sql|cloudwatch", re.IGNORECASE
)
_COMPARISON = re.compile(
    r"(?P<operator>>=|<=|>|<)\s*(?:bool\s+)?(?P<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*\)*\s*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison that an alert's expression ends in. ``words`` is that part of the expression."""

    operator: str
    number: str
    words: str

    @property
    def threshold(self) -> float:
        """The number compared with, in the unit of the expression."""
        return float(self.number)


def comparison_in(expression: str) -> Comparison | None:
    """The comparison with a number at the end of an expression; None where it ends otherwise."""
    found = _COMPARISON.search(expression[-200:])
    return Comparison(found["operator"], found["number"], found[0].strip()) if found else None


def expression_in_link(url: str) -> str:
    """The PromQL expression in an alert's link, decoded; "" where there is none or it is beyond MAX_EXPRESSION."""
    if len(url) > _MAX_LINK:
        return ""
    try:
        parts = urlsplit(url)
        # A single-page interface keeps its fields behind the "#", after a path of its own.
        texts = (parts.query, parts.fragment.partition("?")[2])
        fields = [parse_qs(text, max_num_fields=_MAX_FIELDS) for text in texts if text]
    except ValueError:
        return ""
    found = next((text for of in fields for text in _candidates(of) if text.strip()), "").strip()
    return found if len(found) <= MAX_EXPRESSION else ""


def _candidates(fields: Mapping[str, list[str]]) -> Iterable[str]:
    yield from (_decoded(text) for text in fields.get("g0.expr", ())[:1])
    for name in ("panes", "left"):
        for text in fields.get(name, ())[:1]:
            yield from _in_explore(_json(text))


def _decoded(text: str) -> str:
    """An expression that was encoded twice has no character of PromQL's own left but those in ``%XX``."""
    return unquote_plus(text) if _ENCODED.search(text) and not _PLAIN.search(text) else text


def _json(text: str) -> Any:
    for form in (text, unquote_plus(text)):
        try:
            return json.loads(form)
        except (ValueError, RecursionError):
            continue
    return None


def _in_explore(state: Any) -> Iterable[str]:
    """Expressions of metric queries in Explore's state: a pane, panes by id, or the list of old versions."""
    if isinstance(state, list):
        source = state[2] if len(state) > 2 else ""
        yield from _queries([item for item in state if isinstance(item, dict)], source)
    elif isinstance(state, dict) and "queries" in state:
        yield from _queries(state["queries"], state.get("datasource"))
    elif isinstance(state, dict):
        for pane in list(state.values())[:_MAX_FIELDS]:
            if isinstance(pane, dict):
                yield from _queries(pane.get("queries"), pane.get("datasource"))


def _queries(queries: Any, source: Any) -> Iterable[str]:
    for query in queries[:_MAX_FIELDS] if isinstance(queries, list) else ():
        if not isinstance(query, dict) or not isinstance(query.get("expr"), str):
            continue
        of = query.get("datasource") or source
        kind = of.get("type") if isinstance(of, dict) else of
        if not (isinstance(kind, str) and _NOT_METRICS.search(kind)):
            yield query["expr"]
