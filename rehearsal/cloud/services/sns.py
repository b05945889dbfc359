"""SNS: what moto publishes is delivered to functions too, and mail is kept in an outbox."""

import json
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.sns.models import Subscription
from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core.api import Cloud, Place, for_service, on_start, route

_moto_publish = Subscription.publish
_lock = threading.Lock()


@on_start
def deliver_for_real(cloud: Cloud) -> None:
    """moto delivers to queues; functions and mail are ours."""

    def publish(self: Subscription, message: str, message_id: str, **options: Any) -> None:
        if self.protocol not in ("lambda", "email", "email-json"):
            _moto_publish(self, message, message_id, **options)
            return
        matcher = self._filter_policy_matcher
        if matcher is not None and not matcher.matches(options.get("message_attributes"), message):
            return
        text = message
        if options.get("message_structure") == "json":
            text = self._parse_message_structure(message, self.protocol)
        if self.protocol == "lambda":
            _invoke(cloud, self, text, message_id, options.get("subject"), options.get("message_attributes") or {})
        else:
            _mail(cloud, self, text, message_id, options.get("subject"))

    Subscription.publish = publish  # type: ignore[method-assign,assignment]


def _invoke(
    cloud: Cloud,
    subscription: Subscription,
    message: str,
    message_id: str,
    subject: str | None,
    attributes: dict[str, Any],
) -> None:
    topic = subscription.topic_arn
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": topic,
            "Subject": subject,
            "Message": message,
            "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "MessageAttributes": attributes,
        },
    }
    payload = json.dumps({"Records": [record]}).encode()
    _, _, _, region, account, *_ = subscription.endpoint.split(":")
    cloud.background(
        cloud.perform,
        for_service("sns.amazonaws.com", topic.split(":")[4], topic),
        Place(account, region),
        "lambda",
        "Invoke",
        {"FunctionName": subscription.endpoint, "InvocationType": "Event", "Payload": payload},
        name="sns-lambda",
    )


def _outbox(cloud: Cloud) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = cloud.store("sns", "*", "*").setdefault("outbox", [])
    return kept


def _mail(cloud: Cloud, subscription: Subscription, message: str, message_id: str, subject: str | None) -> None:
    mail = {
        "id": message_id or str(uuid.uuid4()),
        "time": datetime.now(UTC).isoformat(),
        "to": subscription.endpoint,
        "topic": subscription.topic_arn,
        "account": subscription.topic_arn.split(":")[4],
        "subject": subject or "AWS Notification Message",
        "message": message,
    }
    with _lock:
        _outbox(cloud).append(mail)


def outbox(cloud: Cloud) -> list[dict[str, Any]]:
    """Every mail sent since the cloud came up: id, time, to, topic, account, subject, message."""
    with _lock:
        return list(_outbox(cloud))


@route("/_rehearsal/outbox", methods=["GET"])
def show_outbox(cloud: Cloud, request: Request) -> Response:
    """All mail, or that of `?account=` or `?topic=`."""
    wanted = {name: request.args[name] for name in ("account", "topic", "to") if name in request.args}
    mails = [mail for mail in outbox(cloud) if all(mail[name] == value for name, value in wanted.items())]
    return Response(json.dumps(mails, indent=1), content_type="application/json")
