"""Recorded payloads of alert sources, in the shapes that the vendors document: ``payloads/<source>/<shape>.json``."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "payloads"


def body(source: str, shape: str) -> bytes:
    return (FOLDER / source / f"{shape}.json").read_bytes()


def document(source: str, shape: str) -> Any:
    return json.loads(body(source, shape))


def shapes() -> list[tuple[str, str]]:
    """Every recorded payload."""
    return sorted((path.parent.name, path.stem) for path in FOLDER.glob("*/*.json"))
