"""Rows of a body that holds one document per line, of any length and number, with no more than one row in memory."""

from collections.abc import AsyncIterator

MAX_ROW = 4 * 1024 * 1024


async def rows(parts: AsyncIterator[bytes], longest: int = MAX_ROW) -> AsyncIterator[bytes | None]:
    """Each row without its line break; None for one that is longer than ``longest`` bytes, which is dropped."""
    held: list[bytes] = []
    size, dropping = 0, False
    async for part in parts:
        pieces = part.split(b"\n")
        for number, piece in enumerate(pieces):
            size += len(piece)
            if size > longest and not dropping:
                held, dropping = [], True
            if not dropping:
                held.append(piece)
            if number < len(pieces) - 1:
                row = None if dropping else b"".join(held)
                held, size, dropping = [], 0, False
                if row is None or row.strip():
                    yield row
    if dropping:
        yield None
    elif row := b"".join(held).strip():
        yield row
