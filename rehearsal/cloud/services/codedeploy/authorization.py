"""What calls of CodeDeploy need: a deployment is allowed or not with its deployment group."""

from rehearsal.cloud.authorization.general import general
from rehearsal.cloud.authorization.need import Need
from rehearsal.cloud.authorization.registry import needs
from rehearsal.cloud.core.api import Call
from rehearsal.cloud.services.codedeploy.state import records


@needs("codedeploy")
def of_call(call: Call) -> list[Need]:
    """The deployment groups of the deployments that are asked for."""
    if call.operation not in ("GetDeployment", "BatchGetDeployments"):
        return general(call)
    ids = call.params.get("deploymentIds") or [call.params.get("deploymentId")]
    known = records(call.cloud, call.account, call.region).deployments
    start = f"arn:aws:codedeploy:{call.region}:{call.account}:deploymentgroup:"
    found = [known[item].info for item in ids if item in known]
    groups = dict.fromkeys(f"{info['applicationName']}/{info['deploymentGroupName']}" for info in found)
    return [Need(call.action, start + group, call.account) for group in groups] or [
        Need(call.action, f"{start}*", call.account)
    ]
