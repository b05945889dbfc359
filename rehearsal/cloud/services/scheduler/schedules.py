"""Operations on schedules: what the rehearsal would not do when the time comes is refused now."""

from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, inventory, operation
from rehearsal.cloud.services.scheduler import expressions, targets

SERVICE = "scheduler"
PRINCIPAL = "scheduler.amazonaws.com"
# Parameters that would change what happens, and are not followed here.
_NOT_FOLLOWED = ("StartDate", "EndDate", "KmsKeyArn")


@operation(SERVICE, "CreateSchedule", "UpdateSchedule")
def put(call: Call) -> dict[str, Any]:
    """Checked as AWS does; kept by moto."""
    _check(call)
    answer = call.forward()
    # An update begins anew, so what was due before is forgotten.
    created = call.cloud.store(SERVICE, call.account, call.region).setdefault("created", {})
    created[answer["ScheduleArn"]] = call.cloud.clock.aws_now()
    return answer


@operation(SERVICE, "GetSchedule")
def get(call: Call) -> dict[str, Any]:
    """Without what was never given: moto answers null for it."""
    return {key: value for key, value in call.forward().items() if value is not None}


@operation(SERVICE, "DeleteSchedule")
def delete(call: Call) -> dict[str, Any]:
    """What runs already goes on."""
    return call.forward()


def _check(call: Call) -> None:
    params = call.params
    try:
        expressions.parse(params["ScheduleExpression"], params.get("ScheduleExpressionTimezone", "UTC"))
    except ValueError as error:
        raise AwsError("ValidationException", str(error)) from error
    for name in _NOT_FOLLOWED:
        _refuse(bool(params.get(name)), f"{name} of a schedule")
    _refuse(params.get("ActionAfterCompletion", "NONE") != "NONE", "ActionAfterCompletion other than NONE")
    window = params["FlexibleTimeWindow"]
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        raise AwsError(
            "ValidationException", "MaximumWindowInMinutes goes with a flexible time window, and only there."
        )
    target = params["Target"]
    _refuse("DeadLetterConfig" in target, "a dead-letter queue of a schedule")
    _refuse(targets.kind(target["Arn"]) not in targets.KINDS, f"schedules for {target['Arn']}")
    _check_role(call, target["RoleArn"])


def _check_role(call: Call, role: str) -> None:
    group = f"arn:aws:scheduler:{call.region}:{call.account}:schedule-group/{call.params.get('GroupName', 'default')}"
    try:
        call.cloud.session_for_service(role, PRINCIPAL, "scheduler", source_arn=group, source_account=call.account)
    except AwsError as error:
        text = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        raise AwsError("ValidationException", text) from error


def _refuse(wanted: bool, what: str) -> None:
    if wanted:
        raise AwsError("NotImplemented", f"the rehearsal does not implement {what}", 501)


@inventory(SERVICE)
def live(cloud: Cloud, account: str) -> list[str]:
    """Every schedule."""
    return [
        schedule.arn
        for owner, region, _ in cloud.stores(SERVICE)
        if owner == account
        for group in cloud.backend(SERVICE, account, region).schedule_groups.values()
        for schedule in group.schedules.values()
    ]
