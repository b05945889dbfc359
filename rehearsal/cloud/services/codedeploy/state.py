"""Applications, groups, configurations and deployments.

moto keeps no deployment configuration, can change and delete nothing, and leaves every deployment at `Created`; so
CodeDeploy's records are kept here, in the shapes of its API.
"""

import secrets
import string
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud
from rehearsal.cloud.services.codedeploy.appspec import AppSpec

_LETTERS = string.ascii_uppercase + string.digits
ACTIVE = frozenset({"Created", "Queued", "InProgress", "Baking", "Ready"})


@dataclass
class Application:
    """`info` is an ApplicationInfo, `groups` are DeploymentGroupInfos by name."""

    info: dict[str, Any]
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    revisions: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Hook:
    """One run of a lifecycle hook, and what it reported."""

    event: str
    reported: threading.Event = field(default_factory=threading.Event)
    status: str = ""


@dataclass
class Deployment:
    """`info` is a DeploymentInfo, `target` a LambdaTarget."""

    account: str
    region: str
    info: dict[str, Any]
    target: dict[str, Any]
    group: dict[str, Any]
    """The group's settings as they were when the deployment was made."""
    content: dict[str, Any]
    """The parsed AppSpec."""
    hooks: dict[str, Hook] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    rollback_on_stop: bool = False
    timeline: list[tuple[datetime, float]] = field(default_factory=list)
    """When the target version took which share of the traffic."""

    @property
    def id(self) -> str:
        return str(self.info["deploymentId"])

    @property
    def active(self) -> bool:
        return self.info["status"] in ACTIVE

    def steps(self) -> list[dict[str, float]]:
        """The timeline in real seconds since the start: `[{"second", "weight"}]`."""
        start = self.info.get("startTime") or self.info["createTime"]
        return [{"second": round((at - start).total_seconds(), 3), "weight": weight} for at, weight in self.timeline]


@dataclass
class Records:
    """Everything of one account in one region."""

    applications: dict[str, Application] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


def records(cloud: Cloud, account: str, region: str) -> Records:
    """The records of an account in a region."""
    return cloud.store("codedeploy", account, region).setdefault("records", Records())  # type: ignore[no-any-return]


def new(
    cloud: Cloud, account: str, region: str, settings: dict[str, Any], config: dict[str, Any], revision: dict[str, Any],
    spec: AppSpec, creator: str,
) -> Deployment:  # fmt: skip
    """A deployment that has not begun."""
    name = "d-" + "".join(secrets.choice(_LETTERS) for _ in range(9))
    created = cloud.clock.now()
    events = [
        {"lifecycleEventName": event, "status": "Pending"}
        for event in ("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")
    ]
    target = {
        "deploymentId": name,
        "targetId": f"{spec.function}:{spec.alias}",
        "targetArn": f"arn:aws:lambda:{region}:{account}:function:{spec.function.rpartition(':')[2]}:{spec.alias}",
        "status": "Pending",
        "lastUpdatedAt": created,
        "lifecycleEvents": events,
        "lambdaFunctionInfo": {
            "functionName": spec.function,
            "functionAlias": spec.alias,
            "currentVersion": spec.current,
            "targetVersion": spec.target,
            "targetVersionWeight": 0.0,
        },
    }
    info = {
        "applicationName": settings["applicationName"],
        "deploymentGroupName": settings["deploymentGroupName"],
        "deploymentConfigName": config["deploymentConfigName"],
        "deploymentId": name,
        "revision": revision,
        "status": "Created",
        "createTime": created,
        "creator": creator,
        "ignoreApplicationStopFailures": False,
        "updateOutdatedInstancesOnly": False,
        "instanceTerminationWaitTimeStarted": False,
        "deploymentStyle": settings.get("deploymentStyle"),
        "autoRollbackConfiguration": settings.get("autoRollbackConfiguration") or {"enabled": False},
        "computePlatform": "Lambda",
        "deploymentStatusMessages": [],
        "fileExistsBehavior": "DISALLOW",
    }
    content = {"function": spec.function, "alias": spec.alias, "hooks": spec.hooks}
    return Deployment(account, region, info, target, settings, content)


def of(call: Call) -> Records:
    """The caller's records."""
    return records(call.cloud, call.account, call.region)


def application(call: Call, name: str | None = None) -> Application:
    """Raises ApplicationNameRequiredException or ApplicationDoesNotExistException."""
    name = name or call.params.get("applicationName")
    if not name:
        raise AwsError("ApplicationNameRequiredException", "The application name was not specified.")
    found = of(call).applications.get(name)
    if found is None:
        raise AwsError("ApplicationDoesNotExistException", f"No application found for name: {name}")
    return found


def group(call: Call, name: str | None = None) -> dict[str, Any]:
    """Raises DeploymentGroupNameRequiredException or DeploymentGroupDoesNotExistException."""
    owner = application(call)
    name = name or call.params.get("deploymentGroupName")
    if not name:
        raise AwsError("DeploymentGroupNameRequiredException", "The deployment group name was not specified.")
    found = owner.groups.get(name)
    if found is None:
        raise AwsError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
    return found


def deployment(call: Call) -> Deployment:
    """Raises DeploymentIdRequiredException or DeploymentDoesNotExistException."""
    name = call.params.get("deploymentId")
    if not name:
        raise AwsError("DeploymentIdRequiredException", "The deployment ID was not specified.")
    found = of(call).deployments.get(name)
    if found is None:
        raise AwsError("DeploymentDoesNotExistException", f"The deployment {name} could not be found")
    return found


def arn(call: Call, resource: str) -> str:
    return f"arn:aws:codedeploy:{call.region}:{call.account}:{resource}"


def keep_tags(call: Call, resource: str) -> None:
    """Stores the tags of a Create request."""
    if call.params.get("tags"):
        of(call).tags[arn(call, resource)] = {tag["Key"]: tag.get("Value", "") for tag in call.params["tags"]}
