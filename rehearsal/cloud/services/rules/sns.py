"""SNS. The page of each operation below https://docs.aws.amazon.com/sns/latest/api/."""

import json
import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.policy_language import grammar

_PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose")
_MAX_BYTES = 256 * 1024
_TOPIC_NAME = re.compile(r"[\w-]{1,256}", re.ASCII)
_FIFO_NAME = re.compile(r"[\w-]{1,251}\.fifo", re.ASCII)
_TOPIC_ATTRIBUTES = frozenset({
    "DeliveryPolicy", "DisplayName", "FifoTopic", "Policy", "SignatureVersion", "TracingConfig", "KmsMasterKeyId",
    "ArchivePolicy", "ContentBasedDeduplication", "FifoThroughputScope", "DataProtectionPolicy",
})  # fmt: skip
_FEEDBACK = re.compile(
    r"(HTTP|Firehose|Lambda|Application|SQS)(SuccessFeedbackRoleArn|SuccessFeedbackSampleRate|FailureFeedbackRoleArn)"
)
_SUBSCRIPTION_ATTRIBUTES = frozenset({
    "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy",
    "SubscriptionRoleArn", "ReplayPolicy",
})  # fmt: skip
_ONCE = ("FifoTopic",)
"""Attributes that only CreateTopic takes."""


def invalid(text: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {text}", Type="Sender")


# --- ARNs ------------------------------------------------------------------------------------------------------------


@request_rule("sns", "Publish", "PublishBatch", "Subscribe", "GetTopicAttributes", "SetTopicAttributes",
              "AddPermission", "RemovePermission", "ListSubscriptionsByTopic", "DeleteTopic",
              "ConfirmSubscription")  # fmt: skip
def topic_arn(call: Call) -> None:
    """An ARN of six parts, of the region that is asked."""
    arn = call.params.get("TopicArn")
    if arn is None:
        if call.operation == "Publish" and not call.params.get("TargetArn") and not call.params.get("PhoneNumber"):
            raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
        return
    parts = _parts("TopicArn", arn)
    if parts[2] != "sns" or parts[3] != call.region or not re.fullmatch(r"\d{12}", parts[4]) or len(parts) > 6:
        raise invalid("TopicArn")


def _parts(name: str, arn: str) -> list[str]:
    parts: list[str] = arn.split(":")
    if len(parts) < 6:
        raise invalid(f"{name} Reason: An ARN must have at least 6 elements, not {len(parts)}")
    return parts


@request_rule("sns", "Unsubscribe", "GetSubscriptionAttributes", "SetSubscriptionAttributes")
def subscription_arn(call: Call) -> None:
    parts = _parts("SubscriptionArn", call.params["SubscriptionArn"])
    if len(parts) == 6:
        raise invalid("SubscriptionId")


@request_rule("sns", "TagResource", "UntagResource", "ListTagsForResource")
def tagged_arn(call: Call) -> None:
    _parts("ResourceArn", call.params["ResourceArn"])


# --- topics ----------------------------------------------------------------------------------------------------------


@request_rule("sns", "CreateTopic")
def create_topic(call: Call) -> None:
    attributes = call.params.get("Attributes") or {}
    fifo = attributes.get("FifoTopic", "false") == "true"
    if not (_FIFO_NAME if fifo else _TOPIC_NAME).fullmatch(call.params["Name"]):
        raise invalid("Topic Name")
    for name, value in attributes.items():
        _topic_attribute(name, value, "Attributes Reason: ")
    _tags(call.params.get("Tags"))


@request_rule("sns", "TagResource")
def tag(call: Call) -> None:
    _tags(call.params.get("Tags"))


def _tags(tags: list[dict[str, str]] | None) -> None:
    keys = [item.get("Key") for item in tags or ()]
    if len(set(keys)) != len(keys):
        raise invalid("Duplicated keys are not allowed.")


@request_rule("sns", "SetTopicAttributes")
def set_topic_attributes(call: Call) -> None:
    name = call.params["AttributeName"]
    if name in _ONCE:
        raise invalid("AttributeName")
    _topic_attribute(name, call.params.get("AttributeValue") or "", "")


def _topic_attribute(name: str, value: str, where: str) -> None:
    if name not in _TOPIC_ATTRIBUTES and not _FEEDBACK.fullmatch(name):
        raise invalid("AttributeName" if not where else f"{where}Unknown attribute: {name}")
    if name == "Policy" and value:
        _policy(value)
    if name in ("FifoTopic", "ContentBasedDeduplication") and value not in ("true", "false"):
        raise invalid(f"{where}{name}: Invalid value [{value}]. Must be true or false.")
    if name == "SignatureVersion" and value not in ("1", "2"):
        raise invalid(f"{where}SignatureVersion: Invalid value [{value}].")
    if name == "TracingConfig" and value not in ("Active", "PassThrough"):
        raise invalid(f"{where}TracingConfig: Invalid value [{value}].")
    if name == "DisplayName" and len(value) > 100:
        raise invalid(f"{where}DisplayName: Display name must be at most 100 characters long")
    if name in ("DeliveryPolicy", "ArchivePolicy") and value:
        _json(f"{where}{name}", value)


def _policy(text: str) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-using.html"""
    try:
        grammar.check(text, grammar.RESOURCE, vendor="sns")
    except grammar.PolicyError as error:
        raise invalid(f"Policy Error: {error}") from None


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise invalid(f"{name}: failed to parse JSON. {error}") from None


@state_rule("sns", "CreateTopic")
def same_topic(call: Call) -> None:
    """Creating again what is there returns its ARN, "without creating a new topic": if nothing else is asked for."""
    arn = f"arn:aws:sns:{call.region}:{call.account}:{call.params['Name']}"
    topic = call.cloud.backend("sns", call.account, call.region).topics.get(arn)
    if topic is None:
        return
    tags = call.params.get("Tags")
    if tags and {item["Key"]: item["Value"] for item in tags} != dict(topic._tags):
        raise invalid("Tags Reason: Topic already exists with different tags")
    kept = {
        "DisplayName": topic.display_name, "KmsMasterKeyId": topic.kms_master_key_id, "FifoTopic": topic.fifo_topic,
        "ContentBasedDeduplication": topic.content_based_deduplication,
    }  # fmt: skip
    for name, value in (call.params.get("Attributes") or {}).items():
        if name in kept and str(kept[name]).lower() != value.lower():
            raise invalid("Attributes Reason: Topic already exists with different attributes")


@state_rule("sns", "Publish", "PublishBatch", "GetTopicAttributes", "SetTopicAttributes", "AddPermission",
            "RemovePermission", "ListSubscriptionsByTopic", "Subscribe")  # fmt: skip
def known_topic(call: Call) -> None:
    arn = call.params.get("TopicArn") or call.params.get("TargetArn")
    if not arn or ":endpoint/" in arn:
        return
    _, _, _, region, account, _ = arn.split(":", 5)
    if arn not in call.cloud.backend("sns", account, region).topics:
        raise AwsError("NotFound", "Topic does not exist", 404, Type="Sender")


# --- publishing ------------------------------------------------------------------------------------------------------


@request_rule("sns", "Publish")
def publish(call: Call) -> None:
    params = call.params
    target = params.get("TargetArn")
    if target is not None and ":endpoint/" not in target and len(target.split(":")) < 6:
        _parts("TargetArn", target)
    if params.get("TopicArn") and target:
        raise invalid("TopicArn or TargetArn Reason: both parameters cannot be specified")
    _message(params, str(params.get("TopicArn") or target or ""))
    if _size(params) > _MAX_BYTES:
        raise invalid("Message too long")


def _message(params: dict[str, Any], topic: str) -> None:
    if not params["Message"]:
        raise invalid("Empty message")
    subject = params.get("Subject")
    if subject is not None:
        _subject(subject)
    if params.get("MessageStructure"):
        _structure(params["MessageStructure"], params["Message"])
    for name, attribute in (params.get("MessageAttributes") or {}).items():
        _attribute(name, attribute)
    if topic.endswith(".fifo"):
        if not params.get("MessageGroupId"):
            raise invalid("The MessageGroupId parameter is required for FIFO topics")
    elif params.get("MessageDeduplicationId"):
        raise invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is "
                      "not valid for this topic type")  # fmt: skip


def _subject(subject: str) -> None:
    """Printable ASCII that begins with a letter, number or punctuation, without line breaks, under 100 characters."""
    printable = subject.isascii() and subject.isprintable()
    if not subject or len(subject) > 100 or not printable or subject[0] == " ":
        raise invalid("Subject")


def _structure(kind: str, message: str) -> None:
    if kind != "json":
        raise invalid("MessageStructure")
    try:
        body = json.loads(message)
    except ValueError:
        raise invalid("Message Structure - JSON message body failed to parse") from None
    if not isinstance(body, dict) or not isinstance(body.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")


def _attribute(name: str, attribute: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html"""
    if not re.fullmatch(r"[\w.-]{1,256}", name, re.ASCII) or ".." in name or name[0] == "." or name[-1] == ".":
        raise AwsError("ParameterValueInvalid", f"The message attribute name '{name}' is invalid.", Type="Sender")
    kind = attribute.get("DataType") or ""
    if not re.match(r"(String|Number|Binary)(\.|$)", kind):
        text = f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
        raise AwsError("ParameterValueInvalid", f"{text}prefixes is Binary, Number, and String.", Type="Sender")
    member = "BinaryValue" if kind.startswith("Binary") else "StringValue"
    if not attribute.get(member):
        text = f"The message attribute '{name}' must contain non-empty message attribute value for message attribute "
        raise AwsError("ParameterValueInvalid", f"{text}type '{kind}'.", Type="Sender")


def _size(params: dict[str, Any]) -> int:
    total = len(params["Message"].encode())
    for name, attribute in (params.get("MessageAttributes") or {}).items():
        value = attribute.get("StringValue") or attribute.get("BinaryValue") or ""
        total += len(name) + len(attribute.get("DataType") or "") + len(value)
    return total


@request_rule("sns", "PublishBatch")
def publish_batch(call: Call) -> None:
    entries = call.params["PublishBatchRequestEntries"]
    if not entries:
        raise AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.", Type="Sender")
    if len(entries) > 10:
        raise AwsError("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.",
                       Type="Sender")  # fmt: skip
    ids = [entry["Id"] for entry in entries]
    for each in ids:
        what = "is too long" if len(each) > 80 else "contains an impermissible character"
        if len(each) > 80 or not re.fullmatch(r"[\w-]+", each, re.ASCII):
            text = f"The Id of a batch entry in the batch request {what}: {each}"
            raise AwsError("InvalidBatchEntryId", text, Type="Sender")
    if len(set(ids)) != len(ids):
        text = "Two or more batch entries in the request have the same Id."
        raise AwsError("BatchEntryIdsNotDistinct", text, Type="Sender")
    for entry in entries:
        _message(entry, call.params["TopicArn"])
    if sum(map(_size, entries)) > _MAX_BYTES:
        text = "The length of all the messages put together is more than the limit."
        raise AwsError("BatchRequestTooLong", text, Type="Sender")


# --- subscriptions ---------------------------------------------------------------------------------------------------


@request_rule("sns", "Subscribe")
def subscribe(call: Call) -> None:
    params = call.params
    protocol, endpoint = params["Protocol"], params.get("Endpoint") or ""
    if protocol not in _PROTOCOLS:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    _endpoint(protocol, endpoint)
    for name, value in (params.get("Attributes") or {}).items():
        _subscription_attribute(name, value, "Attributes Reason: ")


def _endpoint(protocol: str, endpoint: str) -> None:
    if protocol in ("http", "https") and not endpoint.startswith(f"{protocol}://"):
        raise invalid("Endpoint must match the specified protocol")
    if protocol in ("email", "email-json") and not re.fullmatch(r"[^@\s]+@[^@\s]+", endpoint):
        raise invalid("Email address")
    kinds = {"sqs": "SQS", "lambda": "Lambda", "firehose": "Firehose"}
    if protocol in kinds:
        parts = endpoint.split(":")
        if len(parts) < 6 or parts[0] != "arn" or parts[2] != protocol:
            raise invalid(f"{kinds[protocol]} endpoint ARN")


@request_rule("sns", "SetSubscriptionAttributes")
def set_subscription_attributes(call: Call) -> None:
    name = call.params["AttributeName"]
    if name not in _SUBSCRIPTION_ATTRIBUTES:
        raise invalid("AttributeName")
    _subscription_attribute(name, call.params.get("AttributeValue") or "", "")


def _subscription_attribute(name: str, value: str, where: str) -> None:
    if name not in _SUBSCRIPTION_ATTRIBUTES:
        raise invalid(f"{where}Unknown attribute: {name}" if where else "AttributeName")
    if name == "RawMessageDelivery" and value.lower() not in ("true", "false"):
        raise invalid(f"{where}RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
    if name == "FilterPolicyScope" and value not in ("MessageAttributes", "MessageBody"):
        raise invalid(f"{where}FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or "
                      "MessageAttributes")  # fmt: skip
    if not value:
        return
    if name == "RedrivePolicy":
        target = _json(f"{where}RedrivePolicy", value)
        arn = target.get("deadLetterTargetArn") if isinstance(target, dict) else None
        if not re.fullmatch(r"arn:[\w-]+:sqs:[\w-]+:\d{12}:[\w.-]+", str(arn)):
            raise invalid(f"{where}RedrivePolicy: deadLetterTargetArn is an invalid arn")
    if name == "FilterPolicy":
        _filter(f"{where}FilterPolicy", value)
    if name in ("DeliveryPolicy", "ReplayPolicy"):
        _json(f"{where}{name}", value)


def _filter(where: str, text: str) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html"""
    document = _json(where, text)
    if not isinstance(document, dict):
        raise invalid(f"{where}: Filter is not an object")
    for key, rules in document.items():
        if not isinstance(rules, list | dict):
            raise invalid(f'{where}: "{key}" must be an object or an array')
        if rules == []:
            raise invalid(f"{where}: Empty arrays are not allowed")


@state_rule("sns", "Subscribe")
def same_subscription(call: Call) -> None:
    """One subscription for each endpoint: asking again with other attributes is refused."""
    params = call.params
    subscriptions = call.cloud.backend("sns", call.account, call.region).subscriptions.values()
    for known in list(subscriptions):
        same = (params["TopicArn"], params.get("Endpoint"), params["Protocol"])
        if (known.topic_arn, known.endpoint, known.protocol) != same:
            continue
        for name, value in (params.get("Attributes") or {}).items():
            if str(known.attributes.get(name, "")).lower() != value.lower():
                raise invalid("Attributes Reason: Subscription already exists with different attributes")


@state_rule("sns", "GetSubscriptionAttributes", "SetSubscriptionAttributes")
def known_subscription(call: Call) -> None:
    backend = call.cloud.backend("sns", call.account, call.region)
    if call.params["SubscriptionArn"] not in backend.subscriptions:
        raise AwsError("NotFound", "Subscription does not exist", 404, Type="Sender")
