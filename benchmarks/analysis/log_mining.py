"""Log mining beside drain3, on the labelled samples of loghub (Zhu et al. 2019, He et al. 2020).

Drain3 gets, for each data set, the masks, similarity and depth that the authors of Drain set for it in their
benchmark; ours has no settings. Accuracy is their grouping accuracy: a line counts when the lines mined together with
it are exactly those labelled like it. Speed is measured twice: on the samples themselves, each from nothing, and on
200,000 lines made of them, every number and hexadecimal id new in each repetition, as lines of a running system are.
"""

import csv
import random
import re
import time
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path

from agent_sre.analysis.log_templates import mine
from benchmarks.analysis.peers import ask
from benchmarks.figures import Figure

_IPV4 = r"(\d+\.){3}\d+"
SETTINGS: dict[str, tuple[list[str], float, int]] = {
    "Android": (
        [r"(/[\w-]+)+", r"([\w-]+\.){2,}[\w-]+", r"\b(\-?\+?\d+)\b|\b0[Xx][a-fA-F\d]+\b|\b[a-fA-F\d]{4,}\b"],
        0.2,
        6,
    ),
    "Apache": ([_IPV4], 0.5, 4),
    "BGL": ([r"core\.\d+"], 0.5, 4),
    "HDFS": ([r"blk_-?\d+", r"(\d+\.){3}\d+(:\d+)?"], 0.5, 4),
    "Hadoop": ([_IPV4], 0.5, 4),
    "Spark": ([_IPV4, r"\b[KGTM]?B\b", r"([\w-]+\.){2,}[\w-]+"], 0.5, 4),
    "Thunderbird": ([_IPV4], 0.5, 4),
    "Zookeeper": ([r"(/|)(\d+\.){3}\d+(:\d+)?"], 0.5, 4),
}
"""Masks, similarity and depth by data set, of the benchmark of Drain's authors (logpai/logparser)."""
_ROUNDS = 5
_MANY = 200_000
_NUMBER = re.compile(r"\d+")
_HEX = re.compile(r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,}\b")


def measure(data: Path) -> list[Figure]:
    """Accuracy by data set and in the mean, and lines per second, small and large."""
    samples = {name: labelled_sample(data, name) for name in SETTINGS}
    lines = {name: sample[0] for name, sample in samples.items()}
    ours, theirs, mined = _race(lines, _ROUNDS)
    figures, accuracies = [], []
    for name, (_, labels) in samples.items():
        pair = tuple(round(grouping_accuracy(labels, side[name]), 4) for side in mined)
        accuracies.append(pair)
        figures.append(Figure(f"grouping accuracy, {name}", pair[0], "", "drain3", pair[1]))
    mean = [sum(side) / len(side) for side in zip(*accuracies, strict=True)]
    figures.append(Figure("grouping accuracy, mean", mean[0], "", "drain3", mean[1], ">= drain3's", mean[0] >= mean[1]))
    figures.append(_speed("lines mined, the samples", lines, ours, theirs))
    many = {name: varied(entries, _MANY // len(lines)) for name, entries in lines.items()}
    ours, theirs, _ = _race(many, 2)
    figures.append(_speed(f"lines mined, {_MANY} with new values", many, ours, theirs))
    return figures


def labelled_sample(data: Path, name: str) -> tuple[list[str], list[str]]:
    """The lines of a sample and their labels."""
    with (data / name / f"{name}_2k.log_structured.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["Content"] for row in rows], [row["EventId"] for row in rows]


def _race(
    lines: dict[str, list[str]], rounds: int
) -> tuple[float, float, tuple[dict[str, list[int]], dict[str, list[int]]]]:
    """Seconds of both over all data sets, the best of some rounds in turn, and the group of each line by data set."""
    question = {
        name: {"lines": entries, "masks": SETTINGS[name][0], "sim_th": SETTINGS[name][1], "depth": SETTINGS[name][2]}
        for name, entries in lines.items()
    }
    best: dict[str, list[float]] = {name: [float("inf"), float("inf")] for name in lines}
    groups: tuple[dict[str, list[int]], dict[str, list[int]]] = ({}, {})
    for _ in range(rounds):
        answer = ask("drain3", question)
        for name, entries in lines.items():
            seconds, groups[0][name] = _mine(entries)
            groups[1][name] = answer[name]["clusters"]
            best[name] = [min(best[name][0], seconds), min(best[name][1], answer[name]["seconds"])]
    return sum(pair[0] for pair in best.values()), sum(pair[1] for pair in best.values()), groups


def _mine(lines: list[str]) -> tuple[float, list[int]]:
    started = time.perf_counter()
    templates = mine(lines)
    seconds = time.perf_counter() - started
    groups = [0] * len(lines)
    for template in templates:
        for number in template.lines:
            groups[number] = template.id
    return seconds, groups


def _speed(name: str, lines: dict[str, list[str]], ours: float, theirs: float) -> Figure:
    count = sum(map(len, lines.values()))
    return Figure(name, count / ours, "lines/s", "drain3", count / theirs, ">= 5x drain3's", theirs >= 5 * ours)


def varied(lines: list[str], count: int) -> list[str]:
    """So many lines of a sample, over and over, with new digits for numbers of two digits and more, and new ids."""
    chance = random.Random(count)

    def digits(match: re.Match[str]) -> str:
        size = len(match[0])
        return match[0] if size == 1 else str(chance.randrange(10 ** (size - 1), 10**size))

    def identity(match: re.Match[str]) -> str:
        return f"{chance.getrandbits(4 * len(match[0])):0{len(match[0])}x}"

    return [_NUMBER.sub(digits, _HEX.sub(identity, lines[place % len(lines)])) for place in range(count)]


def grouping_accuracy(labels: Sequence[Hashable], groups: Sequence[Hashable]) -> float:
    """The share of lines whose group holds exactly the lines of their label (Zhu et al. 2019)."""
    labelled, grouped = (_members(side) for side in (labels, groups))
    right = set(labelled.values())
    return sum(len(members) for members in grouped.values() if members in right) / len(labels)


def _members(side: Sequence[Hashable]) -> dict[Hashable, frozenset[int]]:
    found: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, group in enumerate(side):
        found[group].append(place)
    return {group: frozenset(members) for group, members in found.items()}
