"""Policies at work: every minute of the scaled clock, as the service-linked role."""

import math
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, Place, on_start, operation
from rehearsal.cloud.core.trouble import tell
from rehearsal.cloud.services.application_autoscaling.targets import PRINCIPAL, SERVICE, service_role, variant_of
from rehearsal.cloud.services.application_autoscaling.tracking import IN_PERIODS, Change, Tracking, decide
from rehearsal.cloud.services.cloudwatch.operations import metrics_of
from rehearsal.cloud.services.cloudwatch.series import Span, key_of, statistic

_MINUTE = 60.0


@dataclass
class _Where:
    """A target, and when its capacity was last changed in which direction (monotonic seconds)."""

    cloud: Cloud
    account: str
    region: str
    target: Any

    @property
    def changes(self) -> dict[str, float]:
        found: dict[str, float] = self._state("changes", {}).setdefault(self.target.resource_id, {})
        return found

    @property
    def activities(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._state("activities", [])
        return found

    def since(self, direction: str) -> float:
        """AWS seconds since the last change."""
        last = self.changes.get(direction)
        return math.inf if last is None else self.cloud.clock.seconds() - last

    def _state(self, name: str, empty: Any) -> Any:
        return self.cloud.store(SERVICE, self.account, self.region).setdefault(name, empty)


@on_start
def start(cloud: Cloud) -> None:
    cloud.background(_run, cloud, name="scaling")


def _run(cloud: Cloud) -> None:
    while cloud.clock.pause(max(0.02, cloud.clock.scaled(_MINUTE) / 2)):
        for account, region, state in cloud.stores(SERVICE):
            if state.get("acts"):
                _evaluate(cloud, account, region)


def _evaluate(cloud: Cloud, account: str, region: str) -> None:
    backend = cloud.backend(SERVICE, account, region)
    for policy in list(backend.policies.values()):
        target = backend.targets.get(policy.scalable_dimension, {}).get(policy.resource_id)
        if target is None:
            continue
        try:
            _apply(_Where(cloud, account, region, target), policy)
        except Exception as error:  # noqa: BLE001  one policy's trouble is not the others'
            tell(f"policy {policy.policy_name} of {policy.resource_id}: {error}")


def _apply(where: _Where, policy: Any) -> None:
    variant = variant_of(where.cloud, where.account, where.region, where.target.resource_id)
    if variant is None:
        return
    tracking = _tracking(where.target, policy)
    current = variant.instances
    if variant.wanted_instances != current:
        return  # instances are still coming or going
    inside = min(max(current, tracking.minimum), tracking.maximum)
    if inside != current:
        limit = f"minimum capacity was set to {inside}"
        _set(where, current, inside, limit if inside > current else limit.replace("minimum", "maximum"))
        return
    points = _points(where)
    change = decide(tracking, current, points, where.since("out"), where.since("in"))
    if change is not None:
        _set(where, current, change.capacity, _cause(where, policy, change))


def _tracking(target: Any, policy: Any) -> Tracking:
    settings = policy.target_tracking_scaling_policy_configuration
    suspended = target.suspended_state or {}
    return Tracking(
        target=float(settings["TargetValue"]),
        minimum=int(target.min_capacity),
        maximum=int(target.max_capacity),
        out_cooldown=float(settings.get("ScaleOutCooldown", 300)),
        in_cooldown=float(settings.get("ScaleInCooldown", 300)),
        may_scale_out=not suspended.get("DynamicScalingOutSuspended", False),
        may_scale_in=not (suspended.get("DynamicScalingInSuspended", False) or settings.get("DisableScaleIn", False)),
    )


def _points(where: _Where) -> list[float | None]:
    """Invocations per instance of the last whole minutes, oldest first."""
    _, endpoint, _, variant = where.target.resource_id.split("/")
    key = key_of("AWS/SageMaker", "InvocationsPerInstance", {"EndpointName": endpoint, "VariantName": variant})
    clock = where.cloud.clock
    # The minute that runs has not all its requests yet.
    start = clock.ended - IN_PERIODS * _MINUTE
    span = Span(start, clock.ended, clock.ended, clock.seconds_at, clock.real_at(start))
    buckets = metrics_of(where.cloud, where.account, where.region).buckets(key, span, _MINUTE, None)
    return [statistic("Sum", buckets.get(number, [])) for number in range(-IN_PERIODS, 0)]


def _cause(where: _Where, policy: Any, change: Change) -> str:
    alarm = f"TargetTracking-{where.target.resource_id}-{change.alarm}-{policy._guid}"
    return f"monitor alarm {alarm} in state ALARM triggered policy {policy.policy_name}"


def _set(where: _Where, current: int, wanted: int, cause: str) -> None:
    """Change the capacity and write the activity down, also when it fails."""
    activity = {
        "ActivityId": str(uuid.uuid4()), "ServiceNamespace": "sagemaker", "ResourceId": where.target.resource_id,
        "ScalableDimension": where.target.scalable_dimension, "StartTime": datetime.now(UTC), "Cause": cause,
        "Description": f"Setting desired instance count to {wanted}.", "StatusCode": "InProgress",
    }  # fmt: skip
    where.activities.insert(0, activity)
    where.changes["out" if wanted > current else "in"] = where.cloud.clock.seconds()
    _, endpoint, _, variant = where.target.resource_id.split("/")
    try:
        role = service_role(where.cloud, where.account)
        session = where.cloud.session_for_service(role, PRINCIPAL, "ApplicationAutoScaling")
        params = {
            "EndpointName": endpoint,
            "DesiredWeightsAndCapacities": [{"VariantName": variant, "DesiredInstanceCount": wanted}],
        }
        place = Place(where.account, where.region)
        where.cloud.perform(session, place, "sagemaker", "UpdateEndpointWeightsAndCapacities", params)
    except Exception as error:
        activity |= {"EndTime": datetime.now(UTC), "StatusCode": "Failed", "StatusMessage": str(error)}
        raise
    activity |= {
        "EndTime": datetime.now(UTC), "StatusCode": "Successful",
        "StatusMessage": f"Successfully set desired instance count to {wanted}."
        " Change successfully fulfilled by sagemaker.",
    }  # fmt: skip


@operation(SERVICE, "DescribeScalingActivities")
def describe(call: Call) -> dict[str, Any]:
    """Newest first."""
    params = call.params
    if params.get("ScalableDimension") and not params.get("ResourceId"):
        raise AwsError("ValidationException", "ResourceId is required when ScalableDimension is specified")
    kept: list[dict[str, Any]] = call.cloud.store(SERVICE, call.account, call.region).get("activities", [])
    names = ("ServiceNamespace", "ResourceId", "ScalableDimension")
    found = [item for item in list(kept) if all(item[name] == params.get(name, item[name]) for name in names)]
    token = params.get("NextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidNextTokenException", f"Invalid NextToken {token}")
    first, size = int(token), params.get("MaxResults", 50)
    answer: dict[str, Any] = {"ScalingActivities": found[first : first + size]}
    if first + size < len(found):
        answer["NextToken"] = str(first + size)
    return answer
