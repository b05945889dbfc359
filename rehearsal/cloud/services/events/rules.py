"""What the pages of the operations say in prose: https://docs.aws.amazon.com/eventbridge/latest/APIReference/.

Quotas: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html.
"""

import json
import re
from datetime import datetime
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.policy_language import grammar
from rehearsal.cloud.services.events import inputs
from rehearsal.cloud.services.rules import tags

_ENTRIES = 10
_ENTRIES_BYTES = 262144
_TARGETS = 5
_RULES = 300
_INPUT = re.compile(r"\$(\.[\w-]+|\[\d+\]|\[\*\]|\.\*)*")


def _invalid(text: str) -> AwsError:
    return AwsError("ValidationException", text)


@request_rule("events", "PutEvents")
def entries(call: Call) -> None:
    found = call.params["Entries"]
    if sum(map(_size, found)) > _ENTRIES_BYTES:
        raise _invalid("Total size of the entries in the request is over the limit.")


def _size(entry: dict[str, Any]) -> int:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size"""
    total = 14 if isinstance(entry.get("Time"), datetime) else 0
    total += sum(len(str(entry.get(name) or "").encode()) for name in ("Source", "DetailType", "Detail"))
    return total + sum(len(arn.encode()) for arn in entry.get("Resources") or ())


@request_rule("events", "TestEventPattern")
def event(call: Call) -> None:
    """The event is an object with the members that every event has."""
    try:
        found = json.loads(call.params["Event"])
    except ValueError:
        found = None
    wanted = ("id", "account", "source", "time", "region", "detail-type")
    if not isinstance(found, dict):
        raise _invalid("Parameter Event is not valid.")
    for name in wanted:
        if name not in found:
            raise _invalid(f"Parameter Event is not valid. Reason: {name} is a required argument.")


@request_rule("events", "PutRule")
def rule(call: Call) -> None:
    tags.check(call.params.get("Tags"), _invalid)
    if len(call.params.get("EventPattern") or "") > 4096:
        raise AwsError("InvalidEventPatternException", "Event pattern is not valid. Reason: it is longer than 4096.")


@request_rule("events", "CreateEventBus", "TagResource")
def tagged(call: Call) -> None:
    tags.check(call.params.get("Tags"), _invalid)


@request_rule("events", "CreateEventBus")
def bus_name(call: Call) -> None:
    """ "Custom event bus names can't contain the / character, but you can't use the name default either."""
    name = call.params["Name"]
    if "/" in name and not name.startswith("aws.partner/"):
        raise _invalid("Event bus name must not contain '/'.")
    if name == "default":
        raise AwsError("ResourceAlreadyExistsException", "Event bus default already exists.")


@request_rule("events", "DeleteEventBus")
def default_bus(call: Call) -> None:
    if call.params["Name"] == "default":
        raise _invalid("Cannot delete event bus default.")


@request_rule("events", "PutTargets")
def targets(call: Call) -> None:
    found = call.params["Targets"]
    ids = [entry["Id"] for entry in found]
    if len(set(ids)) < len(ids):
        raise _invalid("Target ids must be unique within a request.")
    for entry in found:
        _target(entry)


def _target(entry: dict[str, Any]) -> None:
    name, arn = entry["Id"], entry["Arn"]
    if not re.fullmatch(r"arn:[\w-]+:[\w-]+:[\w-]*:(\d{12})?:.+", arn):
        raise _invalid(f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")
    if sum(entry.get(member) is not None for member in ("Input", "InputPath", "InputTransformer")) > 1:
        raise _invalid(f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}.")
    if entry.get("Input") is not None:
        _json(entry["Input"], f"JSON syntax error in Input for target {name}.")
    if entry.get("InputPath") and not _INPUT.fullmatch(entry["InputPath"]):
        raise _invalid(f"Invalid InputPath for target {name}.")
    if entry.get("InputTransformer"):
        _transformer(name, entry["InputTransformer"])
    _target_service(entry)


_AS_A_ROLE = frozenset({
    "states", "codepipeline", "codebuild", "ecs", "kinesis", "firehose", "sagemaker", "glue", "batch",
})  # fmt: skip


def _target_service(entry: dict[str, Any]) -> None:
    name, arn, role = entry["Id"], entry["Arn"], entry.get("RoleArn")
    service = arn.split(":")[2]
    if service == "sqs" and arn.endswith(".fifo") and not entry.get("SqsParameters"):
        raise _invalid(f"Parameter(s) SqsParameters must be specified for target: {name}.")
    # A rule that Step Functions manages is its own to fire: nobody hands on a role for it.
    if service in _AS_A_ROLE and not role and ":managed-rule:" not in arn:
        raise _invalid(f"RoleArn is required for target {arn}.")
    if role is not None and not re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/.+", role):
        raise _invalid(f"Provided role '{role}' is not an ARN of a role.")
    queue = (entry.get("DeadLetterConfig") or {}).get("Arn")
    if queue is not None and (":sqs:" not in queue or queue.endswith(".fifo")):
        raise _invalid(f"Parameter DeadLetterConfig is not valid: {queue} is no ARN of a standard queue.")


def _json(text: str, problem: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise _invalid(problem) from None


def _transformer(name: str, transformer: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html"""
    paths, template = transformer.get("InputPathsMap") or {}, transformer["InputTemplate"]
    for key, path in paths.items():
        if key.lower().startswith("aws"):
            raise _invalid(f"Invalid InputTransformer for target {name}: keys cannot start with AWS.")
        if not _INPUT.fullmatch(path):
            raise _invalid(f"Invalid InputPathsMap for target {name}: {path} is not a JSON path.")
    for placeholder in inputs.placeholders(template):
        if placeholder not in paths:
            raise _invalid(f"InputTemplate for target {name} contains invalid placeholder {placeholder}.")
    # A text, or a document in which every placeholder stands for a value.
    if not template.lstrip().startswith('"'):
        filled = re.sub(r'("[^"]*)<[\w.-]+>', r"\1", re.sub(r"<[\w.-]+>", "0", template))
        _json(filled, f"Invalid InputTemplate for target {name} : JSON syntax error.")


@state_rule("events", "PutTargets")
def five_targets(call: Call) -> None:
    rule_ = _rule(call, call.params["Rule"])
    known = {entry["Id"] for entry in rule_.targets}
    if len(known | {entry["Id"] for entry in call.params["Targets"]}) > _TARGETS:
        raise AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


@state_rule("events", "DescribeRule", "EnableRule", "DisableRule", "ListTargetsByRule", "RemoveTargets")
def known_rule(call: Call) -> None:
    _rule(call, call.params.get("Rule") or call.params["Name"])


def _bus(call: Call) -> Any:
    name = (call.params.get("EventBusName") or "default").rpartition("/")[2]
    bus = call.cloud.backend("events", call.account, call.region).event_buses.get(name)
    if bus is None:
        raise AwsError("ResourceNotFoundException", f"Event bus {name} does not exist.")
    return bus


def _rule(call: Call, name: str) -> Any:
    bus = _bus(call)
    found = bus.rules.get(name)
    if found is None:
        raise AwsError("ResourceNotFoundException", f"Rule {name} does not exist on EventBus {bus.name}.")
    return found


@state_rule("events", "PutRule")
def rules_of_a_bus(call: Call) -> None:
    bus = _bus(call)
    if call.params["Name"] not in bus.rules and len(bus.rules) >= _RULES:
        raise AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


@state_rule("events", "DeleteRule")
def no_targets_left(call: Call) -> None:
    """ "Before you can delete the rule, you must remove all targets." Deleting one that is not there succeeds."""
    bus = _bus(call)
    found = bus.rules.get(call.params["Name"])
    if found is not None and found.targets:
        raise _invalid("Rule can't be deleted since it has targets.")


@request_rule("events", "PutPermission")
def permission(call: Call) -> None:
    params = call.params
    policy = params.get("Policy")
    if policy is not None:
        if any(params.get(name) for name in ("Action", "Principal", "StatementId", "Condition")):
            raise _invalid("Policy cannot be given together with Action, Principal, StatementId or Condition.")
        try:
            grammar.check(policy, grammar.RESOURCE, vendor="events")
        except grammar.PolicyError as error:
            raise _invalid(f"Event bus policy is not valid: {error}") from None
        return
    if not all(params.get(name) for name in ("Action", "Principal", "StatementId")):
        raise _invalid("Parameter(s) Action, Principal and StatementId must be specified.")
    if params["Action"] != "events:PutEvents":
        raise _invalid("Provided value in parameter 'action' is not supported.")
    if params["Principal"] != "*" and not re.fullmatch(r"\d{12}", params["Principal"]):
        raise _invalid(f"Provided principal {params['Principal']} is not valid.")
