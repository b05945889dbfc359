"""What the pages of the operations say in prose: https://docs.aws.amazon.com/step-functions/latest/apireference/."""

import json
import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule
from rehearsal.cloud.services.rules import tags

_ARNS = {
    "stateMachineArn": r"arn:[\w-]+:states:[\w-]+:\d{12}:stateMachine:[^:]+(:[^:]+)?",
    "executionArn": r"arn:[\w-]+:states:[\w-]+:\d{12}:(execution|express|mapRun):.+",
    "resourceArn": r"arn:[\w-]+:states:[\w-]+:\d{12}:(stateMachine|activity):.+",
}
# Neither white space, nor brackets, wildcards, quotes and control characters.
_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]{1,80}")
_INPUT_BYTES = 262144
_DEFINITION_BYTES = 1048576


def _invalid(code: str, text: str) -> AwsError:
    return AwsError(code, text)


@request_rule("stepfunctions", "DescribeStateMachine", "UpdateStateMachine", "DeleteStateMachine", "StartExecution",
              "ListExecutions", "DescribeExecution", "StopExecution", "GetExecutionHistory", "TagResource",
              "UntagResource", "ListTagsForResource", "StartSyncExecution")  # fmt: skip
def arns(call: Call) -> None:
    for name, pattern in _ARNS.items():
        arn = call.params.get(name)
        if arn is None or re.fullmatch(pattern, arn):
            continue
        kind = "Resource type not valid in this context" if arn.startswith("arn:") else "Invalid ARN prefix"
        what = f"{kind}: {arn}"
        raise _invalid("InvalidArn", f"Invalid Arn: '{what}'")


@request_rule("stepfunctions", "CreateStateMachine")
def create(call: Call) -> None:
    params = call.params
    _name(params["name"])
    _role(params["roleArn"])
    _size(params["definition"])
    tags.check(params.get("tags"), lambda text: AwsError("InvalidTags", text))
    if params.get("versionDescription") and not params.get("publish"):
        raise _invalid("ValidationException", "Version description can only be set when publish is true")
    _logging(params.get("loggingConfiguration"))


@request_rule("stepfunctions", "UpdateStateMachine")
def update(call: Call) -> None:
    params = call.params
    changes = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
    if not any(params.get(name) is not None for name in changes):
        raise _invalid("MissingRequiredParameter", "Either the definition, the role ARN, the LoggingConfiguration, or "
                       "the TracingConfiguration must be specified")  # fmt: skip
    if params.get("roleArn") is not None:
        _role(params["roleArn"])
    if params.get("definition") is not None:
        _size(params["definition"])
    _logging(params.get("loggingConfiguration"))


def _name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise _invalid("InvalidName", f"Invalid Name: '{name}'")


def _role(arn: str) -> None:
    if not re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/.+", arn):
        raise _invalid("InvalidArn", f"Invalid Role Arn: '{arn}'")


def _size(definition: str) -> None:
    if len(definition.encode()) > _DEFINITION_BYTES:
        raise _invalid("InvalidDefinition", "Invalid State Machine Definition: it has more than 1 MB")


def _logging(found: dict[str, Any] | None) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/apireference/API_LoggingConfiguration.html"""
    if not found:
        return
    places = found.get("destinations") or []
    if len(places) > 1 or (found.get("level", "OFF") != "OFF" and not places):
        raise _invalid("InvalidLoggingConfiguration", "Invalid Logging Configuration: Must specify exactly one "
                       "Log Destination.")  # fmt: skip
    for place in places:
        arn = (place.get("cloudWatchLogsLogGroup") or {}).get("logGroupArn") or ""
        if not re.fullmatch(r"arn:[\w-]+:logs:[\w-]+:\d{12}:log-group:[^:]+:\*", arn):
            raise _invalid("InvalidLoggingConfiguration", "Invalid Logging Configuration: The CloudWatch Logs Resource "
                           "Policy or the ARN of the log group is not valid: it ends with :*")  # fmt: skip


@request_rule("stepfunctions", "StartExecution")
def start(call: Call) -> None:
    if call.params.get("name") is not None:
        _name(call.params["name"])
    text = call.params.get("input")
    if text is None:
        return
    if len(text.encode()) > _INPUT_BYTES:
        text = f"Invalid State Machine Execution Input: it has more than {_INPUT_BYTES} bytes"
        raise _invalid("InvalidExecutionInput", text)
    try:
        json.loads(text)
    except ValueError as error:
        raise _invalid("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from None


@request_rule("stepfunctions", "TagResource")
def tag(call: Call) -> None:
    tags.check(call.params["tags"], lambda text: AwsError("InvalidTags", text))
