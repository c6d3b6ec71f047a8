"""How a service looks for garbage: rarely, and not among what was loaded for good.

Two hundred thousand objects come with the libraries and live as long as the process. A full collection looks at each of
them while everything stands still for a sixth of a second, in the middle of whatever is under way. Reference counts
free nearly all that an investigation makes; the cycles in the rest are still found.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (5_000, 5, 20)
"""Twenty-five thousand young objects at most are looked at in one go: some ten milliseconds."""


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """From now on; what there is by now is not looked at again until the end."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
