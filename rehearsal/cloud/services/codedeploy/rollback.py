"""The rollback of a deployment: when it is wanted, and the deployment that puts the alias back."""

import json

from rehearsal.cloud.core.api import Cloud
from rehearsal.cloud.services.codedeploy import configs
from rehearsal.cloud.services.codedeploy.appspec import AppSpec
from rehearsal.cloud.services.codedeploy.state import Deployment, new, records


def is_wanted(deployment: Deployment, event: str) -> bool:
    """Does a deployment that ended with this event, e.g. DEPLOYMENT_FAILURE, ask for a rollback?"""
    if event == "DEPLOYMENT_STOP_ON_REQUEST" and deployment.rollback_on_stop:
        return True
    settings = deployment.info["autoRollbackConfiguration"]
    return bool(settings.get("enabled") and event in (settings.get("events") or []))


def make(cloud: Cloud, failed: Deployment, reason: str) -> Deployment:
    """A deployment that puts the alias back, made as CodeDeploy makes it. It has not begun."""
    function = failed.target["lambdaFunctionInfo"]
    old, tried = function["currentVersion"], function["targetVersion"]
    spec = AppSpec(function["functionName"], function["functionAlias"], tried, old, {})
    revision = {"revisionType": "String", "string": {"content": json.dumps(_content(spec))}}
    config = configs.BUILT_IN[configs.ALL_AT_ONCE]
    made = new(cloud, failed.account, failed.region, failed.group, config, revision, spec, "codeDeployRollback")
    made.info["description"] = f"Deployment rolled back: {reason}"
    made.info["rollbackInfo"] = {"rollbackTriggeringDeploymentId": failed.id}
    failed.info["rollbackInfo"] = {
        "rollbackDeploymentId": made.id,
        "rollbackMessage": f"Deployment {failed.id} was rolled back to version {old} by deployment {made.id}",
    }
    records(cloud, failed.account, failed.region).deployments[made.id] = made
    return made


def _content(spec: AppSpec) -> dict[str, object]:
    properties = {
        "Name": spec.function,
        "Alias": spec.alias,
        "CurrentVersion": spec.current,
        "TargetVersion": spec.target,
    }
    resource = {"Type": "AWS::Lambda::Function", "Properties": properties}
    return {"version": 0.0, "Resources": [{spec.function: resource}]}
