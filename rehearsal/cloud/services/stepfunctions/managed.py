"""The rules that Step Functions keeps in an account to learn when jobs end, made under the machine's role.

The interpreter polls; but a role that may not make these rules is refused by AWS when the machine is made.
"""

import functools
import json
from collections.abc import Iterator
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Principal

_KINDS = {
    "arn:aws:states:::sagemaker:createTrainingJob.sync": "Training",
    "arn:aws:states:::sagemaker:createProcessingJob.sync": "Processing",
    "arn:aws:states:::sagemaker:createHyperParameterTuningJob.sync": "Tuning",
}
"""https://docs.aws.amazon.com/step-functions/latest/dg/sagemaker-iam.html"""
_EVENTS = {"Tuning": "HyperParameter Tuning"}


def provide(call: Call, definition: str, role: str, session: Principal) -> None:
    """Make the rules that the definition's tasks need. Raises AwsError (AccessDeniedException)."""
    for kind in sorted({_KINDS[resource] for resource in _resources(json.loads(definition)) if resource in _KINDS}):
        name = f"StepFunctionsGetEventsForSageMaker{kind}JobsRule"
        pattern = {
            "source": ["aws.sagemaker"],
            "detail-type": [f"SageMaker {_EVENTS.get(kind, kind)} Job State Change"],
        }
        try:
            ask = functools.partial(call.cloud.perform, session, call.place, "events")
            ask("PutRule", {"Name": name, "EventPattern": json.dumps(pattern)})
            _mark(call, name)
            target = {"Id": "StepFunctions", "Arn": f"arn:aws:states:{call.region}:{call.account}:managed-rule:{name}"}
            ask("PutTargets", {"Rule": name, "Targets": [target]})
            ask("DescribeRule", {"Name": name})
        except AwsError as error:
            text = f"'{role}' is not authorized to create managed-rule. ({error.message})"
            raise AwsError("AccessDeniedException", text) from error


def _mark(call: Call, name: str) -> None:
    """It belongs to AWS: it is no leftover of anybody's stack, and fires nothing here."""
    rule = call.cloud.backend("events", call.account, call.region).event_buses["default"].rules[name]
    rule.managed_by = "states.amazonaws.com"


def _resources(value: Any) -> Iterator[str]:
    """Every task's Resource, however deep."""
    if isinstance(value, list):
        for item in value:
            yield from _resources(item)
    if isinstance(value, dict):
        if isinstance(value.get("Resource"), str) and value.get("Type") == "Task":
            yield value["Resource"]
        for item in value.values():
            yield from _resources(item)
