"""An early look and the webhook: only for who may come in, and never in the way of the acknowledgement."""

import asyncio

from agent_sre.entrypoints.webhook_auth import WebhookAuth
from agent_sre.evidence.early_looks import EarlyLooks
from agent_sre.evidence.scope import Limits
from agent_sre.service.look_early import LookEarly
from tests.contract.http_server import Build, running
from tests.unit.alerts import message, payload
from tests.unit.service.test_look_early import HOUR, Metrics

DOCUMENT = payload(message(fires=0))
DOCUMENT["alerts"][0]["generatorURL"] = "http://prometheus.example/graph?g0.expr=up%20%3D%3D%200"


def looking(metrics: Metrics, auth: WebhookAuth) -> Build:
    """An application that begins looks as the service does."""
    build = Build(auth=auth)
    looks = EarlyLooks(build.store.cases.add_observations)
    build.begin = LookEarly(looks, metrics, Limits(), HOUR)
    return build


async def test_who_may_not_come_in_causes_no_query() -> None:
    metrics = Metrics()
    async with running(looking(metrics, WebhookAuth("s3cret"))) as server:
        assert (await server.post(DOCUMENT)).status_code == 401
        assert (await server.post(DOCUMENT, headers={"Authorization": "Bearer wrong"})).status_code == 401
        assert metrics.asked == []
        assert (await server.post(DOCUMENT, headers={"Authorization": "Bearer s3cret"})).status_code == 202
        assert [expression for expression, _ in metrics.asked] == ["up == 0"]


async def test_a_back_end_that_hangs_holds_up_neither_acknowledgement_nor_incident() -> None:
    metrics = Metrics()
    metrics.answers.clear()
    async with running(looking(metrics, WebhookAuth(open_without_secret=True))) as server:
        assert (await asyncio.wait_for(server.post(DOCUMENT), 10)).status_code == 202
        assert len(metrics.asked) == 1
        assert len(await asyncio.wait_for(server.incidents(), 10)) == 1
        metrics.answers.set()
