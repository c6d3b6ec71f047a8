"""CloudWatch alarms, as Amazon SNS delivers them: a JSON alarm in the ``Message`` text of a JSON envelope.

Three kinds of envelope come. A Notification holds an alarm, in CloudWatch's own form or as EventBridge's event. The two
confirmations hold a URL that would subscribe whoever opens it: it is never opened. The operator is told it, where it is
SNS's own in the region of the topic, and decides. That the envelope is Amazon's is proven before it comes here
(``entrypoints``, ``adapters.sns_signature``). ``INSUFFICIENT_DATA`` is a blind spot, not an outage.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from agent_sre.domain.visible import one_line
from agent_sre.ingest.decode import decode
from agent_sre.ingest.fields import first, instant, items, mapping, pairs, section, text, word
from agent_sre.ingest.payload import PayloadError, shown
from agent_sre.ingest.told import Reading, Told

SOURCE = "cloudwatch"

_FIX = "subscribe the webhook to a topic that CloudWatch alarms publish to, without raw message delivery"
_CONFIRMATIONS = {
    "SubscriptionConfirmation": "the subscription of {topic} waits to be confirmed by an operator; the log says how",
    "UnsubscribeConfirmation": "the webhook was unsubscribed from {topic}; subscribe it again if that was not meant",
}
_STATES = {"ALARM": True, "INSUFFICIENT_DATA": True, "OK": False}


def parse(payload: object, received_at: datetime) -> Reading:
    """The alarm of one Notification; none for a confirmation. Raises PayloadError."""
    envelope = mapping(payload, "$", _FIX)
    kind, topic = word(envelope.get("Type")), one_line(word(envelope.get("TopicArn")), 300)
    if kind in _CONFIRMATIONS:
        ignored = _CONFIRMATIONS[kind].format(topic=topic or "a topic")
        return Reading(
            ignored=ignored, to_do=_to_confirm(envelope, topic) if kind == "SubscriptionConfirmation" else ""
        )
    message = envelope.get("Message")
    if kind != "Notification" or not isinstance(message, str):
        raise PayloadError(f"$.Type is {shown(envelope.get('Type'))}, no notification with a Message", _FIX)
    alarm = mapping(decode(message.encode()), "$.Message", _FIX)
    event = section(alarm, "detail")
    told = _from_event(alarm, event) if "alarmName" in event else _from_alarm(alarm)
    return Reading((_told(told, topic, word(envelope.get("MessageId"))).alert(SOURCE, received_at),))


def _to_confirm(envelope: Mapping[str, Any], topic: str) -> str:
    """How an operator confirms: by the message's URL where it can only be Amazon's, else by its token."""
    url, token = word(envelope.get("SubscribeURL")), one_line(word(envelope.get("Token")), 500)
    region = _region(topic)
    host = rf"sns\.{re.escape(region)}\.amazonaws\.com(?:\.cn)?"
    if region and re.fullmatch(rf"https://{host}/\?Action=ConfirmSubscription&[\w.:&=%-]{{1,1000}}", url):
        return f"to confirm the subscription of {topic}, if it is yours, open {url}"
    return (
        f"to confirm the subscription of {topic}, if it is yours, run: aws sns confirm-subscription --token {token!r}"
    )


def _from_alarm(alarm: Mapping[str, Any]) -> dict[str, Any]:
    trigger = section(alarm, "Trigger")
    names = ("AlarmName", "NewStateValue", "NewStateReason", "StateChangeTime", "AlarmArn", "AlarmDescription")
    told = {name: alarm.get(name) for name in names}
    told |= {"account": word(alarm.get("AWSAccountId")), "region": word(alarm.get("Region"))}
    told["metrics"] = [trigger, *(section(item, "MetricStat", "Metric") for item in _objects(trigger.get("Metrics")))]
    return told


def _from_event(envelope: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """EventBridge's "CloudWatch Alarm State Change" in the words of an alarm's own message."""
    state, configuration = section(event, "state"), section(event, "configuration")
    arns = items(envelope.get("resources"))
    return {
        "AlarmName": event.get("alarmName"),
        "NewStateValue": state.get("value"),
        "NewStateReason": state.get("reason"),
        "StateChangeTime": state.get("timestamp"),
        "AlarmArn": arns[0] if arns else "",
        "AlarmDescription": configuration.get("description"),
        "account": word(envelope.get("account")),
        "region": word(envelope.get("region")),
        "metrics": [section(item, "metricStat", "metric") for item in _objects(configuration.get("metrics"))],
    }


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in items(value) if isinstance(item, dict)]


def _told(alarm: Mapping[str, Any], topic: str, message_id: str) -> Told:
    name, arn, state = word(alarm["AlarmName"]), word(alarm["AlarmArn"]), word(alarm["NewStateValue"]).upper()
    if not name or state not in _STATES:
        met = f"AlarmName {shown(alarm['AlarmName'])} and state {shown(alarm['NewStateValue'])}"
        raise PayloadError(f"$.Message has {met}, which is no alarm", _FIX)
    changed = instant(alarm["StateChangeTime"])
    region = _region(arn) or word(alarm["region"])
    return Told(
        identity=arn or f"{alarm['account']}/{region}/{name}",
        firing=_STATES[state],
        name=one_line(name, 200),
        labels={"account": alarm["account"], "region": region, **_metric_labels(alarm["metrics"])},
        annotations={
            "summary": first(alarm["AlarmDescription"], name),
            "description": text(alarm["NewStateReason"]),
            "state": state,
            "topic": topic,
        },
        starts_at=changed if _STATES[state] else None,
        ends_at=changed,
        group=arn or name,
        url=_console(arn, name),
        no_data=state == "INSUFFICIENT_DATA",
        message_id=message_id,
    )


def _metric_labels(metrics: list[Mapping[str, Any]]) -> dict[str, object]:
    """Dimensions of all metrics, and which metric it is. CloudWatch's "namespace" of a metric is none of Kubernetes."""
    labels: dict[str, object] = {}
    for metric in metrics:
        found = pairs(metric.get("Dimensions") or metric.get("dimensions"))
        if metric_name := first(metric.get("MetricName"), metric.get("metricName"), metric.get("name")):
            found["metric"] = metric_name
        if metric_namespace := first(metric.get("Namespace"), metric.get("namespace")):
            found["metric_namespace"] = metric_namespace
        for name, value in found.items():
            labels.setdefault(name, value)
    return labels


def _region(arn: str) -> str:
    """The region of ``arn:aws:cloudwatch:eu-west-1:123456789012:alarm:name``."""
    parts = arn.split(":", 5)
    return parts[3] if len(parts) == 6 else ""


def _console(arn: str, name: str) -> str:
    region = _region(arn)
    if not region.replace("-", "").isalnum():
        return ""
    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{quote(name, safe='')}"
    )
