"""What an earlier run brought back, handed out again: an exported incident is replayed on exactly what was seen.

A snapshot's files can stand for many things, but not for all: what was refused at the time, an expression that a back
end evaluated, a sample of a log. Where the observations themselves were recorded, each collector's are taken as they
are, so the same analysis comes to the same answer. They pass the redactor as everything does that comes from outside.
"""

import asyncio
from collections.abc import Sequence

from agent_sre.domain.evidence import Gap, Observation
from agent_sre.evidence.catalogue import COLLECTORS
from agent_sre.evidence.redaction import Redaction
from agent_sre.evidence.run import redacted
from agent_sre.evidence.scope import Collected


class Recording:
    """Observations by the collector that made them. Gaps know none, so the first collector hands out all of them,
    and observations of collectors that no longer exist."""

    def __init__(self, observations: Sequence[Observation], gaps: Sequence[Gap]) -> None:
        known = {collector.name for collector in COLLECTORS}
        first = COLLECTORS[0].name
        self._collected = {
            name: Collected(
                tuple(item for item in observations if (item.collector if item.collector in known else first) == name),
                tuple(gaps) if name == first else (),
            )
            for name in known
        }

    async def collected(self, collector: str, redaction: Redaction) -> Collected:
        """What the collector brought back then, redacted."""
        return await asyncio.to_thread(redacted, redaction.redactor(), self._collected[collector])
