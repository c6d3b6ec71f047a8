"""Links into Grafana's Explore: one query of one data source over one window.

Where Grafana is and which data source is meant comes from the settings; a query is only ever a value in the link.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from agent_sre.domain.reference import Window


def explore_link(url: str, source: tuple[str, str], query: Mapping[str, Any], window: Window) -> str:
    """``source`` is the data source's type and UID; the window is widened to whole milliseconds. "" without a URL."""
    if not url:
        return ""
    kind, uid = source
    asked = {"refId": "A", **query, "datasource": {"type": kind, "uid": uid}}
    ends = {"from": str(int(window.start.timestamp() * 1000)), "to": str(int(window.end.timestamp() * 1000) + 1)}
    panes = {"a": {"datasource": uid, "queries": [asked], "range": ends}}
    fields = {"schemaVersion": 1, "panes": json.dumps(panes, ensure_ascii=False)}
    return f"{url.rstrip('/')}/explore?{urlencode(fields)}"
