"""Running one collector: a time limit, refusals as gaps, and redaction before anyone can store what it saw."""

import asyncio

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.evidence import Gap
from agent_sre.evidence.catalogue import Collector
from agent_sre.evidence.redaction import Redactor
from agent_sre.evidence.scope import Collected, Readers, Scope


async def run_collector(collector: Collector, scope: Scope, readers: Readers) -> Collected:
    """What the collector saw, redacted. Never raises for a source that refuses, fails or hangs."""
    seconds = scope.limits.timeout_seconds
    try:
        async with asyncio.timeout(seconds):
            collected = await collector.collect(scope, readers)
    except TimeoutError:
        reason = f"not finished within {seconds:g} s"
        collected = Collected(
            gaps=(Gap(collector.name, "everything it reads", reason, "raise AGENT_SRE_COLLECTOR_TIMEOUT"),)
        )
    except (TemporaryError, PermanentError) as error:
        collected = Collected(gaps=(Gap(collector.name, "everything it reads", str(error)),))
    redactor = scope.limits.redaction.redactor()
    # In a thread: redacting a large log must not hold up other incidents' requests.
    return await asyncio.to_thread(redacted, redactor, collected)


def redacted(redactor: Redactor, collected: Collected) -> Collected:
    """The same with every secret replaced."""
    return Collected(
        tuple(redactor.observation(item) for item in collected.observations),
        tuple(redactor.gap(item) for item in collected.gaps),
    )
