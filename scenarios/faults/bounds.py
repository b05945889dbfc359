"""How many live requests a failing canary may cost: weight times time to alarm times rate, from what is deployed.

The weights are those of the deployment's configuration, the time is that of the alarms that watch it:
`EvaluationPeriods + 1` periods (a data point is judged once its period is over), one look of CodeDeploy at the alarms,
and a second of real time for the machine that rehearses.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


def most_failed(routing: Routing, alarm_minutes: float, seconds_per_minute: float, rate: float) -> float:
    """The bound: requests that reach the new version until its alarm has stopped it. `rate` is per real second."""
    minutes = alarm_minutes + LOOK_SECONDS / 60 + MACHINE_SECONDS / seconds_per_minute
    return routing.exposure(minutes) * seconds_per_minute * rate


def bound(world: "World") -> float:
    """The bound of production as it is configured, at the matrix's rate of requests."""
    from scenarios.faults.world import RATE

    return most_failed(read_routing(world), alarm_minutes(world), world.rehearsal.seconds_per_minute, RATE)


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


def alarm_minutes(world: "World") -> float:
    """From the first failure to the alarm: that of the new version's model errors."""
    alarms = [alarm for alarm in _alarms(world) if "ModelErrors" in _metrics(alarm)]
    seconds = max((_period(alarm) * (alarm["EvaluationPeriods"] + 1) for alarm in alarms), default=0.0)
    return seconds / 60


def latency_ms(world: "World") -> float:
    """The answer time (milliseconds) from which on the alarm on a version's own latency goes off."""
    return max((float(alarm["Threshold"]) for alarm in _alarms(world) if "Latency" in _metrics(alarm)), default=1000.0)


def _alarms(world: "World") -> list[dict[str, Any]]:
    cloudwatch = world.clients.of(world.project.production, "cloudwatch")
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    return [alarm for page in pages for alarm in page["MetricAlarms"]]


def _metrics(alarm: dict[str, Any]) -> set[str]:
    queries = [query["MetricStat"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return {alarm.get("MetricName", ""), *(query["Metric"]["MetricName"] for query in queries)}


def _period(alarm: dict[str, Any]) -> float:
    periods = [query["MetricStat"]["Period"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return float(alarm.get("Period") or max(periods))
