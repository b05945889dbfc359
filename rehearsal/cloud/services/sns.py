"""SNS: what moto publishes is delivered to functions too, and mail is kept in an outbox."""

import json
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.sns.models import Subscription
from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core.api import AwsError, Cloud, Principal, on_start, route
from rehearsal.cloud.policy_language import trust

_moto_publish = Subscription.publish
_lock = threading.Lock()


def publish_for_service(
    cloud: Cloud, topic_arn: str, message: str, subject: str | None, service: str, account: str, source_arn: str
) -> None:
    """Publish as an AWS service, if the topic's policy lets it. Raises AwsError."""
    _, _, _, region, owner, _ = topic_arn.split(":", 5)
    topic = cloud.backend("sns", owner, region).topics.get(topic_arn)
    if topic is None:
        raise AwsError("NotFound", f"Topic does not exist: {topic_arn}", 404)
    context = {"aws:SourceArn": source_arn, "aws:SourceAccount": account}
    if service == "cloudwatch.amazonaws.com":
        # The default policy of a topic lets its owner's alarms in.
        context["aws:SourceOwner"] = account
    if not trust.allows(topic.policy, Principal(service, account, "service"), context, "sns:Publish"):
        raise AwsError("AuthorizationError", f"the policy of {topic_arn} does not let {service} do sns:Publish", 403)
    params: dict[str, Any] = {"TopicArn": topic_arn, "Message": message}
    if subject:
        params["Subject"] = subject[:99]
    cloud.store_call("sns", "Publish", owner, region, params)


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
    from rehearsal.cloud.services.lambda_.invoke import invoke_for_service

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
    cloud.background(
        invoke_for_service,
        cloud,
        subscription.endpoint,
        payload,
        service="sns.amazonaws.com",
        source_arn=topic,
        source_account=topic.split(":")[4],
        wait=False,
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
