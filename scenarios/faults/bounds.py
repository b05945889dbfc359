"""How many live requests a failing canary may cost: weight times time to alarm times rate, from what is deployed.

The weights are those of the deployment's configuration, the time is that of the alarms that watch it: until a minute
has failures enough for the hard limit, `EvaluationPeriods + 1` periods (a data point is judged once its period is
over), one look of CodeDeploy at the alarms, and a second of real time for the machine that rehearses.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.errors import UserError

if TYPE_CHECKING:
    from scenarios.faults.world import World

LOOK_SECONDS = 10.0
"""How often CodeDeploy looks at alarms, in AWS's time."""
MACHINE_SECONDS = 1.0
"""What a busy machine may add, in real time."""


@dataclass(frozen=True)
class Routing:
    """How traffic moves: `share` first; linear adds as much after every `minutes`, a canary all the rest."""

    linear: bool
    share: float
    minutes: float

    @property
    def shift_minutes(self) -> float:
        """Minutes from the first share to all traffic."""
        return self.minutes * (math.ceil(1 / self.share) - 1) if self.linear else self.minutes

    def exposure(self, minutes: float) -> float:
        """Minutes of full traffic that the new version has had after so many minutes of the shift."""
        exposed, passed, weight = 0.0, 0.0, self.share
        while passed < minutes:
            span = min(self.minutes, minutes - passed)
            exposed += weight * span
            passed += span
            weight = min(1.0, weight + self.share) if self.linear else 1.0
        return exposed


def waiting_minutes(routing: Routing, events: int, per_minute: float) -> int:
    """Minutes of the shift before one in which the new version is expected to have twice as many requests as a hard
    limit needs: of such a minute and those before it, one reaches the limit in all but one of hundreds of shifts."""
    enough, passed = 2 * events / per_minute, 0
    while passed < routing.shift_minutes and routing.exposure(passed + 1) - routing.exposure(passed) < enough:
        passed += 1
    return passed


def most_failed(routing: Routing, alarm_minutes: float, seconds_per_minute: float, rate: float, events: int) -> float:
    """The bound: requests that reach the new version until its alarm has stopped it. `rate` is per real second.

    `events`: failed requests in a minute below which the alarm says nothing.
    """
    waited = waiting_minutes(routing, events, rate * seconds_per_minute)
    minutes = waited + alarm_minutes + LOOK_SECONDS / 60 + MACHINE_SECONDS / seconds_per_minute
    return routing.exposure(minutes) * seconds_per_minute * rate


def bound(world: "World") -> float:
    """The bound of production as it is configured, at the matrix's rate of requests."""
    from scenarios.faults.world import RATE

    limit = _model_errors(world)
    seconds = world.rehearsal.seconds_per_minute
    return most_failed(read_routing(world), alarm_minutes(limit), seconds, RATE, least_events(limit))


def read_routing(world: "World") -> Routing:
    """Of production's deployment group."""
    codedeploy = world.clients.of(world.project.production, "codedeploy")
    group = codedeploy.get_deployment_group(
        applicationName=world.project.names.stack(world.project.production), deploymentGroupName="predict"
    )["deploymentGroupInfo"]
    name = group["deploymentConfigName"]
    config = codedeploy.get_deployment_config(deploymentConfigName=name)["deploymentConfigInfo"]
    return routing_of(config["trafficRoutingConfig"])


def routing_of(config: dict[str, Any]) -> Routing:
    """From CodeDeploy's `trafficRoutingConfig`."""
    if config["type"] == "TimeBasedLinear":
        linear = config["timeBasedLinear"]
        return Routing(True, linear["linearPercentage"] / 100, linear["linearInterval"])
    if config["type"] == "TimeBasedCanary":
        canary = config["timeBasedCanary"]
        return Routing(False, canary["canaryPercentage"] / 100, canary["canaryInterval"])
    return Routing(False, 1.0, 1.0)


def alarm_minutes(alarm: Mapping[str, Any]) -> float:
    """From the period that breaches to the alarm."""
    return _period(alarm) * (int(alarm["EvaluationPeriods"]) + 1) / 60


def least_events(alarm: Mapping[str, Any]) -> int:
    """Of a hard limit's alarm, the failed requests of a period below which it says nothing."""
    (share,) = [query["Expression"] for query in alarm["Metrics"] if query.get("Expression")]
    found = re.search(r"events\d*>=(\d+)", share)
    if not found:
        raise ValueError(f"no number of events in {share}")
    return int(found[1])


def latency_ms(world: "World") -> float:
    """The answer time (milliseconds) from which on a request is slow, as the hook before traffic is told."""
    hook = world.project.names.function_arn(world.project.production, "before-traffic")
    found = world.clients.of(world.project.production, "lambda").get_function_configuration(FunctionName=hook)
    return float(json.loads(found["Environment"]["Variables"]["REPLAY"])["latencyMs"])


def alarm_on(cloudwatch: Any, metric: str) -> dict[str, Any]:
    """The first alarm that reads a metric. Raises UserError where none does."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    for page in pages:
        for alarm in page["MetricAlarms"]:
            if metric in _metrics(alarm):
                return dict(alarm)
    raise UserError(f"no alarm watches {metric}")


def _model_errors(world: "World") -> dict[str, Any]:
    return alarm_on(world.clients.of(world.project.production, "cloudwatch"), "ModelErrors")


def _metrics(alarm: Mapping[str, Any]) -> set[str]:
    queries = [query["MetricStat"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return {alarm.get("MetricName", ""), *(query["Metric"]["MetricName"] for query in queries)}


def _period(alarm: Mapping[str, Any]) -> float:
    periods = [query["MetricStat"]["Period"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return float(alarm.get("Period") or max(periods))
