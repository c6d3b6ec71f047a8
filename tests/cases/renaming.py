"""Rewrites a snapshot so that every service, namespace, node and image in it is called something else.

Done on the files, so that nothing can know the old names: objects, events, logs and their paths, metric labels, host
names, environment variables, traces, changes, alerts and topology. New names are random pronounceable words of
differing length, in no order; parts of longer names (a pod's, a host's) change along. What Kubernetes itself calls
things (system namespaces and components, external hosts) keeps its name.
"""

import gzip
import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

SYSTEM = re.compile(r"^(?:kube-.*|default|kubernetes|coredns|etcd.*|local-path.*|system.*|istio.*|cilium.*|calico.*)$")
NAMED = ("Deployment", "StatefulSet", "DaemonSet", "Service", "Job", "CronJob", "Node", "Namespace", "ServiceAccount")
_SPOKEN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.:-]{2,}$")


def names_in(case: Path) -> set[str]:
    """The names of services, workloads, namespaces, nodes and image repositories of a snapshot."""
    header = yaml.safe_load((case / "snapshot.yaml").read_text("utf-8"))
    found = set(header.get("namespaces", ()))
    for caller, callee in (_document(case, "topology.json") or {}).get("edges", ()):
        found |= {caller, callee}
    for item in (_document(case, "kubernetes.json") or {}).get("items", ()):
        meta = item.get("metadata", {})
        if item.get("kind") in NAMED:
            found.add(meta.get("name", ""))
        found.add(meta.get("namespace", ""))
        found |= _images(item)
    return {name for name in found if _SPOKEN.match(name) and not SYSTEM.match(name)}


def _images(item: Mapping[str, Any]) -> set[str]:
    containers = item.get("spec", {}).get("containers") or ()
    repositories = {str(entry.get("image", "")).partition("@")[0].rpartition(":")[0] for entry in containers}
    return {part for name in repositories for part in name.split("/")[-2:] if part}


def _document(case: Path, name: str) -> Any:
    for path in (case / name, case / f"{name}.gz"):
        if path.is_file():
            return json.loads(_read(path))
    return None


def new_names(old: set[str], seed: int) -> dict[str, str]:
    """A new name for each, drawn at random."""
    chance = random.Random(seed)  # noqa: S311
    made: dict[str, str] = {}
    for name in sorted(old):
        while (word := _word(chance)) in made.values() or word in old:
            pass
        made[name] = word
    return made


def _word(chance: random.Random) -> str:
    syllables = [
        "".join(chance.choice(part) for part in ("bdfgklmnprtvz", "aeiou")) for _ in range(chance.randint(3, 8))
    ]
    cut = chance.randrange(2, len(syllables) + 1)
    return "-".join(part for part in ("".join(syllables[:cut]), "".join(syllables[cut:])) if len(part) > 1)


class Renamer:
    """Replaces whole names, longest first, in any case and also where they are parts of longer names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = {old.lower(): new for old, new in names.items()}
        self._names |= {
            old.lower().replace("-", "_"): new.replace("-", "_") for old, new in names.items() if "-" in old
        }
        ordered = sorted(self._names, key=lambda name: (-len(name), name))
        kept = r"(?<![A-Za-z0-9])(?<!kubernetes\.io/)(?<!/role\": \")(?<!/role\":\")"
        self._pattern = re.compile(f"{kept}({'|'.join(map(re.escape, ordered))})(?![A-Za-z0-9])", re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """The text with the new names."""
        return self._pattern.sub(self._new, text)

    def _new(self, match: re.Match[str]) -> str:
        new = self._names[match[0].lower()]
        return new.upper().replace("-", "_") if match[0].isupper() else new


def rename_snapshot(case: Path, target: Path, rename: Renamer) -> None:
    """Write the snapshot under new names."""
    for path in sorted(case.rglob("*")):
        if path.is_file():
            relative = Path(*(rename(part) for part in path.relative_to(case).parts))
            place = target / (relative.with_suffix("") if path.suffix == ".gz" else relative)
            place.parent.mkdir(parents=True, exist_ok=True)
            text = _read(path)
            place.write_text(_renamed(text, path.name, rename), "utf-8")


def _renamed(text: str, name: str, rename: Renamer) -> str:
    """The text of a file; names of metrics are the catalogue's, only their labels' values are the site's."""
    if name.startswith("signals.yaml"):
        return text
    if name.startswith("metrics.om"):
        return re.sub(r'"[^"\n]*"', lambda match: rename(match[0]), text)
    return rename(text)


def _read(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
