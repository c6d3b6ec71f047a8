"""Cron schedules: the starts that were due."""

from datetime import UTC, datetime

import pytest

from agent_sre.analysis.kubernetes.schedule import starts_between

MIDNIGHT = datetime(2026, 4, 14, tzinfo=UTC)  # a Tuesday
MORNING = datetime(2026, 4, 14, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "zone", "hours"),
    [
        ("0 */3 * * *", "", [3, 6, 9]),
        ("@hourly", "", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("0 2 * * mon-fri", "", [2]),
        ("0 2 * * sun", "", []),
        ("0 2 14 * sun", "", [2]),
        ("0 9 * * *", "Europe/Berlin", [7]),
        ("0 1-5/2,8 * apr *", "Etc/UTC", [1, 3, 5, 8]),
        ("0 2 * *", "", []),
        ("61 2 * * *", "", []),
        ("0 2 * * *", "Nowhere/Atall", []),
    ],
)
def test_starts_that_were_due(schedule: str, zone: str, hours: list[int]) -> None:
    found = [moment.hour for moment in starts_between(schedule, zone, MIDNIGHT, MORNING)]
    assert found == hours
