"""What calls of SageMaker need."""

from typing import Any

from rehearsal.cloud.authorization import kms
from rehearsal.cloud.authorization.arns import resources
from rehearsal.cloud.authorization.general import owner
from rehearsal.cloud.authorization.need import Need, many
from rehearsal.cloud.authorization.registry import needs
from rehearsal.cloud.core.api import Call
from rehearsal.cloud.services.sagemaker import models, state


@needs("sagemaker")
def of_call(call: Call) -> list[Need]:
    """The call's own action with SageMaker's condition keys, and the key of an endpoint's volumes."""
    params = call.params
    context: dict[str, tuple[str, ...]] = {}
    types = sorted(set(_members(params, "InstanceType")))
    if types:
        context["sagemaker:instancetypes"] = tuple(types)
    for name, key in (("KmsKeyId", "sagemaker:volumekmskey"), ("VolumeKmsKeyId", "sagemaker:volumekmskey")):
        if isinstance(params.get(name), str):
            context[key] = (params[name],)
    context |= many({"sagemaker:ModelApprovalStatus": params.get("ModelApprovalStatus")})
    if call.operation in ("ListModelPackages", "CreateModelPackage"):
        params = {**params, "ModelPackageGroupName": _plain(params.get("ModelPackageGroupName"))}
    found = resources("sagemaker", call.operation, params, call.region, call.account) or ["*"]
    own = [Need(call.action, arn, owner(arn), context) for arn in found]
    return own + (_endpoint_key(call) if call.operation in ("CreateEndpoint", "UpdateEndpoint") else [])


def _plain(group: str | None) -> str | None:
    return group.rpartition("/")[2] if group else None


def _endpoint_key(call: Call) -> list[Need]:
    """SageMaker encrypts an endpoint's volumes with a key by a grant that the caller must be allowed to make."""
    configs = state.table(call.cloud, call.account, call.region, models.CONFIG)
    key = configs.get(str(call.params.get("EndpointConfigName")), {}).get("KmsKeyId")
    if not key:
        return []
    return grant(str(key), call.account, call.region)


def grant(key: str, account: str, region: str) -> list[Need]:
    """What it needs to let SageMaker encrypt volumes with a key; nothing where AWS's own key is meant."""
    context = many({"kms:GrantIsForAWSResource": True})
    return [
        Need(need.action, need.resource, need.account, {**need.context, **context})
        for need in kms.via("sagemaker", "kms:CreateGrant", key, account, region)
    ]


def _members(value: Any, name: str) -> list[str]:
    if isinstance(value, dict):
        own = [str(value[name])] if isinstance(value.get(name), str) else []
        return own + [item for inner in value.values() for item in _members(inner, name)]
    return [item for inner in value for item in _members(inner, name)] if isinstance(value, list) else []
