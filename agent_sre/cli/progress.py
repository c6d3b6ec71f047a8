"""How far a long command is, on standard error: a moving line on a terminal, a plain line now and then elsewhere.

Both say the same: how many are done, how fast, and how long the rest takes at that rate. A person watches the one; the
other keeps the log of a build from looking dead, also while one case takes long, hence the thread.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import perf_counter

from rich.console import Console

EVERY = 10.0
"""Seconds between two plain lines."""


def sentence(done: int, total: int, seconds: float) -> str:
    """Count, rate and the time left at that rate, ``seconds`` after the start."""
    if not done or seconds <= 0:
        return f"{done} of {total} answered"
    left = round((total - done) * seconds / done)
    return f"{done} of {total} answered, {done / seconds:.1f} per second, {left // 60}:{left % 60:02d} left"


@contextmanager
def told(
    total: int, quiet: bool, *, console: Console | None = None, every: float = EVERY
) -> Iterator[Callable[[int], None]]:
    """Yields what is called with the number done. ``quiet``: nothing where nobody watches a terminal."""
    console = console or Console(stderr=True, highlight=False)
    begun, done = perf_counter(), [0]

    def now() -> str:
        return sentence(done[0], total, perf_counter() - begun)

    def tell(count: int) -> None:
        done[0] = count
        if console.is_terminal:
            status.update(now())

    status = console.status(now())
    if console.is_terminal:
        with status:
            yield tell
    elif quiet:
        yield tell
    else:
        with _lines(lambda: console.print(now(), markup=False), every):
            yield tell


@contextmanager
def _lines(write: Callable[[], None], every: float) -> Iterator[None]:
    over = Event()

    def repeat() -> None:
        while not over.wait(every):
            write()

    thread = Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
