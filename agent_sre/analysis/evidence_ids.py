"""Evidence ids: each excerpt that an answer cites gets one id (E1, E2, ...), in the order of first citation."""

from collections.abc import Sequence

from agent_sre.analysis.casefile import CaseFile
from agent_sre.domain.evidence import Evidence
from agent_sre.domain.finding import Fact


class Mint:
    """Gives out evidence ids for one verdict. The same excerpt of the same observation gets the same id."""

    def __init__(self, case: CaseFile) -> None:
        self._case = case
        self._evidence: dict[tuple[str, str], Evidence] = {}

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All evidence cited so far, by id."""
        return tuple(self._evidence.values())

    def cite(self, facts: Sequence[Fact]) -> tuple[str, ...]:
        """The ids of these facts' excerpts, each once. The facts' observations are in the case."""
        ids: dict[str, None] = {}
        for fact in facts:
            key = (fact.observation, fact.excerpt)
            if key not in self._evidence:
                seen = self._case.observations[fact.observation]
                self._evidence[key] = Evidence(
                    id=f"E{len(self._evidence) + 1}",
                    observation=fact.observation,
                    source=seen.source,
                    query=seen.query,
                    excerpt=fact.excerpt,
                    time=fact.time,
                    window=seen.window,
                    link=seen.link,
                )
            ids[self._evidence[key].id] = None
        return tuple(ids)
