"""Does all of production agree? After an update everything is of the one release that serves, and nothing else is left.

Each finding is a sentence; none means that alias, record, URL, functions, alarms, shift, API, monitor and scaling are
all of this release, and that its state has nothing unfinished.
"""

import json
from collections.abc import Iterator
from typing import Any

from contracts.names import LIVE, PREDICT, PROBE
from operate import engine
from scenarios.faults.calls import Commit
from scenarios.faults.candidates import Candidate
from scenarios.faults.world import World

_HOOKS = ("before-traffic", "after-traffic")


def disagreements(world: World, release: Candidate, commit: Commit, killed: bool = False) -> list[str]:
    """What is not of this release and the program's commit.

    `killed`: an engine was, and may have left a deployment of the API that nobody uses: it costs nothing, and its id
    was never told to anybody.
    """
    return [*world.disagreements(), *_Look(world, release, commit, killed).all()]


class _Look:
    def __init__(self, world: World, release: Candidate, commit: Commit, killed: bool) -> None:
        self._world, self._release, self._commit, self._killed = world, release, commit, killed
        self._stack = world.project.production
        self._names = world.project.names
        self._prefix = self._names.stack(self._stack)
        functions = self._client("lambda")
        alias = functions.get_alias(FunctionName=self._names.predict(self._stack), Name=LIVE)
        self._version = alias["FunctionVersion"]
        self._endpoint = self._variables(PREDICT, self._version).get("ENDPOINT_NAME")

    def _client(self, service: str) -> Any:
        return self._world.clients.of(self._stack, service)

    def _variables(self, purpose: str, version: str = "$LATEST") -> dict[str, str]:
        name = self._names.function(self._stack, purpose)
        found = self._client("lambda").get_function_configuration(FunctionName=name, Qualifier=version)
        return dict((found.get("Environment") or {}).get("Variables") or {})

    def all(self) -> Iterator[str]:
        recorded = self._world.recorded(self._stack)
        if recorded != self._release.id:
            yield f"{recorded} is recorded, not {self._release.id}"
        yield from self._functions()
        yield from self._alarms()
        yield from self._shift()
        yield from self._api()
        yield from self._monitor()
        yield from self._scaling()
        yield from self._left()
        yield from self._state()

    def _functions(self) -> Iterator[str]:
        """The functions that follow the release, beside the one that answers."""
        for purpose in (*_HOOKS, *(("monitor",) if self._commit.by == "own" else ())):
            found = self._variables(purpose)
            for name, wanted in {"RELEASE_ID": self._release.id, "ENDPOINT_NAME": self._endpoint}.items():
                if found.get(name) != wanted:
                    yield f"{purpose} has {name} {found.get(name)}, not {wanted}"
        asking = self._variables(PROBE).get("RELEASE_ID")
        if asking != self._release.id:
            yield f"{PROBE} has RELEASE_ID {asking}, not {self._release.id}"

    def _alarms(self) -> Iterator[str]:
        client = self._client("cloudwatch")
        wanted = {"EndpointName": self._endpoint, "ExecutedVersion": self._version}
        alarms = client.describe_alarms(AlarmNamePrefix=f"{self._prefix}-", MaxRecords=100)["MetricAlarms"]
        seen = set()
        for alarm in alarms:
            queries = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
            for dimension in [each for metric in (alarm, *queries) for each in metric.get("Dimensions", [])]:
                name, value = dimension["Name"], dimension["Value"]
                seen.add(name)
                if name in wanted and value != wanted[name]:
                    yield f"alarm {alarm['AlarmName']} watches {name} {value}, not {wanted[name]}"
        if not wanted.keys() <= seen:
            yield f"no alarm watches {', '.join(sorted(wanted.keys() - seen))}"
        name = f"{self._prefix}-unhealthy"
        for alarm in client.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]:
            if self._release.id not in alarm["AlarmDescription"]:
                yield f"alarm {name} is not about {self._release.id}: {alarm['AlarmDescription']}"
        body = client.get_dashboard(DashboardName=self._prefix)["DashboardBody"]
        if str(self._endpoint) not in body:
            yield f"the dashboard does not show {self._endpoint}"

    def _shift(self) -> Iterator[str]:
        client = self._client("codedeploy")
        group = client.get_deployment_group(applicationName=self._prefix, deploymentGroupName="predict")
        found = group["deploymentGroupInfo"]["deploymentConfigName"]
        if f"-{self._commit.percentage}-percent" not in found:
            yield f"the deployment group shifts by {found}, not by {self._commit.percentage} percent"
        if not group["deploymentGroupInfo"].get("alarmConfiguration", {}).get("alarms"):
            yield "the deployment group watches no alarm"
        known = [name for name in client.list_deployment_configs()["deploymentConfigsList"] if self._prefix in name]
        if known != [found]:
            yield f"deployment configurations are left over: {', '.join(sorted({*known} - {found}))}"

    def _api(self) -> Iterator[str]:
        """The bodies that the deployed stage lets through, by asking it."""
        row = self._world.rows[0]
        status = self._world.caller.predict([row] * 1000).status
        wanted = 200 if self._commit.most == 1000 else 400
        if status != wanted:
            yield f"the API answers 1000 instances with {status}, not with {wanted}"
        client = self._client("apigateway")
        apis = [api["id"] for api in client.get_rest_apis(limit=500)["items"] if api["name"] == self._prefix]
        for api in apis:
            kept = [entry["id"] for entry in client.get_deployments(restApiId=api, limit=500)["items"]]
            if len(kept) != 1 and not self._killed:
                yield f"API {api} has {len(kept)} deployments"

    def _monitor(self) -> Iterator[str]:
        if self._commit.by != "own":
            yield from self._closed_monitor()
            return
        found = self._client("scheduler").get_schedule(Name=f"{self._prefix}-monitor")["ScheduleExpression"]
        if not found.startswith(f"cron({self._commit.minute} "):
            yield f"the monitor runs by {found}, not at minute {self._commit.minute}"

    def _closed_monitor(self) -> Iterator[str]:
        client = self._client("sagemaker")
        for schedule in client.list_monitoring_schedules()["MonitoringScheduleSummaries"]:
            config = client.describe_monitoring_schedule(MonitoringScheduleName=schedule["MonitoringScheduleName"])
            definition = config["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]
            found = client.describe_data_quality_job_definition(JobDefinitionName=definition)
            endpoint = found["DataQualityJobInput"]["EndpointInput"]["EndpointName"]
            if endpoint != self._endpoint:
                yield f"Model Monitor watches {endpoint}, not {self._endpoint}"

    def _scaling(self) -> Iterator[str]:
        client = self._client("application-autoscaling")
        targets = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        ours = [target for target in targets if target["ResourceId"].startswith(f"endpoint/{self._endpoint}/")]
        if not ours:
            yield f"{self._endpoint} does not scale"
        for target in ours:
            if (target.get("SuspendedState") or {}).get("DynamicScalingInSuspended"):
                yield f"{target['ResourceId']} does not scale in"
            named = {"ServiceNamespace": "sagemaker", "ResourceId": target["ResourceId"]}
            if not client.describe_scaling_policies(**named)["ScalingPolicies"]:
                yield f"{target['ResourceId']} has no scaling policy"

    def _left(self) -> Iterator[str]:
        """Endpoints, configurations and models that nobody serves: an update takes away what it has made needless."""
        client = self._client("sagemaker")
        endpoints = {each["EndpointName"] for each in client.list_endpoints()["Endpoints"]}
        config = client.describe_endpoint(EndpointName=self._endpoint)["EndpointConfigName"]
        configs = {each["EndpointConfigName"] for each in client.list_endpoint_configs()["EndpointConfigs"]}
        described = client.describe_endpoint_config(EndpointConfigName=config)
        serving = {variant["ModelName"] for variant in described["ProductionVariants"]}
        models = {each["ModelName"] for each in client.list_models()["Models"]}
        for kind, left in {
            "endpoint": endpoints - {self._endpoint},
            "endpoint configuration": configs - {config},
            "model": models - serving,
        }.items():
            if left:
                yield f"{kind} left over: {', '.join(sorted(left))}"

    def _state(self) -> Iterator[str]:
        done = engine.run(
            ["stack", "export", "--stack", self._stack], self._world.root, self._world.rehearsal.environ()
        )
        deployment = json.loads(done.stdout).get("deployment") or {}
        for entry in deployment.get("pending_operations") or []:
            yield f"the state says that {entry['type']} {entry['resource']['urn'].rpartition('::')[2]} was interrupted"
        for entry in deployment.get("resources") or []:
            if entry.get("initErrors") or entry.get("delete"):
                yield f"the state holds {entry['urn'].rpartition('::')[2]} as unfinished"
