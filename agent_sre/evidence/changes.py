"""What people and machines changed, from a day before the window: a change may smoulder before it burns."""

from datetime import timedelta
from functools import partial

from agent_sre.domain.reference import Window
from agent_sre.evidence.reading import Reading, capped, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope

NAME = "changes"
LOOKBACK = timedelta(days=1)


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation; the newest are kept where there are too many."""
    reader = readers.changes
    if reader is None:
        return not_there("changes", "deploys, commits and flags", "configure a source of changes, or add changes.json")
    reading = Reading(NAME, "changes", scope)
    window = Window(scope.window.start - LOOKBACK, scope.window.end)
    found = await reading.look("changes", partial(reader.changes, scope.namespaces, window))
    if found is not None:
        newest, left_out = capped(found[::-1], scope.limits.changes, "changes (the oldest)")
        reading.observe(
            "changes of the namespaces and repositories", changes=newest[::-1], left_out=left_out, window=window
        )
    return reading.done()
