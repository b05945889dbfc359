"""What calls of Application Auto Scaling need, and the tags that they are judged by.

AWS gives a target an id of its own, and nobody knows it beforehand: where there is no target, a call is judged on
`scalable-target/*`. No page says so; AWS's refusals name it, of DeregisterScalableTarget and of the tags of a target
that is being registered.
"""

from collections.abc import Mapping

from rehearsal.cloud.authorization.arns import resources
from rehearsal.cloud.authorization.general import owner
from rehearsal.cloud.authorization.need import Need, many
from rehearsal.cloud.authorization.registry import needs, resource_tags
from rehearsal.cloud.core.api import Call
from rehearsal.cloud.services.application_autoscaling.targets import SERVICE, target


@needs(SERVICE)
def of_call(call: Call) -> list[Need]:
    """The call's own action on its target, with the service's condition keys."""
    params = call.params
    context = many(
        {
            "application-autoscaling:service-namespace": params.get("ServiceNamespace"),
            "application-autoscaling:scalable-dimension": params.get("ScalableDimension"),
        }
    )
    # Who only describes may leave the dimension out, and is judged on no target.
    if params.get("ResourceId") and params.get("ScalableDimension"):
        known = target(call)
        params = {**params, "ScalableTargetId": known.arn if known is not None else "*"}
    found = resources(SERVICE, call.operation, params, call.region, call.account) or ["*"]
    return [Need(call.action, arn, owner(arn), context) for arn in found]


@resource_tags(SERVICE)
def of_resource(call: Call, resource: str) -> Mapping[str, str]:
    """The tags of a target by its ARN."""
    kept = call.cloud.store(SERVICE, call.account, call.region).get("tags", {})
    found: Mapping[str, str] = kept.get(resource, {})
    return found
