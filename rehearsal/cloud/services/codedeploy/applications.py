"""Operations on applications, deployment groups and tags."""

import uuid
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, inventory, operation
from rehearsal.cloud.services.codedeploy import configs
from rehearsal.cloud.services.codedeploy.state import Application, application, arn, group, keep_tags, of

_GROUP_MEMBERS = (
    "deploymentConfigName", "serviceRoleArn", "triggerConfigurations", "alarmConfiguration",
    "autoRollbackConfiguration", "deploymentStyle", "outdatedInstancesStrategy", "blueGreenDeploymentConfiguration",
    "loadBalancerInfo", "ec2TagFilters", "onPremisesInstanceTagFilters", "autoScalingGroups", "ec2TagSet",
    "onPremisesTagSet", "ecsServices", "terminationHookEnabled",
)  # fmt: skip


@operation("codedeploy", "CreateApplication")
def create_application(call: Call) -> dict[str, Any]:
    name = call.params["applicationName"]
    if name in of(call).applications:
        raise AwsError("ApplicationAlreadyExistsException", f"Application already exists: {name}")
    info = {
        "applicationId": str(uuid.uuid4()),
        "applicationName": name,
        "createTime": call.cloud.clock.now(),
        "linkedToGitHub": False,
        "computePlatform": call.params.get("computePlatform") or "Server",
    }
    of(call).applications[name] = Application(info)
    keep_tags(call, f"application:{name}")
    return {"applicationId": info["applicationId"]}


@operation("codedeploy", "GetApplication")
def get_application(call: Call) -> dict[str, Any]:
    return {"application": application(call).info}


@operation("codedeploy", "BatchGetApplications")
def batch_get_applications(call: Call) -> dict[str, Any]:
    return {"applicationsInfo": [application(call, name).info for name in call.params["applicationNames"]]}


@operation("codedeploy", "ListApplications")
def list_applications(call: Call) -> dict[str, Any]:
    return {"applications": sorted(of(call).applications)}


@operation("codedeploy", "UpdateApplication")
def update_application(call: Call) -> dict[str, Any]:
    """Renames an application."""
    found, new = application(call), call.params.get("newApplicationName")
    if not new or new == found.info["applicationName"]:
        return {}
    if new in of(call).applications:
        raise AwsError("ApplicationAlreadyExistsException", f"Application already exists: {new}")
    of(call).applications[new] = of(call).applications.pop(found.info["applicationName"])
    found.info["applicationName"] = new
    for known in found.groups.values():
        known["applicationName"] = new
    return {}


@operation("codedeploy", "DeleteApplication")
def delete_application(call: Call) -> dict[str, Any]:
    of(call).applications.pop(call.params["applicationName"], None)
    of(call).tags.pop(arn(call, f"application:{call.params['applicationName']}"), None)
    return {}


@operation("codedeploy", "CreateDeploymentGroup")
def create_group(call: Call) -> dict[str, Any]:
    owner, name = application(call), call.params["deploymentGroupName"]
    if name in owner.groups:
        raise AwsError("DeploymentGroupAlreadyExistsException", f"Deployment group already exists: {name}")
    platform = owner.info["computePlatform"]
    default = configs.ALL_AT_ONCE if platform == "Lambda" else "CodeDeployDefault.OneAtATime"
    info = {
        "applicationName": owner.info["applicationName"],
        "deploymentGroupId": str(uuid.uuid4()),
        "deploymentGroupName": name,
        "computePlatform": platform,
        "deploymentConfigName": default,
        **_given(call),
    }
    _check_group(call, info)
    owner.groups[name] = info
    keep_tags(call, f"deploymentgroup:{info['applicationName']}/{name}")
    return {"deploymentGroupId": info["deploymentGroupId"]}


def _given(call: Call) -> dict[str, Any]:
    return {key: call.params[key] for key in _GROUP_MEMBERS if call.params.get(key) is not None}


def _check_group(call: Call, info: dict[str, Any]) -> None:
    platform = info["computePlatform"]
    configs.find_for(call, info["deploymentConfigName"], platform)
    style = info.get("deploymentStyle") or {}
    wanted = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
    if platform == "Lambda" and style != wanted:
        raise AwsError(
            "InvalidDeploymentStyleException",
            "For Lambda deployment group, deploymentType can be set to BLUE_GREEN only and deploymentOption can be set "
            "to WITH_TRAFFIC_CONTROL only",
        )
    alarms = (info.get("alarmConfiguration") or {}).get("alarms") or []
    if len(alarms) > 10:
        raise AwsError("AlarmsLimitExceededException", f"{len(alarms)} alarms, and at most 10 can be used")
    if (info.get("alarmConfiguration") or {}).get("enabled") and not alarms:
        raise AwsError("InvalidAlarmConfigException", "Alarms are enabled, but none is given")
    rollback = info.get("autoRollbackConfiguration") or {}
    if rollback.get("enabled") and not rollback.get("events"):
        raise AwsError("InvalidAutoRollbackConfigException", "Automatic rollback is enabled, but no event is given")
    for trigger in info.get("triggerConfigurations") or []:
        if not trigger.get("triggerTargetArn", "").startswith("arn:aws:sns:"):
            raise AwsError("TriggerTargetsLimitExceededException", f"Trigger target must be an SNS topic: {trigger}")
    role = info["serviceRoleArn"]
    try:
        call.cloud.assume_for_service(
            role,
            "codedeploy.amazonaws.com",
            "check",
            source_arn=arn(call, f"deploymentgroup:{info['applicationName']}/{info['deploymentGroupName']}"),
            source_account=call.account,
        )
    except AwsError:
        text = f"AWS CodeDeploy does not have the permissions required to assume the role {role}."
        raise AwsError("InvalidRoleException", text) from None


@operation("codedeploy", "GetDeploymentGroup")
def get_group(call: Call) -> dict[str, Any]:
    return {"deploymentGroupInfo": group(call)}


@operation("codedeploy", "BatchGetDeploymentGroups")
def batch_get_groups(call: Call) -> dict[str, Any]:
    return {"deploymentGroupsInfo": [group(call, name) for name in call.params["deploymentGroupNames"]]}


@operation("codedeploy", "ListDeploymentGroups")
def list_groups(call: Call) -> dict[str, Any]:
    found = application(call)
    return {"applicationName": found.info["applicationName"], "deploymentGroups": sorted(found.groups)}


@operation("codedeploy", "UpdateDeploymentGroup")
def update_group(call: Call) -> dict[str, Any]:
    owner, name = application(call), call.params["currentDeploymentGroupName"]
    current = group(call, name)
    new = call.params.get("newDeploymentGroupName") or name
    if new != name and new in owner.groups:
        raise AwsError("DeploymentGroupAlreadyExistsException", f"Deployment group already exists: {new}")
    changed = {**current, **_given(call), "deploymentGroupName": new}
    _check_group(call, changed)
    del owner.groups[name]
    owner.groups[new] = changed
    return {}


@operation("codedeploy", "DeleteDeploymentGroup")
def delete_group(call: Call) -> dict[str, Any]:
    name = call.params["deploymentGroupName"]
    owner = of(call).applications.get(call.params["applicationName"])
    if owner is not None:
        owner.groups.pop(name, None)
        of(call).tags.pop(arn(call, f"deploymentgroup:{owner.info['applicationName']}/{name}"), None)
    return {"hooksNotCleanedUp": []}


@operation("codedeploy", "ListTagsForResource")
def list_tags(call: Call) -> dict[str, Any]:
    tags = of(call).tags.get(call.params["ResourceArn"], {})
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


@operation("codedeploy", "TagResource")
def tag_resource(call: Call) -> dict[str, Any]:
    tags = of(call).tags.setdefault(call.params["ResourceArn"], {})
    tags.update({tag["Key"]: tag.get("Value", "") for tag in call.params["Tags"]})
    return {}


@operation("codedeploy", "UntagResource")
def untag_resource(call: Call) -> dict[str, Any]:
    tags = of(call).tags.get(call.params["ResourceArn"], {})
    for key in call.params["TagKeys"]:
        tags.pop(key, None)
    return {}


@inventory("codedeploy")
def live(cloud: Cloud, account: str) -> list[str]:
    """Applications, groups and own deployment configurations of an account."""
    found = []
    for owner, region, state in cloud.stores("codedeploy"):
        if owner != account or "records" not in state:
            continue
        prefix = f"arn:aws:codedeploy:{region}:{account}:"
        for name, known in state["records"].applications.items():
            found.append(f"{prefix}application:{name}")
            found += [f"{prefix}deploymentgroup:{name}/{group_name}" for group_name in known.groups]
        found += [f"{prefix}deploymentconfig:{name}" for name in state["records"].configs]
    return found
