"""Which product answers behind Prometheus' API, and what its refusals mean.

They differ in what they tell of themselves: Mimir and Cortex name themselves in their build information,
Thanos has the version numbers of its own project, VictoriaMetrics claims to be an old Prometheus without a revision.
None but Prometheus has ``/-/healthy`` (and a proxy may answer it for a dead back end), so it is
never asked for: a query that is answered is the only proof.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Flavour(StrEnum):
    """Products that speak Prometheus' API."""

    PROMETHEUS = "prometheus"
    THANOS = "thanos"
    MIMIR = "mimir"
    CORTEX = "cortex"
    VICTORIAMETRICS = "victoriametrics"

    @property
    def product(self) -> str:
        """As its makers write it."""
        return {Flavour.VICTORIAMETRICS: "VictoriaMetrics"}.get(self, self.value.capitalize())


_APPLICATIONS = (("mimir", Flavour.MIMIR), ("cortex", Flavour.CORTEX), ("thanos", Flavour.THANOS))
_CLAIMED_BY_VICTORIAMETRICS = "2.24.0"


def flavour_of(build: Mapping[str, Any]) -> Flavour:
    """The product that gives this build information (the ``data`` of ``/api/v1/status/buildinfo``)."""
    application = str(build.get("application") or "").lower()
    for word, flavour in _APPLICATIONS:
        if word in application:
            return flavour
    version = str(build.get("version") or "").removeprefix("v")
    if version == _CLAIMED_BY_VICTORIAMETRICS and not build.get("revision"):
        return Flavour.VICTORIAMETRICS
    # Prometheus has been at 1 or above for as long as it has this API; Thanos has not reached 1.
    return Flavour.THANOS if version.startswith("0.") else Flavour.PROMETHEUS


_LIMITS = (
    (r"would load too many samples", "raise --query.max-samples, or shorten the window"),
    (r"exceeded maximum resolution|too many points for the given", "use a longer step or a shorter window"),
    (
        r"number of matching (?:unique )?timeseries exceeds",
        "raise -search.maxUniqueTimeseries of VictoriaMetrics, or name the namespaces that matter",
    ),
    (
        r"err-mimir-max-(?:series|chunks|estimated)",
        "raise the tenant's limits of Mimir (max_fetched_series_per_query and its kin), or name the namespaces",
    ),
    (
        r"err-mimir-max-query-length|query length .* exceeds the limit|query time range exceeds the limit",
        "shorten AGENT_SRE_LOOKBACK_SECONDS, or raise the tenant's query length limit",
    ),
    (
        r"max number of series limit|exceeded (?:series|chunks|samples|bytes) limit",
        "raise the limits of the querier or the store gateway, or name the namespaces that matter",
    ),
    (r"no org id", "set the tenant: X-Scope-OrgID in the headers"),
)


def limit_advice(message: str) -> str:
    """What to do about a refusal that is a limit of the product's, or "" where it is something else."""
    lowered = message.lower()
    return next((advice for pattern, advice in _LIMITS if re.search(pattern, lowered)), "")
