"""CodeDeploy: applications, deployment groups and configurations."""

from __future__ import annotations

from rehearsal.provider.differ import Semantics
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values

TAGS = Tagging("ListTagsForResource", "TagResource", "UntagResource", "ResourceArn")


class Application(ResourceType):
    token = "aws:codedeploy/application:Application"
    service = "codedeploy"
    name = AutoName("name", 100, prefix_property=None)
    replaces = frozenset({"computePlatform"})
    defaults = {"computePlatform": "Server"}
    renames = {"name": "applicationName"}
    tagging = TAGS

    def create(self, ctx: Context) -> None:
        answer = ctx.call("CreateApplication", self.request(ctx, "CreateApplication"))
        ctx.id = f"{answer['applicationId']}:{ctx.inputs['name']}"

    def _name(self, ctx: Context) -> str:
        return ctx.id.rpartition(":")[2]

    def read(self, ctx: Context) -> Values | None:
        name = ctx.state.get("name") or self._name(ctx)
        name = ctx.inputs["name"] if "name" in ctx.changed else name
        answer = ctx.find("GetApplication", {"applicationName": name})
        if answer is None:
            return None
        found = answer["application"]
        ctx.id = f"{found['applicationId']}:{found['applicationName']}" if ":" not in ctx.id else ctx.id
        return {**self.observed(ctx, found), "arn": ctx.arn("codedeploy", f"application:{name}")}

    def update(self, ctx: Context) -> None:
        if "name" in ctx.changed:
            names = {"applicationName": ctx.state["name"], "newApplicationName": ctx.inputs["name"]}
            ctx.call("UpdateApplication", names)

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteApplication", {"applicationName": ctx.state.get("name") or self._name(ctx)})


class DeploymentGroup(ResourceType):
    token = "aws:codedeploy/deploymentGroup:DeploymentGroup"
    service = "codedeploy"
    member_defaults = {
        "alarmConfiguration.ignorePollAlarmFailure": False,
        "deploymentStyle.deploymentOption": "WITHOUT_TRAFFIC_CONTROL",
        "deploymentStyle.deploymentType": "IN_PLACE",
    }
    defaults = {"deploymentConfigName": "CodeDeployDefault.OneAtATime", "outdatedInstancesStrategy": "UPDATE"}
    supports = frozenset(
        "alarmConfiguration appName autoRollbackConfiguration blueGreenDeploymentConfig deploymentConfigName "
        "deploymentGroupName deploymentStyle outdatedInstancesStrategy serviceRoleArn tags "
        "triggerConfigurations".split()
    )
    renames = {"appName": "applicationName"}
    semantics = Semantics(
        unordered=frozenset(
            {"alarmConfiguration.alarms", "autoRollbackConfiguration.events", "triggerConfigurations.triggerEvents"}
        )
    )
    tagging = TAGS

    def shape_inputs(self, ctx: Context) -> Values:
        alarms = ctx.inputs.get("alarmConfiguration")
        if not alarms:
            return dict(ctx.inputs)
        named = [{"name": name} for name in alarms.get("alarms") or []]
        return {**ctx.inputs, "alarmConfiguration": {**alarms, "alarms": named}}

    def create(self, ctx: Context) -> None:
        ctx.id = ctx.call("CreateDeploymentGroup", self.request(ctx, "CreateDeploymentGroup"))["deploymentGroupId"]

    def _key(self, ctx: Context) -> Values:
        if not ctx.state and ":" in ctx.id:
            app, _, group = ctx.id.partition(":")
            ctx.state = {"appName": app, "deploymentGroupName": group}
        group = ctx.state.get("deploymentGroupName") or ctx.inputs["deploymentGroupName"]
        return {"applicationName": ctx.prop("appName"), "deploymentGroupName": group}

    def read(self, ctx: Context) -> Values | None:
        key = self._key(ctx)
        if "deploymentGroupName" in ctx.changed:
            key["deploymentGroupName"] = ctx.inputs["deploymentGroupName"]
        answer = ctx.find("GetDeploymentGroup", key)
        if answer is None:
            return None
        info = dict(answer["deploymentGroupInfo"])
        ctx.id = info.get("deploymentGroupId", ctx.id)
        alarms = info.pop("alarmConfiguration", None)
        seen = self.observed(ctx, info)
        if alarms and (alarms.get("alarms") or alarms.get("enabled")):
            names = [alarm["name"] for alarm in alarms.get("alarms") or []]
            seen["alarmConfiguration"] = {**alarms, "alarms": names}
        if not (seen.get("autoRollbackConfiguration") or {}).get("events"):
            seen.pop("autoRollbackConfiguration", None)
        group = f"deploymentgroup:{key['applicationName']}/{key['deploymentGroupName']}"
        return {"outdatedInstancesStrategy": "UPDATE", **seen, "arn": ctx.arn("codedeploy", group)}

    def update(self, ctx: Context) -> None:
        if not ctx.changed - {"tags"}:
            return
        request = self.request(ctx, "UpdateDeploymentGroup", strict=False)
        request.pop("deploymentGroupName", None)
        key = self._key(ctx)
        request |= {"applicationName": key["applicationName"]}
        request["currentDeploymentGroupName"] = key["deploymentGroupName"]
        if "deploymentGroupName" in ctx.changed:
            request["newDeploymentGroupName"] = ctx.inputs["deploymentGroupName"]
        cleared = {"alarmConfiguration": {"enabled": False, "alarms": []},
                   "autoRollbackConfiguration": {"enabled": False, "events": []}}  # fmt: skip
        for name in ctx.changed & cleared.keys():
            request.setdefault(name, cleared[name])
        ctx.call("UpdateDeploymentGroup", request)

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteDeploymentGroup", self._key(ctx))


class DeploymentConfig(ResourceType):
    token = "aws:codedeploy/deploymentConfig:DeploymentConfig"
    service = "codedeploy"
    name = AutoName("deploymentConfigName", 100, prefix_property=None, separator="_", first=False)
    keeps = frozenset()
    defaults = {"computePlatform": "Server"}
    member_defaults = {"trafficRoutingConfig.type": "AllAtOnce"}
    renames = {
        "trafficRoutingConfig.timeBasedCanary.interval": "canaryInterval",
        "trafficRoutingConfig.timeBasedCanary.percentage": "canaryPercentage",
        "trafficRoutingConfig.timeBasedLinear.interval": "linearInterval",
        "trafficRoutingConfig.timeBasedLinear.percentage": "linearPercentage",
    }
    create_op, describe_op, describe_key = "CreateDeploymentConfig", "GetDeploymentConfig", "deploymentConfigInfo"
    delete_op, key = "DeleteDeploymentConfig", "deploymentConfigName"

    def observed(self, ctx: Context, answer: Values) -> Values:
        seen = super().observed(ctx, answer)
        return {**seen, "arn": ctx.arn("codedeploy", f"deploymentconfig:{ctx.id}")}


TYPES = (Application, DeploymentConfig, DeploymentGroup)
