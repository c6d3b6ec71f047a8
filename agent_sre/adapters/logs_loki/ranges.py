"""All entries of a range, page by page; or of a long one the heads of many slices, which together show all of it."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping

from agent_sre.adapters.logs_loki.api import PAGE, Entry, LokiApi

SLICES = 48
"""Into how many parts a range is cut."""
_BURST = 4
"""A slice with more than a quarter of all entries is a burst, and cut once more."""
_MILLISECOND = 1_000_000


async def all_entries(api: LokiApi, query: str, start: int, end: int) -> AsyncIterator[Entry]:
    """Every entry of a range, oldest first. Entries of one instant may lie on both sides of a page's end.

    Of more entries of one nanosecond than fit on a page, those beyond cannot be asked for.
    """
    at, seen = start, Counter[str]()
    while True:
        entries, more = await api.entries(query, at, end, PAGE)
        again, fresh = Counter(seen), []
        for entry in entries:
            key = _key(entry)
            if entry.time == at and again[key]:
                again[key] -= 1
            else:
                fresh.append(entry)
        for entry in fresh:
            yield entry
        if not more or not entries:
            return
        last = entries[-1].time
        if fresh:
            at, seen = last, Counter(_key(entry) for entry in entries if entry.time == last)
        else:
            at, seen = last + 1, Counter()


async def sampled_entries(
    api: LokiApi, query: str, span: tuple[int, int], wanted: int, again: bool = True
) -> list[Entry]:
    """About ``wanted`` entries, oldest first: each slice gives its share by how many it has."""
    start, end = span
    width = max(-(-(end - start) // SLICES) // _MILLISECOND + 1, 3) * _MILLISECOND
    counts = {
        number: count
        for number, count in (await api.steps(query, start, width, SLICES)).items()
        if 0 <= number < SLICES and start + number * width < end
    }
    burst = sum(counts.values()) / _BURST

    async def slice_of(number: int, share: int) -> list[Entry]:
        begin = start + number * width
        part = begin, min(begin + width, end)
        if again and counts[number] > max(share, burst):
            return await sampled_entries(api, query, part, share, again=False)
        return (await api.entries(query, *part, share))[0]

    read = [slice_of(number, share) for number, share in sorted(shares(counts, wanted).items())]
    return [entry for entries in await asyncio.gather(*read) for entry in entries]


def shares(counts: Mapping[int, int], wanted: int) -> dict[int, int]:
    """How many to take of each slice, in proportion to how many it has, ``wanted`` in all; slices without are left."""
    total = sum(counts.values())
    if not total:
        return {}
    found = {number: wanted * count // total for number, count in counts.items()}
    by_rest = sorted(counts, key=lambda number: (-(wanted * counts[number] % total), number))
    for number in by_rest[: wanted - sum(found.values())]:
        found[number] += 1
    return {number: share for number, share in found.items() if share}


def _key(entry: Entry) -> str:
    return json.dumps([sorted(entry.labels.items()), entry.line])
