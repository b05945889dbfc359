"""SQS. The page of each operation below https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/."""

import json
import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule
from rehearsal.cloud.policy_language import grammar
from rehearsal.cloud.services.rules import tags

_RANGES = {
    "DelaySeconds": (0, 900), "MaximumMessageSize": (1024, 1048576), "MessageRetentionPeriod": (60, 1209600),
    "ReceiveMessageWaitTimeSeconds": (0, 20), "VisibilityTimeout": (0, 43200),
    "KmsDataKeyReusePeriodSeconds": (60, 86400),
}  # fmt: skip
_ATTRIBUTES = frozenset({
    *_RANGES, "Policy", "RedrivePolicy", "RedriveAllowPolicy", "FifoQueue", "ContentBasedDeduplication",
    "KmsMasterKeyId", "SqsManagedSseEnabled", "DeduplicationScope", "FifoThroughputLimit",
})  # fmt: skip
_SIZE = 1048576
_IMPERMISSIBLE = re.compile("[^\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _value(text: str) -> AwsError:
    return AwsError("InvalidParameterValue", text, Type="Sender")


# --- queues ----------------------------------------------------------------------------------------------------------


@request_rule("sqs", "CreateQueue")
def create_queue(call: Call) -> None:
    name = call.params["QueueName"]
    attributes = call.params.get("Attributes") or {}
    fifo = attributes.get("FifoQueue", "").lower() == "true"
    if not re.fullmatch(r"[\w-]{1,75}\.fifo" if fifo else r"[\w-]{1,80}", name, re.ASCII):
        text = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        raise _value("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must "
                     "end with .fifo suffix and be 1 to 80 in length." if fifo else text)  # fmt: skip
    if "FifoQueue" in attributes and not fifo:
        raise AwsError("InvalidAttributeName", "Unknown Attribute FifoQueue.", Type="Sender")
    _attributes(attributes, fifo)
    tags.check(call.params.get("tags"), _value)


@request_rule("sqs", "SetQueueAttributes")
def set_attributes(call: Call) -> None:
    attributes = call.params["Attributes"]
    if not attributes:
        raise AwsError("MalformedInput", "End of list found where not expected", Type="Sender")
    if "FifoQueue" in attributes:
        raise AwsError("InvalidAttributeName", "Unknown Attribute FifoQueue.", Type="Sender")
    _attributes(attributes, call.params["QueueUrl"].endswith(".fifo"))


def _attributes(attributes: dict[str, str], fifo: bool) -> None:
    for name, value in attributes.items():
        if name not in _ATTRIBUTES:
            raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.", Type="Sender")
        if name in _RANGES:
            low, high = _RANGES[name]
            if not re.fullmatch(r"-?\d+", value) or not low <= int(value) <= high:
                raise _wrong(name)
        if name in ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit") and not fifo:
            raise AwsError("InvalidAttributeName", f"You can specify the {name} only when FifoQueue is set to true.",
                           Type="Sender")  # fmt: skip
        if value and name == "Policy":
            _policy(value)
        if value and name in ("RedrivePolicy", "RedriveAllowPolicy"):
            _redrive(name, value)
    if attributes.get("SqsManagedSseEnabled") == "true" and attributes.get("KmsMasterKeyId"):
        raise AwsError("InvalidAttributeValue", "You can use one type of server-side encryption (SSE) at one time. You "
                       "can either enable KMS SSE or SQS SSE.", Type="Sender")  # fmt: skip


def _wrong(name: str) -> AwsError:
    return AwsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.", Type="Sender")


def _policy(text: str) -> None:
    try:
        grammar.check(text, grammar.RESOURCE)
    except grammar.PolicyError:
        raise _wrong("Policy") from None


def _redrive(name: str, text: str) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"""
    try:
        document: Any = json.loads(text)
    except ValueError:
        raise _value(f"Value {text} for parameter {name} is invalid. Reason: Redrive policy is not a valid JSON map."
                     ) from None  # fmt: skip
    problem = "Redrive policy is not a valid JSON map." if not isinstance(document, dict) else ""
    if not problem and name == "RedrivePolicy":
        problem = _redrive_problem(document)
    if problem:
        raise _value(f"Value {text} for parameter {name} is invalid. Reason: {problem}")


def _redrive_problem(document: dict[str, Any]) -> str:
    for wanted in ("deadLetterTargetArn", "maxReceiveCount"):
        if wanted not in document:
            return f"Redrive policy does not contain mandatory attribute: {wanted}."
    count = str(document["maxReceiveCount"])
    if not count.isdigit() or not 1 <= int(count) <= 1000:
        return "Invalid value for maxReceiveCount: " + count + ", valid values are from 1 to 1000 both inclusive."
    if not re.fullmatch(r"arn:[\w-]+:sqs:[\w-]+:\d{12}:[\w.-]+", str(document["deadLetterTargetArn"])):
        return "Invalid value for deadLetterTargetArn."
    return ""


# --- messages --------------------------------------------------------------------------------------------------------


@request_rule("sqs", "SendMessage")
def send_message(call: Call) -> None:
    _message(call.params, call.params["QueueUrl"].endswith(".fifo"))


def _message(params: dict[str, Any], fifo: bool) -> None:
    body = params["MessageBody"]
    if not body:
        raise AwsError("MissingParameter", "The request must contain the parameter MessageBody.", Type="Sender")
    if _IMPERMISSIBLE.search(body):
        raise AwsError("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | "
                       "#xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF", Type="Sender")  # fmt: skip
    delay = params.get("DelaySeconds")
    if delay is not None and not 0 <= delay <= 900:
        raise _value(f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= "
                     "900.")  # fmt: skip
    attributes = params.get("MessageAttributes") or {}
    for name, attribute in attributes.items():
        _attribute(name, attribute)
    if size(params) > _SIZE:
        raise _value(f"One or more parameters are invalid. Reason: Message must be shorter than {_SIZE} bytes.")
    if fifo and not params.get("MessageGroupId"):
        raise AwsError("MissingParameter", "The request must contain the parameter MessageGroupId.", Type="Sender")
    if not fifo and params.get("MessageDeduplicationId"):
        raise _value(f"Value {params['MessageDeduplicationId']} for parameter MessageDeduplicationId is invalid. "
                     "Reason: The request includes a parameter that is not valid for this queue type.")  # fmt: skip
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        if params.get(name) and not re.fullmatch(r"[\x21-\x7e]{1,128}", params[name]):
            raise _value(f"Value {params[name]} for parameter {name} is invalid. Reason: {name} can only include "
                         "alphanumeric and punctuation characters. 1 to 128 in length.")  # fmt: skip


def size(params: dict[str, Any]) -> int:
    """What counts against the limit: body and attributes."""
    total = len(params["MessageBody"].encode())
    for name, attribute in (params.get("MessageAttributes") or {}).items():
        value = attribute.get("StringValue") or attribute.get("BinaryValue") or ""
        total += len(name.encode()) + len(attribute.get("DataType") or "") + len(value)
    return total


def _attribute(name: str, attribute: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html"""
    if not re.fullmatch(r"[\w.-]{1,256}", name, re.ASCII) or ".." in name or name[0] == "." or name[-1] == ".":
        raise _value(f"Invalid message attribute name: {name}")
    if name.lower().startswith(("aws.", "amazon.")):
        raise _value("You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are "
                     "reserved for internal use.")  # fmt: skip
    kind = attribute.get("DataType") or ""
    if not kind:
        raise AwsError("MissingParameter", f"The message attribute '{name}' must contain a data type.", Type="Sender")
    base = kind.partition(".")[0]
    if base not in ("String", "Number", "Binary") or len(kind) > 256:
        raise _value(f"The type of message (user) attribute '{name}' is invalid. You must use only the following "
                     "supported type prefixes: Binary, Number, String.")  # fmt: skip
    member = "BinaryValue" if base == "Binary" else "StringValue"
    if not attribute.get(member):
        raise _value(f"Message (user) attribute '{name}' must contain a non-empty value of type '{base}'.")
    if base == "Number" and not re.fullmatch(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", attribute[member]):
        raise _value(f"Can't cast the value of message (user) attribute '{name}' to a number.")


@request_rule("sqs", "SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch")
def batch(call: Call) -> None:
    entries = call.params["Entries"]
    if not entries:
        raise AwsError("AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one "
                       f"{call.operation}RequestEntry in the request.", Type="Sender")  # fmt: skip
    if len(entries) > 10:
        text = f"Maximum number of entries per request are 10. You have sent {len(entries)}."
        raise AwsError("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", text, Type="Sender")
    ids = [entry["Id"] for entry in entries]
    for each in ids:
        if not re.fullmatch(r"[\w-]{1,80}", each, re.ASCII):
            raise AwsError("AWS.SimpleQueueService.InvalidBatchEntryId", "A batch entry id can only contain "
                           "alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
                           Type="Sender")  # fmt: skip
    repeated = [each for each in ids if ids.count(each) > 1]
    if repeated:
        raise AwsError("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", f"Id {repeated[0]} repeated.", Type="Sender")
    if call.operation == "SendMessageBatch" and sum(map(size, entries)) > _SIZE:
        raise AwsError("AWS.SimpleQueueService.BatchRequestTooLong", f"Batch requests cannot be longer than {_SIZE} "
                       f"bytes. You have sent {sum(map(size, entries))} bytes.", Type="Sender")  # fmt: skip


@request_rule("sqs", "ReceiveMessage")
def receive(call: Call) -> None:
    params = call.params
    for name, low, high in (("MaxNumberOfMessages", 1, 10), ("WaitTimeSeconds", 0, 20)):
        value = params.get(name)
        if value is not None and not low <= value <= high:
            reason = "Must be between 1 and 10, if provided." if low else "Must be >= 0 and <= 20, if provided."
            raise _value(f"Value {value} for parameter {name} is invalid. Reason: {reason}")
    _visibility(params.get("VisibilityTimeout"))


@request_rule("sqs", "ChangeMessageVisibility")
def change_visibility(call: Call) -> None:
    _visibility(call.params["VisibilityTimeout"])


def _visibility(value: int | None) -> None:
    if value is not None and not 0 <= value <= 43200:
        raise _value(f"Value {value} for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an "
                     "integer between 0 and 43200.")  # fmt: skip
