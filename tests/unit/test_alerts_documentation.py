"""docs/alerts.md says what is true: every source, settings that exist, templates that are read."""

import json
import re
from pathlib import Path

import pytest

from agent_sre.service.alert_sources import GENERIC_ALERT, SOURCES
from agent_sre.settings import Settings
from tests.unit.alerts import NOON

TEXT = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
TEMPLATES = re.findall(r"```json (\w+)\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_is_described(source: str) -> None:
    assert f"`{source}`" in TEXT
    assert f"/webhooks/{source}" in TEXT


def test_every_setting_that_it_names_exists() -> None:
    names = {name.lower() for name in re.findall(r"AGENT_SRE_([A-Z_]+[A-Z])\b", TEXT)}
    assert names
    assert names <= set(Settings.model_fields)


@pytest.mark.parametrize(("source", "text"), TEMPLATES, ids=[source for source, _ in TEMPLATES])
def test_its_templates_are_read(source: str, text: str) -> None:
    payload = json.loads(text)
    if source == "datadog":
        told = {"$ALERT_ID": "1", "$ALERT_TRANSITION": "Recovered", "$EVENT_TITLE": "[Recovered] CPU"}
        payload = {name: told.get(value, value) for name, value in payload.items()}
    (alert,) = SOURCES[source].parse(payload, NOON).alerts
    assert alert.name in {"CPU", "HighErrorRate"}


def test_the_parameters_of_the_zabbix_media_type_are_the_fields_of_the_generic_alert() -> None:
    (script,) = re.findall(r"```javascript\n(.*?)```", TEXT, re.DOTALL)
    sent = set(re.findall(r"(\w+): p\.\w+", script)) | set(re.findall(r"alert\.(\w+) =", script))
    parameters = set(re.findall(r"\| `(\w+)` \| [^|]+", TEXT.partition("### Zabbix")[2].partition("```")[0]))
    assert sent <= parameters
    assert sent <= set(GENERIC_ALERT["properties"])
