"""SNS: the attributes of topics and subscriptions."""

import json
from typing import Any

from rehearsal.cloud.core.api import Call, operation

_DELIVERY = {
    "http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numMaxDelayRetries": 0,
            "numNoDelayRetries": 0, "numMinDelayRetries": 0, "backoffFunction": "linear",
        },
        "disableSubscriptionOverrides": False,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }
}  # fmt: skip


@operation("sns", "GetTopicAttributes")
def topic_attributes(call: Call) -> dict[str, Any]:
    answer = call.forward()
    attributes = answer["Attributes"]
    given = attributes.get("DeliveryPolicy")
    if not given:
        attributes.pop("DeliveryPolicy", None)
    effective = json.loads(given) if given else {}
    attributes["EffectiveDeliveryPolicy"] = json.dumps(_DELIVERY | effective)
    topic = call.cloud.backend("sns", call.account, call.region).topics.get(call.params["TopicArn"])
    for member, name in (("SignatureVersion", "signature_version"), ("TracingConfig", "tracing_config")):
        if getattr(topic, name, None):
            attributes[member] = str(getattr(topic, name))
    return answer


@operation("sns", "GetSubscriptionAttributes")
def subscription_attributes(call: Call) -> dict[str, Any]:
    answer = call.forward()
    attributes = answer["Attributes"]
    owner = attributes["SubscriptionArn"].split(":")[4]
    attributes["SubscriptionPrincipal"] = f"arn:aws:iam::{owner}:user/administrator"
    attributes.pop("EffectiveDeliveryPolicy", None)
    return answer
