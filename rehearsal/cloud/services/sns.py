"""SNS: what moto publishes is delivered to functions too, and mail is kept in an outbox.

A mail address gets nothing before its owner has confirmed: AWS sends a link, and takes what nobody has confirmed away
after 48 hours (https://aws.amazon.com/about-aws/whats-new/2023/05/amazon-sns-automatic-deletion-unconfirmed-subscriptions/;
here it stays). Until then a list shows `PendingConfirmation` where the ARN should be.
"""

import json
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.sns.models import Subscription
from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core.api import AwsError, Call, Cloud, Place, for_service, on_start, operation, route

_MAIL = ("email", "email-json")
_WAITS = "PendingConfirmation"
CONFIRM = "AWS Notification - Subscription Confirmation"
"""Subject of the mail that asks an address whether it wants to be subscribed."""
_moto_publish = Subscription.publish
_lock = threading.Lock()


@on_start
def deliver_for_real(cloud: Cloud) -> None:
    """moto delivers to queues; functions and mail are ours."""

    def publish(self: Subscription, message: str, message_id: str, **options: Any) -> None:
        if self.protocol not in ("lambda", *_MAIL):
            _moto_publish(self, message, message_id, **options)
            return
        if _pending(self):
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


# --- confirmation ----------------------------------------------------------------------------------------------------


def _pending(subscription: Subscription) -> bool:
    return bool(subscription.protocol in _MAIL and subscription.attributes.get(_WAITS))


def _waiting(cloud: Cloud, account: str, region: str) -> dict[str, str]:
    """Tokens that were sent, and the subscriptions that they confirm."""
    kept: dict[str, str] = cloud.store("sns", account, region).setdefault("tokens", {})
    return kept


def _known(call: Call) -> dict[str, Subscription]:
    found: dict[str, Subscription] = call.cloud.backend("sns", call.account, call.region).subscriptions
    return found


@operation("sns", "Subscribe")
def subscribe(call: Call) -> dict[str, Any]:
    """A mail address is asked first; https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html."""
    before = set(_known(call))
    answer = call.forward()
    subscription = _known(call)[answer["SubscriptionArn"]]
    if subscription.protocol in _MAIL and subscription.arn not in before:
        subscription.attributes |= {_WAITS: True, "ConfirmationWasAuthenticated": False}
        token = uuid.uuid4().hex
        _waiting(call.cloud, call.account, call.region)[token] = subscription.arn
        _mail(call.cloud, subscription, f"To confirm this subscription, give the token {token}", "", CONFIRM)
    if _pending(subscription) and not call.params.get("ReturnSubscriptionArn"):
        answer["SubscriptionArn"] = "pending confirmation"
    return answer


@operation("sns", "ConfirmSubscription")
def confirm(call: Call) -> dict[str, Any]:
    arn = _waiting(call.cloud, call.account, call.region).pop(call.params["Token"], "")
    subscription = _known(call).get(arn)
    if subscription is None or subscription.topic_arn != call.params["TopicArn"]:
        raise AwsError("InvalidParameter", "Invalid parameter: Invalid token", Type="Sender")
    subscription.attributes |= {_WAITS: False, "ConfirmationWasAuthenticated": True}
    return {"SubscriptionArn": arn}


@operation("sns", "Unsubscribe")
def unsubscribe(call: Call) -> dict[str, Any]:
    """pulumi-aws takes this sentence for success (internal/service/sns/topic_subscription.go)."""
    subscription = _known(call).get(call.params["SubscriptionArn"])
    if subscription is not None and _pending(subscription):
        raise AwsError("InvalidParameter", "Invalid parameter: SubscriptionArn Reason: Cannot unsubscribe a"
                       " subscription that is pending confirmation", Type="Sender")  # fmt: skip
    return call.forward()


@operation("sns", "ListSubscriptions", "ListSubscriptionsByTopic")
def list_subscriptions(call: Call) -> dict[str, Any]:
    answer = call.forward()
    known = _known(call)
    for item in answer.get("Subscriptions", []):
        subscription = known.get(item["SubscriptionArn"])
        if subscription is not None and _pending(subscription):
            item["SubscriptionArn"] = _WAITS
    return answer


def confirm_all(cloud: Cloud, account: str = "") -> int:
    """Everybody who was asked (in one account, or in all) says yes; how many that were."""
    count = 0
    for owner, region, state in cloud.stores("sns"):
        if account in ("", owner) and owner != "*":
            subscriptions = cloud.backend("sns", owner, region).subscriptions
            for arn in state.pop("tokens", {}).values():
                if arn in subscriptions:
                    subscriptions[arn].attributes |= {_WAITS: False, "ConfirmationWasAuthenticated": True}
                    count += 1
    return count


@route("/_rehearsal/outbox/confirm", methods=["POST"])
def follow_links(cloud: Cloud, request: Request) -> Response:
    """The owners of all addresses that were asked follow the link in their mail."""
    return Response(json.dumps({"confirmed": confirm_all(cloud)}), content_type="application/json")
