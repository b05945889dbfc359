"""Scalable targets and policies: what cannot be scaled here is refused."""

import json
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, operation
from rehearsal.cloud.services.sagemaker.deployment import Deployment, Variant
from rehearsal.cloud.services.sagemaker.state import table

SERVICE = "application-autoscaling"
PRINCIPAL = "sagemaker.application-autoscaling.amazonaws.com"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
METRIC = "SageMakerVariantInvocationsPerInstance"
_SWITCHES = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_POLICY = "arn:aws:iam::aws:policy/aws-service-role/AWSApplicationAutoscalingSageMakerEndpointPolicy"


def variant_of(cloud: Cloud, account: str, region: str, resource_id: str) -> Variant | None:
    """The variant behind `endpoint/<name>/variant/<name>`, if it serves."""
    parts = resource_id.split("/")
    if len(parts) != 4 or (parts[0], parts[2]) != ("endpoint", "variant"):
        return None
    endpoint = table(cloud, account, region, "endpoint").get(parts[1])
    serving: Deployment | None = endpoint["_serving"] if endpoint else None
    return serving.variant(parts[3]) if serving else None


@operation(SERVICE, "RegisterScalableTarget")
def register(call: Call) -> dict[str, Any]:
    params = call.params
    if (params["ServiceNamespace"], params["ScalableDimension"]) != ("sagemaker", DIMENSION):
        raise _unrehearsed(f"scaling of {params['ScalableDimension']}")
    if params.get("RoleARN"):
        raise _unrehearsed("RoleARN: SageMaker's targets use the service-linked role")
    if variant_of(call.cloud, call.account, call.region, params["ResourceId"]) is None:
        raise _invalid(f"SageMaker endpoint variant doesn't exist: {params['ResourceId']}")
    known = target(call)
    if known is not None and params.get("Tags"):
        # On record in terraform-aws-modules/terraform-aws-rds-aurora#420.
        raise _invalid(
            "The scalable target that you tried to tag already exists. To update tags on an existing scalable target,"
            " use the TagResource API."
        )
    minimum = params.get("MinCapacity", known.min_capacity if known else None)
    maximum = params.get("MaxCapacity", known.max_capacity if known else None)
    if minimum is None or maximum is None:
        raise _invalid("MinCapacity and MaxCapacity are required to register a scalable target")
    if maximum < minimum:
        raise _invalid("Maximum capacity cannot be less than minimum capacity")
    if minimum < 1:
        raise _invalid("Minimum capacity cannot be less than 1 for an endpoint variant")
    role = service_role(call.cloud, call.account)
    asked = {**params, "RoleARN": role, "SuspendedState": _suspended(known, params.get("SuspendedState"))}
    call.forward({key: value for key, value in asked.items() if key != "Tags"})
    made = target(call)
    tags = call.cloud.store(SERVICE, call.account, call.region).setdefault("tags", {})
    if params.get("Tags"):
        tags[made.arn] = dict(params["Tags"])
    return {"ScalableTargetARN": made.arn}


@operation(SERVICE, "DeregisterScalableTarget")
def deregister(call: Call) -> dict[str, Any]:
    """The target goes, and its policies with it."""
    params = call.params
    if target(call) is None:
        raise AwsError("ObjectNotFoundException", f"No scalable target found for {_where(params)}")
    gone = target(call).arn
    answer = call.forward()
    call.cloud.store(SERVICE, call.account, call.region).get("tags", {}).pop(gone, None)
    policies = call.cloud.backend(SERVICE, call.account, call.region).policies
    for key, policy in list(policies.items()):
        if (policy.resource_id, policy.scalable_dimension) == (params["ResourceId"], params["ScalableDimension"]):
            del policies[key]
    return answer


@operation(SERVICE, "PutScalingPolicy")
def put_policy(call: Call) -> dict[str, Any]:
    params = call.params
    if target(call) is None:
        raise AwsError("ObjectNotFoundException", f"No scalable target registered for {_where(params)}")
    if params.get("PolicyType") != "TargetTrackingScaling":
        raise _unrehearsed(f"policies of type {params.get('PolicyType', 'StepScaling')}")
    settings = params.get("TargetTrackingScalingPolicyConfiguration")
    if settings is None:
        raise _invalid("TargetTrackingScalingPolicyConfiguration is required for this type of policy")
    predefined = (settings.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
    if predefined != METRIC:
        raise _unrehearsed(f"tracking of {predefined or 'a customized metric'}: only {METRIC}")
    if settings["TargetValue"] <= 0:
        raise _invalid("TargetValue must be greater than 0")
    if _tracked_by_another(call):
        # On record in hashicorp/terraform-provider-aws#41179.
        raise _invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")
    answer = call.forward()
    call.cloud.store(SERVICE, call.account, call.region)["acts"] = True
    return answer


@operation(SERVICE, "PutScheduledAction")
def put_scheduled_action(call: Call) -> dict[str, Any]:
    raise _unrehearsed("scheduled actions")


def _tracked_by_another(call: Call) -> bool:
    """Whether a policy of another name tracks the same metric of the same target: the only one that is rehearsed."""
    params = call.params
    asked = (params["ResourceId"], params["ScalableDimension"])
    policies = call.cloud.backend(SERVICE, call.account, call.region).policies
    return any(
        (each.resource_id, each.scalable_dimension) == asked and each.policy_name != params["PolicyName"]
        for each in policies.values()
    )


def _suspended(known: Any, asked: dict[str, bool] | None) -> dict[str, bool]:
    """The three switches, all of them: what a request leaves out of a state that it gives, it resumes."""
    if asked is None:
        asked = (known.suspended_state if known else None) or {}
    return {name: bool(asked.get(name, False)) for name in _SWITCHES}


def service_role(cloud: Cloud, account: str) -> str:
    """The service-linked role that AWS makes with the first target of an account."""
    roles = cloud.backend("iam", account, "us-east-1")
    for role in list(roles.roles.values()):
        if role.name == _ROLE:
            return str(role.arn)
    statement = {"Effect": "Allow", "Principal": {"Service": PRINCIPAL}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = roles.create_role(_ROLE, document, f"/aws-service-role/{PRINCIPAL}/", None, "", [], "3600", PRINCIPAL)
    roles.attach_role_policy(_POLICY, _ROLE)
    return str(made.arn)


def target(call: Call) -> Any:
    """moto's record of the target that a call is about; None where there is none."""
    targets = call.cloud.backend(SERVICE, call.account, call.region).targets
    return targets.get(call.params["ScalableDimension"], {}).get(call.params["ResourceId"])


def _where(params: dict[str, Any]) -> str:
    return (
        f"service namespace: {params['ServiceNamespace']}, resource ID: {params['ResourceId']},"
        f" scalable dimension: {params['ScalableDimension']}"
    )


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _unrehearsed(what: str) -> AwsError:
    return AwsError("NotImplemented", f"not implemented by the rehearsal: {what}", 501)
