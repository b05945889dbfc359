"""Capacity while traffic moves between two real endpoints of the gateway, scaled by a policy that acts."""

import threading
import time
from contextlib import AbstractContextManager
from typing import Any

import pytest

from providers.traffic_shift.capacity import DIMENSION, SCALE_IN, Capacity, CapacityError
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import Place, Sample
from tests.rehearsal.cloud.lambda_support import make_function
from tests.rehearsal.cloud.sagemaker_world import World, variant, wait

PROPS = {"function": "predict", "alias": "live", "version": "2"}
METRIC = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}


class Shop(World):
    """Endpoints `old` (grown to four instances) and `new` (two), a version of `predict` for each, the alias at old."""

    def open(self, archive: bytes) -> "Shop":
        artifact = self.put("model.tar.gz", archive)
        for name in ("old", "new"):
            self.endpoint(
                name, artifact, ProductionVariants=[variant("live", name, InitialInstanceCount=2)]
            )  # fmt: skip
            self.scaling.register_scalable_target(**where(name), MinCapacity=2, MaxCapacity=6)
        self.resize("old", 4)
        functions = self.client("lambda")
        made = "def handler(event, context): return None"
        make_function(self.cloud, self.account, "predict", made, Environment=names("old"), Publish=True)
        functions.update_function_configuration(FunctionName="predict", Environment=names("new"))
        functions.publish_version(FunctionName="predict")
        functions.create_alias(FunctionName="predict", Name="live", FunctionVersion="1")
        return self

    @property
    def scaling(self) -> Any:
        return self.client("application-autoscaling")

    def resize(self, endpoint: str, count: int) -> None:
        self.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint, DesiredWeightsAndCapacities=[{"VariantName": "live", "DesiredInstanceCount": count}]
        )
        self.endpoint_status(endpoint)

    def instances(self, endpoint: str) -> int:
        (found,) = self.sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
        return int(found["CurrentInstanceCount"])

    def suspended(self) -> dict[str, bool]:
        targets = self.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        return {target["ResourceId"].split("/")[1]: target["SuspendedState"][SCALE_IN] for target in targets}

    def quiet(self, endpoint: str) -> None:
        """A policy, and minutes of so little traffic that it would scale in at once."""
        self.scaling.put_scaling_policy(
            PolicyName="track", PolicyType="TargetTrackingScaling", **where(endpoint),
            TargetTrackingScalingPolicyConfiguration={
                "PredefinedMetricSpecification": METRIC, "TargetValue": 100, "ScaleInCooldown": 0,
                "ScaleOutCooldown": 0,
            },
        )  # fmt: skip
        dimensions = {"EndpointName": endpoint, "VariantName": "live"}
        # Far ahead as well: a minute lasts a fifth of a second, and a busy machine may pause the scaling for many.
        for number in range(-100, 40):
            moment = time.time() - number * self.cloud.clock.scaled(60)
            sample = Sample("AWS/SageMaker", "InvocationsPerInstance", dimensions, 1, timestamp=moment)
            self.cloud.put_metric(Place(self.account, self.region), sample)

    def capacity(self, cancelled: threading.Event | None = None) -> "tuple[Capacity, list[str]]":
        said: list[str] = []
        return Capacity(self.client, PROPS, cancelled or threading.Event(), said.append), said

    def move(self) -> None:
        self.client("lambda").update_alias(FunctionName="predict", Name="live", FunctionVersion="2")


def names(endpoint: str) -> dict[str, Any]:
    return {"Variables": {"ENDPOINT_NAME": endpoint}}


def where(endpoint: str) -> dict[str, str]:
    resource = f"endpoint/{endpoint}/variant/live"
    return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": DIMENSION}


@pytest.fixture
def shop(cloud: Cloud, account: str, region: str, model_archive: bytes) -> Shop:
    return Shop(cloud, account, region).open(model_archive)


def test_a_release_at_a_peak_keeps_the_instances(shop: Shop) -> None:
    capacity, said = shop.capacity()
    with capacity.held():
        assert (shop.instances("new"), shop.instances("old")) == (4, 4)
        assert shop.suspended() == {"old": True, "new": True}
        shop.quiet("old")
        shop.quiet("new")
        time.sleep(shop.cloud.clock.scaled(300))
        assert (shop.instances("new"), shop.instances("old")) == (4, 4)
        shop.move()
    # The old endpoint goes now: nothing may start to change it any more.
    assert shop.suspended() == {"old": True, "new": False}
    wait(lambda: shop.instances("new"), lambda count: count == 2)
    assert said == [
        "no scale-in until the shift has ended: endpoint/new/variant/live, endpoint/old/variant/live",
        "endpoint new, variant live: to 4 instances, as old has",
    ]


@pytest.mark.parametrize("error", [RuntimeError("an alarm went off"), KeyboardInterrupt()])
def test_scale_in_goes_on_after_a_failure(shop: Shop, error: BaseException) -> None:
    capacity, _ = shop.capacity()
    with pytest.raises(type(error)), capacity.held():  # noqa: PT012  what holds within is the point
        assert shop.suspended() == {"old": True, "new": True}
        raise error
    assert shop.suspended() == {"old": False, "new": False}
    assert shop.instances("old") == 4


@pytest.mark.parametrize("moved", [False, True])
def test_the_next_update_resumes_what_a_killed_one_left(shop: Shop, moved: bool) -> None:
    killed = _entered(shop.capacity()[0])
    assert shop.suspended() == {"old": True, "new": True}
    if moved:
        shop.move()
    with shop.capacity()[0].held():
        shop.move()
    assert shop.suspended()["new"] is False
    del killed


def test_a_shift_that_was_going_on_holds_every_endpoint_with_traffic(shop: Shop) -> None:
    functions = shop.client("lambda")
    functions.update_alias(
        FunctionName="predict", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}}
    )  # fmt: skip
    functions.update_function_configuration(FunctionName="predict", Environment=names("old"))
    functions.publish_version(FunctionName="predict")
    capacity = Capacity(shop.client, PROPS | {"version": "3"}, threading.Event(), lambda _: None)
    with capacity.held():
        assert shop.suspended() == {"old": True, "new": True}


def test_nothing_is_held_where_nothing_moves(shop: Shop) -> None:
    shop.move()
    capacity, said = shop.capacity()
    with capacity.held():
        assert shop.suspended() == {"old": False, "new": False}
    assert said == []
    assert shop.instances("new") == 2


def test_an_interrupted_wait_for_instances_shifts_nothing(shop: Shop) -> None:
    cancelled = threading.Event()
    cancelled.set()
    capacity, _ = shop.capacity(cancelled)
    with pytest.raises(CapacityError, match="interrupted while endpoint new"), capacity.held():
        raise AssertionError("the shift began")
    assert shop.suspended() == {"old": False, "new": False}


def _entered(capacity: Capacity) -> AbstractContextManager[None]:
    """A holder whose end never comes, as in a process that is killed."""
    manager = capacity.held()
    manager.__enter__()
    return manager
