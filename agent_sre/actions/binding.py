"""What an object asks for, as a digest: what an approval may be bound to where the version changes by itself."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_BESIDE = frozenset({"apiVersion", "kind", "metadata", "status"})


def content_of(item: Mapping[str, Any]) -> str:
    """SHA-256 over the object's uid and everything that it asks for: neither status nor metadata."""
    asked = {key: value for key, value in item.items() if key not in _BESIDE}
    text = json.dumps([item["metadata"].get("uid", ""), asked], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
