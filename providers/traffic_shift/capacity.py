"""Capacity while traffic moves between endpoints: the new one is brought to what the old one has, none scales in.

The number of instances belongs to autoscaling, not to the program: like the version of the alias, it is what runs, and
no config. A release must not bring it back to where it began, and a rollback must find what it left.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

from providers.traffic_shift.lookup import alias_of, endpoint_of, variables_of

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
SCALE_IN = "DynamicScalingInSuspended"
_SWITCHES = (SCALE_IN, "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_UPDATE_MINUTES = 60
"""SageMaker gives up by itself where instances cannot be had; this is for where it does not."""


class CapacityError(Exception):
    """The new endpoint cannot take the old one's traffic; nothing was shifted."""


@dataclass(frozen=True)
class Variant:
    """A production variant: its weight, and the instances it has (or is being brought to)."""

    name: str
    weight: float
    instances: int


@dataclass(frozen=True)
class Target:
    """What autoscaling may do with a variant."""

    resource: str
    maximum: int
    suspended: Mapping[str, bool]

    @property
    def variant(self) -> str:
        """Name of the variant."""
        return self.resource.rpartition("/")[2]


@dataclass(frozen=True)
class Fleet:
    """One endpoint, as it is."""

    endpoint: str
    variants: Sequence[Variant]
    targets: Sequence[Target]


def needed(old: Fleet, new: Fleet) -> dict[str, int]:
    """Variant of the new endpoint → instances it must be brought to, where it has too few for the old one's traffic.

    All instances of the old endpoint are shared out by the new one's weights, so that an A/B test can begin or end with
    a release. The new endpoint's own maximum holds. A variant that does not scale keeps what its config says.
    """
    serving = sum(variant.instances for variant in old.variants)
    weights = sum(variant.weight for variant in new.variants)
    maximum = {target.variant: target.maximum for target in new.targets}
    found = {}
    for variant in new.variants:
        share = math.ceil(serving * variant.weight / weights - 1e-9) if weights else 0
        wanted = min(share, maximum.get(variant.name, 0))
        if wanted > variant.instances:
            found[variant.name] = wanted
    return found


def switched(target: Target, scale_in_suspended: bool) -> dict[str, bool] | None:
    """The state that suspends or resumes scale-in and leaves the other switches alone; None where it is so already."""
    state = {name: bool(target.suspended.get(name, False)) for name in _SWITCHES}
    if state[SCALE_IN] == scale_in_suspended:
        return None
    return {**state, SCALE_IN: scale_in_suspended}


class Capacity:
    """Holds the capacity of the endpoints behind a function's alias while its traffic moves.

    `clients` gives a boto3 client for a service, `props` name `function`, `alias` and the `version` to come,
    `cancelled` is set when the update is to end, `say` reports to a person.
    """

    def __init__(
        self, clients: Callable[[str], Any], props: Mapping[str, Any], cancelled: Event, say: Callable[[str], None]
    ) -> None:
        self._lambda = clients("lambda")
        self._sagemaker = clients("sagemaker")
        self._scaling = clients("application-autoscaling")
        self._props, self._cancelled, self._say = props, cancelled, say

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Around the shift. Whatever its end, scale-in goes on afterwards wherever traffic may be.

        After a kill nothing goes on here: the next update comes by again, and resumes what it finds.
        """
        new, *others = self._endpoints()
        try:
            if others:
                self._hold([new, *others])
                self._match(others[0], new)
            yield
        except BaseException:
            self._resume_after_failure([new, *others])
            raise
        self._switch([new], suspended=False)
        for endpoint in others:
            # Its instances go with it, in a moment; and SageMaker deletes no endpoint that is being updated.
            self._settle(endpoint)

    # --- looking -----------------------------------------------------------------------------------------------------

    def _endpoints(self) -> list[str]:
        """The endpoint of the version to come, then those of the versions that have traffic now, the main one first."""
        alias = alias_of(self._lambda, self._props)
        versions = (self._props["version"], alias.version, *alias.weights)
        known = [variables_of(self._lambda, self._props["function"], version) for version in versions]
        return list(dict.fromkeys(variables["ENDPOINT_NAME"] for variables in known))

    def _fleet(self, endpoint: str) -> Fleet:
        """An endpoint with its targets; an endpoint that is gone has nothing."""
        described = endpoint_of(self._sagemaker, endpoint)
        variants = [
            Variant(item["VariantName"], item.get("DesiredWeight", 0.0), item.get("DesiredInstanceCount", 0))
            for item in described.get("ProductionVariants", [])
        ]
        return Fleet(endpoint, variants, self._targets(endpoint, [variant.name for variant in variants]))

    def _targets(self, endpoint: str, variants: Sequence[str]) -> list[Target]:
        if not variants:
            return []
        answer = self._scaling.describe_scalable_targets(
            ServiceNamespace=NAMESPACE,
            ResourceIds=[f"endpoint/{endpoint}/variant/{variant}" for variant in variants],
            ScalableDimension=DIMENSION,
        )
        return [
            Target(item["ResourceId"], int(item["MaxCapacity"]), item.get("SuspendedState") or {})
            for item in answer["ScalableTargets"]
        ]

    # --- acting ------------------------------------------------------------------------------------------------------

    def _hold(self, endpoints: Sequence[str]) -> None:
        held = self._switch(endpoints, suspended=True)
        if held:
            self._say(f"no scale-in until the shift has ended: {', '.join(held)}")

    def _switch(self, endpoints: Sequence[str], suspended: bool) -> list[str]:
        """Suspend or resume scale-in of all variants; the resources that were changed."""
        changed = []
        for endpoint in endpoints:
            for target in self._fleet(endpoint).targets:
                state = switched(target, suspended)
                if state is None:
                    continue
                self._scaling.register_scalable_target(
                    ServiceNamespace=NAMESPACE,
                    ResourceId=target.resource,
                    ScalableDimension=DIMENSION,
                    SuspendedState=state,
                )
                changed.append(target.resource)
        return changed

    def _resume_after_failure(self, endpoints: Sequence[str]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._switch(endpoints, suspended=False)
        except (BotoCoreError, ClientError) as error:
            # The shift's own failure is what a person must read.
            self._say(f"scale-in is still suspended ({error}); the next update resumes it")

    def _match(self, old: str, new: str) -> None:
        """Bring the new endpoint to the old one's instances, one variant after the other as SageMaker wants it."""
        self._settle(new)
        for name, wanted in needed(self._fleet(old), self._fleet(new)).items():
            self._say(f"endpoint {new}, variant {name}: to {wanted} instances, as {old} has")
            self._sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=new, DesiredWeightsAndCapacities=[{"VariantName": name, "DesiredInstanceCount": wanted}]
            )
            described = self._settle(new)
            found = {item["VariantName"]: item["CurrentInstanceCount"] for item in described["ProductionVariants"]}
            if found[name] < wanted:
                raise CapacityError(
                    f"endpoint {new} has {found[name]} instances of variant {name} and needs {wanted}, as {old} has"
                    f" ({described.get('FailureReason') or 'SageMaker gave no reason'}); nothing was shifted. Run this"
                    " again when there are instances, or lower glidepath:autoscaling.max"
                )

    def _settle(self, endpoint: str) -> dict[str, Any]:
        """The endpoint once nothing changes it any more."""
        limit, pause = time.monotonic() + _UPDATE_MINUTES * 60, 0.25
        while True:
            described = endpoint_of(self._sagemaker, endpoint)
            if described.get("EndpointStatus") not in ("Updating", "SystemUpdating", "RollingBack"):
                return described
            if time.monotonic() > limit:
                raise CapacityError(f"endpoint {endpoint} is being updated for over {_UPDATE_MINUTES} minutes")
            if self._cancelled.wait(pause):
                raise CapacityError(f"the update was interrupted while endpoint {endpoint} was being brought up")
            pause = min(pause * 1.5, 10.0)
