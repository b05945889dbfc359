"""A function's alias and its CodeDeploy deployments in memory: each look at a deployment moves it on by one step,
each look at the alias a rollback."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from contracts.appspec import ACTIVE, app_spec, target_version


class AlreadyCompleted(Exception):
    pass


class LimitExceeded(Exception):
    pass


class NotFound(Exception):
    pass


_EXCEPTIONS = SimpleNamespace(
    DeploymentAlreadyCompletedException=AlreadyCompleted,
    DeploymentLimitExceededException=LimitExceeded,
    ResourceNotFoundException=NotFound,
)
PROPS: dict[str, Any] = {
    "application": "glidepath-prod",
    "group": "predict",
    "configuration": "steps",
    "function": "glidepath-prod-predict",
    "alias": "live",
    "version": "2",
    "before": "before",
    "after": "after",
    "release": "r2",
    "endpoint": "e-2",
    "limit_minutes": 60,
    "returning": "",
    "urgent": False,
}


@dataclass
class Made:
    """A deployment: the weights it still gives, then how it ends."""

    id: str
    current: str
    target: str
    weights: list[float]
    error: dict[str, str] | None = None
    hook: str = ""
    status: str = "InProgress"
    creator: str = "user"
    request: dict[str, Any] = field(default_factory=dict)


@dataclass
class Aws:
    """Lambda, CodeDeploy, CloudWatch, endpoints and their scaling of one alias; hand it over as every client.

    Version n is of release `rn` and asks endpoint `e-n`, of two instances; `environments`, `instances` and `scaling`
    say what differs, `gone` which were deleted. `scaled` holds what was done to them, in words. `error` (CodeDeploy's
    errorInformation) is how new deployments end after their weights; `hook` names the one that failed. `lag` is for how
    many looks the rollback of a stopped one takes.
    """

    version: str = "1"
    weights: dict[str, float] = field(default_factory=dict)
    alarms: dict[str, tuple[str, str]] = field(default_factory=dict)
    error: dict[str, str] | None = None
    hook: str = ""
    lag: int = 1
    made: list[Made] = field(default_factory=list)
    stopped: list[dict[str, Any]] = field(default_factory=list)
    instances: dict[str, int] = field(default_factory=dict)
    scaling: dict[str, bool] = field(default_factory=dict)
    scaled: list[str] = field(default_factory=list)
    logged: dict[str, list[str]] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    exceptions = _EXCEPTIONS

    def filter_log_events(self, **request: Any) -> dict[str, Any]:
        """Lines of a log group that hold the quoted text, one a page."""
        text = request["filterPattern"].strip('"')
        lines = [line for line in self.logged.get(request["logGroupName"], []) if text in line]
        number = int(request.get("nextToken", "0"))
        page: dict[str, Any] = {"events": [{"message": line} for line in lines[number : number + 1]]}
        return page if number + 1 >= len(lines) else page | {"nextToken": str(number + 1)}

    def get_function_configuration(self, **request: str) -> dict[str, Any]:
        number = request["Qualifier"]
        own = {"ENDPOINT_NAME": f"e-{number}", "RELEASE_ID": f"r{number}"}
        return {"Environment": {"Variables": own | self.environments.get(number, {})}}

    def describe_endpoint(self, **request: str) -> dict[str, Any]:
        if request["EndpointName"] in self.gone:
            message = f'Could not find endpoint "{request["EndpointName"]}".'
            raise ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "DescribeEndpoint")
        count = self.instances.get(request["EndpointName"], 2)
        variant = {"VariantName": "live", "DesiredWeight": 1.0, "DesiredInstanceCount": count}
        return {"EndpointStatus": "InService", "ProductionVariants": [{**variant, "CurrentInstanceCount": count}]}

    def describe_scalable_targets(self, **request: Any) -> dict[str, Any]:
        """Endpoints of `scaling` have a target; the value says whether its scale-in is suspended."""
        (resource,) = request["ResourceIds"]
        suspended = self.scaling.get(resource.split("/")[1])
        state = {"DynamicScalingInSuspended": suspended}
        found = {"ResourceId": resource, "MaxCapacity": 8, "SuspendedState": state}
        return {"ScalableTargets": [] if suspended is None else [found]}

    def register_scalable_target(self, **request: Any) -> None:
        endpoint = request["ResourceId"].split("/")[1]
        self.scaling[endpoint] = request["SuspendedState"]["DynamicScalingInSuspended"]
        at = "during" if any(made.status in ACTIVE for made in self.made) else "outside"
        self.scaled.append(f"{endpoint} {'held' if self.scaling[endpoint] else 'resumed'} {at} a deployment")

    def update_endpoint_weights_and_capacities(self, **request: Any) -> None:
        (wanted,) = request["DesiredWeightsAndCapacities"]
        self.instances[request["EndpointName"]] = wanted["DesiredInstanceCount"]
        self.scaled.append(f"{request['EndpointName']} to {wanted['DesiredInstanceCount']}, version {self.version}")

    def begin(self, target: str, creator: str = "user", request: dict[str, Any] | None = None) -> Made:
        """A deployment under way, as somebody has begun it."""
        weights = [0.1, 0.5, 1.0] if creator == "user" else [0.0] * self.lag
        made = Made(f"d-{len(self.made) + 1}", self.version, target, weights, creator=creator, request=request or {})
        if creator == "user":
            made.error, made.hook = self.error, self.hook
        self.made.append(made)
        return made

    def _move(self, made: Made) -> None:
        if made.status not in ACTIVE:
            return
        if made.creator != "user":
            made.weights = made.weights[1:]
            if not made.weights:
                self.version, self.weights, made.status = made.target, {}, "Succeeded"
        elif len(made.weights) > 1 or (made.weights and not made.error):
            self._give(made, made.weights.pop(0))
        elif made.error:
            made.status = "Stopped" if made.error["code"] == "ALARM_ACTIVE" else "Failed"
            self.begin(made.current, "codeDeployRollback")
        else:
            made.status = "Succeeded"

    def _give(self, made: Made, share: float) -> None:
        self.version, self.weights = (made.target, {}) if share == 1.0 else (made.current, {made.target: share})

    # --- what the provider calls -------------------------------------------------------------------------------------

    def get_alias(self, **_: Any) -> dict[str, Any]:
        for made in self.made:
            if made.creator != "user":
                self._move(made)
        return {"FunctionVersion": self.version, "RoutingConfig": {"AdditionalVersionWeights": dict(self.weights)}}

    def update_alias(self, **request: Any) -> None:
        self.weights = request["RoutingConfig"]["AdditionalVersionWeights"]

    def list_deployments(self, **request: Any) -> dict[str, Any]:
        wanted = request.get("includeOnlyStatuses") or ACTIVE
        return {"deployments": [made.id for made in self.made if made.status in wanted]}

    def create_deployment(self, **request: Any) -> dict[str, Any]:
        if any(made.status in ACTIVE for made in self.made):
            raise LimitExceeded
        target = target_version(request["revision"])
        assert json.loads(request["revision"]["appSpecContent"]["content"])["Hooks"]
        return {"deploymentId": self.begin(target, request=request).id}

    def get_deployment(self, deploymentId: str) -> dict[str, Any]:  # noqa: N803
        made = next(made for made in self.made if made.id == deploymentId)
        self._move(made)
        content = app_spec("f", "live", made.current, made.target, "before", "after")
        info: dict[str, Any] = {
            "status": made.status,
            "creator": made.creator,
            "deploymentId": made.id,
            "createTime": self.made.index(made),
            "revision": {"string": {"content": content}},
        }
        if made.error and made.status not in ACTIVE:
            info["errorInformation"] = made.error
        return {"deploymentInfo": info}

    def list_deployment_targets(self, deploymentId: str) -> dict[str, Any]:  # noqa: N803
        return {"targetIds": [deploymentId]}

    def get_deployment_target(self, deploymentId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        made = next(made for made in self.made if made.id == deploymentId)
        failed = made.hook if made.status == "Failed" else ""
        events = [
            {"lifecycleEventName": name, "status": "Failed" if name == failed else "Pending"}
            for name in ("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")
        ]
        return {"deploymentTarget": {"lambdaTarget": {"lifecycleEvents": events}}}

    def stop_deployment(self, **request: Any) -> None:
        self.stopped.append(request)
        made = next(made for made in self.made if made.id == request["deploymentId"])
        if made.status not in ACTIVE:
            raise AlreadyCompleted
        made.status = "Stopped"
        self.begin(made.current, "codeDeployRollback")

    def get_deployment_group(self, **_: Any) -> dict[str, Any]:
        configuration = {"enabled": True, "alarms": [{"name": name} for name in self.alarms]}
        return {"deploymentGroupInfo": {"alarmConfiguration": configuration}}

    def describe_alarms(self, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:  # noqa: N803
        """Alarms whose name begins with `all` are composite ones."""
        found = [
            {"AlarmName": name, "StateValue": state, "StateReason": reason}
            for name, (state, reason) in self.alarms.items()
            if name in AlarmNames and ("CompositeAlarm" in AlarmTypes) == name.startswith("all")
        ]
        return {"MetricAlarms": [], "CompositeAlarms": [], f"{AlarmTypes[0]}s": found}
