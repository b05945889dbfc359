"""TrafficShift: a resource that is there once CodeDeploy has moved a Lambda alias to a version.

States made before `providers/` existed name the provider by this module: it must stay importable from here.
"""

from typing import TypedDict

import pulumi
from pulumi import dynamic

from providers.traffic_shift.provider import TrafficShiftProvider


class TrafficShiftArgs(TypedDict):
    """Arguments of a shift."""

    application: pulumi.Input[str]
    """CodeDeploy application."""
    group: pulumi.Input[str]
    """Deployment group."""
    configuration: pulumi.Input[str]
    """Deployment configuration, which says how traffic moves."""
    function: pulumi.Input[str]
    """Function name."""
    alias: pulumi.Input[str]
    """Alias that is moved."""
    version: pulumi.Input[str]
    """Version it is moved to."""
    before: pulumi.Input[str]
    """Hook before traffic."""
    after: pulumi.Input[str]
    """Hook after traffic."""
    release: pulumi.Input[str]
    """Release id, for the deployment's description; the version must have been published for it."""
    endpoint: pulumi.Input[str]
    """Endpoint that the version must ask."""
    limit_minutes: pulumi.Input[int]
    """When the shift is stopped and rolled back."""
    returning: pulumi.Input[str]
    """Why this is a rollback to a former release, for the deployment's description; empty where it is none. Alarms that
    are in ALARM before a rollback do not stop it."""
    urgent: pulumi.Input[bool]
    """Whether a rollback waits for no alarm."""
    unwatched: pulumi.Input[list[pulumi.Input[str]]]
    """Names of the group's alarms that do not stop this shift. The group keeps its list, which is no release's."""
    bake_minutes: pulumi.Input[int]
    """How long the judge looks at the release at full traffic; 0: not."""
    capture_bucket: pulumi.Input[str]
    """Where the judge keeps its records."""
    judge: pulumi.Input[str]
    """Name of the judge's function, in whose log the reason stands."""


class TrafficShift(dynamic.Resource, module="glidepath", name="TrafficShift"):
    """The alias is at `version`."""

    version: pulumi.Output[str]
    """Version that takes all traffic."""
    release: pulumi.Output[str]
    """Release of that version."""

    def __init__(self, name: str, args: TrafficShiftArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TrafficShiftProvider(), name, dict(args), opts)
