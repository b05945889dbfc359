"""The calls with which an update takes a release to production: those that change something."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from contracts.names import Names
from operate.bootstrap import place
from scenarios.faults.candidates import Candidate
from scenarios.faults.world import COMMAND, World

_ALARMS = ("PutMetricAlarm",)


@dataclass(frozen=True)
class Made:
    """One kind of call. `part` tells those apart that are about different things, `match` finds them by parameters."""

    service: str
    operation: str
    part: str = ""
    match: Mapping[str, str] = field(default_factory=dict)
    what: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What a journal tells of it."""
        return self.service, self.operation, self.part

    @property
    def name(self) -> str:
        """In kebab-case."""
        return "-".join(filter(None, (self.service, xform_name(self.operation, "-"), self.part, self.what)))


def _function(part: str) -> Made:
    return Made("lambda", "UpdateFunctionConfiguration", part, {"FunctionName": f"-{part}$"})


CALLS = (
    Made("sagemaker", "CreateModel"),
    Made("sagemaker", "CreateEndpointConfig"),
    Made("sagemaker", "CreateEndpoint"),
    Made("application-autoscaling", "RegisterScalableTarget"),
    Made("application-autoscaling", "PutScalingPolicy"),
    _function("predict"),
    Made("lambda", "UpdateFunctionCode", "predict"),
    Made("lambda", "PublishVersion", "predict"),
    _function("before-traffic"),
    _function("after-traffic"),
    Made("cloudwatch", "PutMetricAlarm", "health"),
    Made("cloudwatch", "PutCompositeAlarm"),
    Made("apigateway", "PutRestApi"),
    Made("apigateway", "UpdateRestApi"),
    Made("apigateway", "CreateDeployment"),
    Made("apigateway", "UpdateStage"),
    Made("codedeploy", "CreateDeploymentConfig"),
    Made("codedeploy", "UpdateDeploymentGroup"),
    Made(
        "application-autoscaling",
        "RegisterScalableTarget",
        match={"SuspendedState.DynamicScalingInSuspended": "True"},
        what="hold",
    ),
    Made("codedeploy", "CreateDeployment"),
    Made(
        "application-autoscaling",
        "RegisterScalableTarget",
        match={"SuspendedState.DynamicScalingInSuspended": "False"},
        what="resume",
    ),
    Made("ssm", "PutParameter"),
    _function("monitor"),
    _function("probe"),
    Made("cloudwatch", "PutMetricAlarm", "drift", {"AlarmName": "-drift-"}),
    Made("cloudwatch", "PutDashboard"),
    Made("scheduler", "UpdateSchedule"),
    Made("application-autoscaling", "DeleteScalingPolicy"),
    Made("application-autoscaling", "DeregisterScalableTarget"),
    Made("sagemaker", "DeleteEndpoint"),
    Made("sagemaker", "DeleteEndpointConfig"),
    Made("sagemaker", "DeleteModel"),
    Made("apigateway", "DeleteDeployment"),
    Made("codedeploy", "DeleteDeploymentConfig"),
)
"""In about the order in which they are made: what does not wait for each other goes on side by side."""
CLOSED = Made("sagemaker", "UpdateMonitoringSchedule")
"""What an update makes instead of `UpdateSchedule` where Model Monitor monitors."""


def keys(journal: Iterable[Mapping[str, str]], names: Names, stack: str) -> set[tuple[str, str, str]]:
    """The kinds of calls in a journal, as `CALLS` has them."""
    return {
        (call["service"], call["operation"], _part(call["operation"], call["subject"], names.stack(stack)))
        for call in journal
    }


def _part(operation: str, subject: str, prefix: str) -> str:
    if operation in _ALARMS:
        return "drift" if subject.startswith(f"{prefix}-drift-") else "health"
    if re.match(r"UpdateFunction|PublishVersion", operation):
        return subject.removeprefix(f"{prefix}-")
    return ""


@contextmanager
def journal(world: World, hold: int | None = None) -> Iterator[Callable[[], dict[str, Any]]]:
    """Every change that commands make until the block ends; after `hold` of them the command is stopped.

    What the engine writes of its own state is none: it is written twice for each resource.
    """
    asked = {"agent": f"app/{COMMAND}", "apart": [place(world.project).bucket], **({"hold": hold} if hold else {})}
    world.gateway("PUT", "/_rehearsal/journal", asked)
    try:
        yield lambda: dict(world.gateway("GET", "/_rehearsal/journal"))
    finally:
        world.gateway("DELETE", "/_rehearsal/journal")


@dataclass(frozen=True)
class Commit:
    """What a commit that comes with a release changes of the program: so that an update has all of it to change."""

    mark: str
    minute: int
    percentage: int
    most: int
    """Instances of a request that the API lets through."""
    by: str = "own"
    """Who monitors."""


def commit_of(world: World, release: Candidate) -> Commit:
    """Another one for each of the two releases that alternate, and the same whenever it is deployed."""
    first = release.id == world.old.id
    return Commit(f"as of {release.id}", 15 if first else 25, 50 if first else 40, 1000 if first else 999)


@contextmanager
def committed(world: World, commit: Commit) -> Iterator[None]:
    """The scratch copy with the commit, until the block ends."""
    production = world.project.production
    with ExitStack() as stack:
        for path, change in {
            "definitions/openapi.py": lambda text: text.replace('"maxItems": 1000', f'"maxItems": {commit.most}'),
            "functions/predict/handler.py": lambda text: f"{text}\n# {commit.mark}\n",
        }.items():
            stack.enter_context(world.edited(path, change))
        monitor = {"by": commit.by, "schedule": f"cron({commit.minute} * ? * * *)"}
        stack.enter_context(world.configured(production, "monitor", **monitor))
        shift = {"kind": "linear", "percentage": commit.percentage, "minutes": 1}
        stack.enter_context(world.configured(production, "deployment", **shift))
        yield
