"""The settings of what becomes of alerts: how long, how far apart, how many. See docs/correlation.md.

A part of ``Settings``, which reads the environment; these are fields only.
"""

from pydantic import BaseModel, Field


class IntakeSettings(BaseModel):
    """Durations are in seconds unless the name says otherwise."""

    reopen_seconds: float = Field(
        3600.0, gt=0, description="Seconds after its end in which an incident is reopened instead of a new one opened."
    )
    correlation_seconds: float = Field(
        1800.0,
        gt=0,
        description="Seconds that alerts may be apart to be one incident, on facts; see docs/correlation.md.",
    )
    storm_incidents: int = Field(
        20, ge=5, description="Incidents opened within STORM_SECONDS from which on alike ones are gathered into one."
    )
    storm_seconds: float = Field(300.0, gt=0, description="Seconds in which a storm's incidents are opened.")
    flap_changes: int = Field(
        6, ge=4, description="Changes between firing and over, within FLAP_SECONDS, from which on an alert is flapping."
    )
    flap_seconds: float = Field(
        1800.0, gt=0, description="Seconds in which they happen, and for which it must be calm to be flapping no more."
    )
    lapse_minutes: dict[str, float] = Field(
        default_factory=dict,
        description="Minutes by source, as JSON, after which a firing alert without a further word counts as over; 0: "
        'never. Default: {"alertmanager": 300, "grafana": 300, "generic": 1440, "cloudevents": 1440}.',
    )
