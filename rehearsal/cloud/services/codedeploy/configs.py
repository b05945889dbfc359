"""Deployment configurations: how traffic moves from one version to the next."""

import uuid
from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, operation
from rehearsal.cloud.services.codedeploy.state import of

ALL_AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"
_EPOCH = datetime(2017, 11, 27, tzinfo=UTC)


def _routing(kind: str, percentage: int, minutes: int) -> dict[str, Any]:
    member = kind[0].lower() + kind[1:]
    return {"type": kind, member: {f"{kind[9:].lower()}Percentage": percentage, f"{kind[9:].lower()}Interval": minutes}}


def _built_in() -> dict[str, dict[str, Any]]:
    routings: dict[str, Any] = {ALL_AT_ONCE: {"type": "AllAtOnce"}}
    for minutes in (5, 10, 15, 30):
        routings[f"CodeDeployDefault.LambdaCanary10Percent{minutes}Minutes"] = _routing("TimeBasedCanary", 10, minutes)
    for minutes in (1, 2, 3, 10):
        name = f"CodeDeployDefault.LambdaLinear10PercentEvery{minutes}Minute{'s' if minutes > 1 else ''}"
        routings[name] = _routing("TimeBasedLinear", 10, minutes)
    lambdas = {
        name: {"deploymentConfigName": name, "computePlatform": "Lambda", "trafficRoutingConfig": routing}
        for name, routing in routings.items()
    }
    servers = {
        f"CodeDeployDefault.{name}": {
            "deploymentConfigName": f"CodeDeployDefault.{name}",
            "computePlatform": "Server",
            "minimumHealthyHosts": {"type": kind, "value": value},
        }
        for name, kind, value in (
            ("AllAtOnce", "HOST_COUNT", 0),
            ("HalfAtATime", "FLEET_PERCENT", 50),
            ("OneAtATime", "HOST_COUNT", 1),
        )
    }
    return {
        name: {**info, "deploymentConfigId": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), "createTime": _EPOCH}
        for name, info in {**lambdas, **servers}.items()
    }


BUILT_IN = _built_in()


def find(call: Call, name: str) -> dict[str, Any]:
    """Raises DeploymentConfigDoesNotExistException."""
    found = BUILT_IN.get(name) or of(call).configs.get(name)
    if found is None:
        raise AwsError("DeploymentConfigDoesNotExistException", f"No deployment configuration found for name: {name}")
    return found


def find_for(call: Call, name: str, platform: str) -> dict[str, Any]:
    """The configuration, which must be of the application's platform."""
    found = find(call, name)
    if found["computePlatform"] != platform:
        text = (
            f"Deployment configuration {name} is for {found['computePlatform']}, but the application is for {platform}"
        )
        raise AwsError("InvalidDeploymentConfigNameException", text)
    return found


@operation("codedeploy", "CreateDeploymentConfig")
def create_config(call: Call) -> dict[str, Any]:
    params, name = call.params, call.params["deploymentConfigName"]
    if name.startswith("CodeDeployDefault"):
        text = "Deployment configuration name cannot begin with 'CodeDeployDefault'"
        raise AwsError("InvalidDeploymentConfigNameException", text)
    if name in of(call).configs:
        raise AwsError("DeploymentConfigAlreadyExistsException", f"Deployment configuration already exists: {name}")
    platform = params.get("computePlatform") or "Server"
    info = {"deploymentConfigName": name, "deploymentConfigId": str(uuid.uuid4()), "computePlatform": platform}
    info["createTime"] = call.cloud.clock.now()
    if platform == "Server":
        if not params.get("minimumHealthyHosts"):
            text = "Minimum healthy hosts must be specified for the Server compute platform"
            raise AwsError("InvalidMinimumHealthyHostValueException", text)
        info["minimumHealthyHosts"] = params["minimumHealthyHosts"]
    else:
        if params.get("minimumHealthyHosts"):
            text = f"Minimum healthy hosts cannot be specified for the {platform} compute platform"
            raise AwsError("InvalidMinimumHealthyHostValueException", text)
        info["trafficRoutingConfig"] = _checked(params.get("trafficRoutingConfig"))
    of(call).configs[name] = info
    return {"deploymentConfigId": info["deploymentConfigId"]}


def _checked(routing: dict[str, Any] | None) -> dict[str, Any]:
    routing = routing or {"type": "AllAtOnce"}
    kind = routing["type"]
    if kind == "AllAtOnce":
        return {"type": kind}
    member = kind[0].lower() + kind[1:]
    settings = routing.get(member) or {}
    word = kind.removeprefix("TimeBased").lower()
    percentage, interval = settings.get(f"{word}Percentage"), settings.get(f"{word}Interval")
    if percentage is None or interval is None:
        raise _invalid(f"{member} needs {word}Percentage and {word}Interval")
    if not 1 <= percentage <= 99:
        raise _invalid(f"{word}Percentage is {percentage}, and must be between 1 and 99")
    # CodeDeploy keeps a Lambda deployment for two days at most.
    if not 1 <= interval <= 2880:
        raise _invalid(f"{word}Interval is {interval}, and must be between 1 and 2880 minutes")
    return {"type": kind, member: {f"{word}Percentage": percentage, f"{word}Interval": interval}}


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidTrafficRoutingConfigurationException", message)


def steps(config: dict[str, Any]) -> list[tuple[float, float]]:
    """How the traffic moves: shares of the new version, each with the minutes until the next. Ends with all."""
    routing = config["trafficRoutingConfig"]
    if routing["type"] == "TimeBasedCanary":
        canary = routing["timeBasedCanary"]
        return [(canary["canaryPercentage"] / 100, float(canary["canaryInterval"])), (1.0, 0.0)]
    if routing["type"] == "TimeBasedLinear":
        linear = routing["timeBasedLinear"]
        step, interval = linear["linearPercentage"], float(linear["linearInterval"])
        return [(share / 100, interval) for share in range(step, 100, step)] + [(1.0, 0.0)]
    return [(1.0, 0.0)]


@operation("codedeploy", "GetDeploymentConfig")
def get_config(call: Call) -> dict[str, Any]:
    return {"deploymentConfigInfo": find(call, call.params["deploymentConfigName"])}


@operation("codedeploy", "ListDeploymentConfigs")
def list_configs(call: Call) -> dict[str, Any]:
    return {"deploymentConfigsList": [*BUILT_IN, *of(call).configs]}


@operation("codedeploy", "DeleteDeploymentConfig")
def delete_config(call: Call) -> dict[str, Any]:
    name = call.params["deploymentConfigName"]
    if name in BUILT_IN:
        raise AwsError("InvalidOperationException", f"The deployment configuration {name} is built in")
    users = [
        group["deploymentGroupName"]
        for application in of(call).applications.values()
        for group in application.groups.values()
        if group["deploymentConfigName"] == name
    ]
    if users:
        text = f"The deployment configuration {name} is in use by deployment group(s): {', '.join(users)}"
        raise AwsError("DeploymentConfigInUseException", text)
    of(call).configs.pop(name, None)
    return {}
