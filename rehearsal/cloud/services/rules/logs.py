"""CloudWatch Logs. Operations: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/."""

import json
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.policy_language import grammar
from rehearsal.cloud.services.rules import tags

_RETENTIONS = frozenset({
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
})  # fmt: skip
_BATCH_BYTES = 1048576
_EVENT_BYTES = 1048576
_OVERHEAD = 26
_SPAN = 24 * 3600 * 1000


def _invalid(text: str) -> AwsError:
    return AwsError("InvalidParameterException", text)


@request_rule("logs", "CreateLogGroup")
def create_group(call: Call) -> None:
    tags.check(call.params.get("tags"), _invalid)
    if call.params["logGroupName"].startswith("aws/"):
        raise _invalid("Log groups starting with AWS/ are reserved for AWS.")


@request_rule("logs", "PutRetentionPolicy")
def retention(call: Call) -> None:
    days = call.params["retentionInDays"]
    if days not in _RETENTIONS:
        raise _invalid("1 validation error detected: Value '" + str(days) + "' at 'retentionInDays' failed to satisfy "
                       f"constraint: Member must satisfy enum value set: {sorted(_RETENTIONS)}")  # fmt: skip


@request_rule("logs", "DescribeLogGroups")
def describe_groups(call: Call) -> None:
    if call.params.get("logGroupNamePrefix") and call.params.get("logGroupNamePattern"):
        raise _invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")


@request_rule("logs", "DescribeLogStreams")
def describe_streams(call: Call) -> None:
    params = call.params
    if params.get("logGroupName") and params.get("logGroupIdentifier"):
        raise _invalid("LogGroup name and LogGroup identifier are mutually exclusive parameters.")
    if params.get("orderBy") == "LastEventTime" and params.get("logStreamNamePrefix"):
        raise _invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")


@request_rule("logs", "PutLogEvents")
def put_events(call: Call) -> None:
    events = call.params["logEvents"]
    stamps = [event["timestamp"] for event in events]
    if stamps != sorted(stamps):
        raise _invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if stamps and stamps[-1] - stamps[0] > _SPAN:
        raise _invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    if any(not event["message"] for event in events):
        raise _invalid("Log event message must not be empty.")
    sizes = [len(event["message"].encode()) + _OVERHEAD for event in events]
    if any(size > _EVENT_BYTES for size in sizes):
        raise _invalid(f"Log event too large: {max(sizes)} bytes exceeds limit of {_EVENT_BYTES}")
    if sum(sizes) > _BATCH_BYTES:
        raise _invalid(f"Upload too large: {sum(sizes)} bytes exceeds limit of {_BATCH_BYTES}")


@request_rule("logs", "FilterLogEvents")
def filter_events(call: Call) -> None:
    params = call.params
    if params.get("logStreamNames") and params.get("logStreamNamePrefix"):
        raise _invalid("Either logStreamNamePrefix or logStreamNames can be specified")
    _times(params)


@request_rule("logs", "GetLogEvents")
def get_events(call: Call) -> None:
    _times(call.params)


def _times(params: dict[str, Any]) -> None:
    start, end = params.get("startTime"), params.get("endTime")
    if start is not None and end is not None and start > end:
        raise _invalid("The startTime must not be after the endTime.")


@request_rule("logs", "PutResourcePolicy")
def resource_policy(call: Call) -> None:
    text = call.params.get("policyDocument")
    if text is None:
        return
    try:
        json.loads(text)
        grammar.check(text, grammar.RESOURCE)
    except (ValueError, grammar.PolicyError) as error:
        raise _invalid(f"Invalid policy document: {error}") from None


@request_rule("logs", "AssociateKmsKey")
def associate_key(call: Call) -> None:
    given = [name for name in ("logGroupName", "resourceIdentifier") if call.params.get(name)]
    if len(given) != 1:
        raise _invalid("Exactly one of logGroupName and resourceIdentifier must be specified.")
    if not call.params["kmsKeyId"].startswith("arn:"):
        raise _invalid("The specified KMS key ID must be the ARN of a key.")


@request_rule("logs", "TagResource", "TagLogGroup")
def tag(call: Call) -> None:
    tags.check(call.params["tags"], _invalid)


@request_rule("logs", "PutMetricFilter")
def metric_filter(call: Call) -> None:
    for transformation in call.params["metricTransformations"]:
        if transformation.get("dimensions") and transformation.get("defaultValue") is not None:
            raise _invalid("Invalid metric transformation: dimensions and default value are mutually exclusive.")
        if len(transformation.get("dimensions") or {}) > 3:
            raise _invalid("A metric filter assigns at most 3 dimensions.")


@state_rule("logs", "PutResourcePolicy")
def ten_policies(call: Call) -> None:
    """ "An account can have up to 10 resource policies per Region."""
    kept = call.cloud.backend("logs", call.account, call.region).resource_policies
    if call.params.get("policyName") not in kept and len(kept) >= 10:
        raise AwsError("LimitExceededException", "Resource limit exceeded.")
