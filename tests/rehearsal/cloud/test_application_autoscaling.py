"""Endpoint variants that scale: what is refused, when a policy acts, and what it leaves behind."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import Place, Sample
from rehearsal.cloud.services.application_autoscaling.tracking import Change, Tracking, decide
from tests.rehearsal.cloud.sagemaker_world import World, refused, variant

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
NEVER = float("inf")
TRACKING = Tracking(target=100, minimum=1, maximum=5, out_cooldown=60, in_cooldown=120)


@pytest.mark.parametrize(
    ("current", "points", "since_out", "since_in", "expected"),
    [
        (1, [250.0] * 3, NEVER, NEVER, Change(3, "AlarmHigh")),
        (4, [250.0] * 3, NEVER, NEVER, Change(5, "AlarmHigh")),
        (5, [250.0] * 3, NEVER, NEVER, None),
        (1, [250.0, 90.0, 250.0], NEVER, NEVER, None),
        (1, [250.0, None, 250.0], NEVER, NEVER, None),
        (1, [250.0] * 3, 59, NEVER, None),
        (1, [250.0] * 3, 60, 1, Change(3, "AlarmHigh")),
        (4, [20.0] * 15, NEVER, NEVER, Change(1, "AlarmLow")),
        (4, [60.0] * 15, NEVER, NEVER, Change(3, "AlarmLow")),
        (4, [20.0] * 14 + [95.0], NEVER, NEVER, None),
        (4, [None] * 15, NEVER, NEVER, None),
        (4, [20.0] * 15, NEVER, 119, None),
        (4, [20.0] * 15, 119, NEVER, None),
        (1, [20.0] * 15, NEVER, NEVER, None),
    ],
)
def test_decisions(
    current: int, points: list[float | None], since_out: float, since_in: float, expected: Change | None
) -> None:
    padded = [None] * (15 - len(points)) + points
    assert decide(TRACKING, current, padded, since_out, since_in) == expected


def test_what_is_suspended_does_not_happen() -> None:
    assert decide(Tracking(100, 1, 5, may_scale_out=False), 1, [250.0] * 15, NEVER, NEVER) is None
    assert decide(Tracking(100, 1, 5, may_scale_in=False), 4, [20.0] * 15, NEVER, NEVER) is None


@pytest.fixture
def world(cloud: Cloud, account: str, region: str, model_archive: bytes) -> World:
    """An account with the endpoint `live`."""
    made = World(cloud, account, region)
    made.endpoint("live", made.put("model.tar.gz", model_archive))
    return made


def where(endpoint: str = "live", name: str = "main") -> dict[str, Any]:
    return {
        "ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{endpoint}/variant/{name}",
        "ScalableDimension": DIMENSION,
    }  # fmt: skip


def put_policy(client: Any, policy: str = "track", **settings: Any) -> None:
    client.put_scaling_policy(
        PolicyName=policy, PolicyType="TargetTrackingScaling", **where(),
        TargetTrackingScalingPolicyConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            **settings,
        },
    )  # fmt: skip


def instances(world: World) -> int:
    described = world.sagemaker.describe_endpoint(EndpointName="live")
    return int(described["ProductionVariants"][0]["CurrentInstanceCount"])


@contextmanager
def asked(world: World, per_minute: float) -> Iterator[None]:
    """As if the endpoint were asked so often in each minute of AWS's, however long the machine makes it last."""
    dimensions = {"EndpointName": "live", "VariantName": "main"}
    going = True

    def ask() -> None:
        if going:
            sample = Sample("AWS/SageMaker", "InvocationsPerInstance", dimensions, per_minute)
            world.cloud.put_metric(Place(world.account, world.region), sample)

    world.cloud.clock.before_minute_ends(ask)
    yield
    going = False


def becomes(world: World, count: int, minutes: int = 60) -> None:
    """Waits until the variant has so many instances, by AWS's time."""
    until = world.cloud.clock.seconds() + 60 * minutes
    while instances(world) != count:
        assert world.cloud.clock.seconds() < until, f"still {instances(world)} instances after {minutes} minutes"
        time.sleep(0.02)


def test_targets_that_cannot_be_scaled_are_refused(world: World) -> None:
    client = world.client("application-autoscaling")
    limits = {"MinCapacity": 1, "MaxCapacity": 4}
    with refused(client, "ValidationException", "endpoint/gone/variant/main"):
        client.register_scalable_target(**where("gone"), **limits)
    with refused(client, "ValidationException", "endpoint/live/variant/other"):
        client.register_scalable_target(**where(name="other"), **limits)
    with refused(client, "ValidationException", "MaxCapacity"):
        client.register_scalable_target(**where(), MinCapacity=1)
    with refused(client, "ValidationException", "cannot be less than minimum"):
        client.register_scalable_target(**where(), MinCapacity=3, MaxCapacity=2)
    with refused(client, "NotImplemented", "dynamodb:table:ReadCapacityUnits"):
        client.register_scalable_target(
            ServiceNamespace="dynamodb", ResourceId="table/t", ScalableDimension="dynamodb:table:ReadCapacityUnits",
            **limits,
        )  # fmt: skip
    with refused(client, "ObjectNotFoundException", "endpoint/live"):
        put_policy(client, TargetValue=5)
    client.register_scalable_target(**where(), **limits)
    with refused(client, "NotImplemented", "StepScaling"):
        client.put_scaling_policy(PolicyName="s", PolicyType="StepScaling", **where())
    with refused(client, "NotImplemented", "SageMakerInferenceComponentInvocationsPerCopy"):
        put_policy(
            client, TargetValue=5,
            PredefinedMetricSpecification={"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"},
        )  # fmt: skip
    put_policy(client, TargetValue=5)
    put_policy(client, TargetValue=6)
    with refused(client, "ValidationException", "Only one TargetTrackingScaling policy for a given metric"):
        put_policy(client, "another", TargetValue=5)


def test_a_busy_variant_grows_within_its_limits(world: World) -> None:
    client = world.client("application-autoscaling")
    client.register_scalable_target(**where(), MinCapacity=1, MaxCapacity=3)
    target = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"][0]
    assert target["RoleARN"].endswith("/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    put_policy(client, TargetValue=1, ScaleInCooldown=6000, ScaleOutCooldown=60)
    with asked(world, 2):
        becomes(world, 3)
    activity = client.describe_scaling_activities(**where())["ScalingActivities"][0]
    assert activity["StatusCode"] == "Successful"
    assert activity["Description"] == "Setting desired instance count to 3."
    assert "AlarmHigh" in activity["Cause"]
    used = world.cloud.ledger.snapshot()[target["RoleARN"]]
    assert "sagemaker:UpdateEndpointWeightsAndCapacities" in str(used)


def test_a_quiet_variant_shrinks_and_an_idle_one_does_not(world: World) -> None:
    client = world.client("application-autoscaling")
    wanted = [{"VariantName": "main", "DesiredInstanceCount": 4}]
    world.sagemaker.update_endpoint_weights_and_capacities(EndpointName="live", DesiredWeightsAndCapacities=wanted)
    world.endpoint_status("live")
    client.register_scalable_target(**where(), MinCapacity=2, MaxCapacity=4)
    put_policy(client, TargetValue=100, ScaleInCooldown=60, ScaleOutCooldown=60)
    world.cloud.clock.sleep(20 * 60)
    assert instances(world) == 4
    with asked(world, 10):
        becomes(world, 2)
    assert "AlarmLow" in client.describe_scaling_activities(**where())["ScalingActivities"][0]["Cause"]


def test_what_is_suspended_stays_so_until_it_is_resumed(world: World) -> None:
    client = world.client("application-autoscaling")
    wanted = [{"VariantName": "main", "DesiredInstanceCount": 4}]
    world.sagemaker.update_endpoint_weights_and_capacities(EndpointName="live", DesiredWeightsAndCapacities=wanted)
    world.endpoint_status("live")
    client.register_scalable_target(**where(), MinCapacity=2, MaxCapacity=4)
    client.register_scalable_target(**where(), SuspendedState={"DynamicScalingInSuspended": True})
    # Limits are changed without a word of the state: it stays, as whatever a request does not name.
    client.register_scalable_target(**where(), MinCapacity=1, MaxCapacity=5)
    (target,) = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True, "DynamicScalingOutSuspended": False, "ScheduledScalingSuspended": False,
    }  # fmt: skip
    put_policy(client, TargetValue=100, ScaleInCooldown=60, ScaleOutCooldown=60)
    with asked(world, 10):
        world.cloud.clock.sleep(20 * 60)
        assert instances(world) == 4
        client.register_scalable_target(**where(), SuspendedState={"DynamicScalingInSuspended": False})
        becomes(world, 1)


def test_limits_hold_also_where_nobody_asks(world: World) -> None:
    client = world.client("application-autoscaling")
    client.register_scalable_target(**where(), MinCapacity=2, MaxCapacity=4)
    put_policy(client, TargetValue=100)
    becomes(world, 2)
    client.register_scalable_target(**where(), MinCapacity=1, MaxCapacity=1)
    becomes(world, 1)
    causes = [item["Cause"] for item in client.describe_scaling_activities(**where())["ScalingActivities"]]
    assert causes == ["maximum capacity was set to 1", "minimum capacity was set to 2"]


def test_a_target_takes_its_policies_along(world: World) -> None:
    client = world.client("application-autoscaling")
    client.register_scalable_target(**where(), MinCapacity=1, MaxCapacity=4)
    put_policy(client, TargetValue=100)
    # Whose dimension may be left out.
    place = {"ServiceNamespace": "sagemaker", "ResourceId": where()["ResourceId"]}
    assert len(client.describe_scaling_policies(**place)["ScalingPolicies"]) == 1
    client.deregister_scalable_target(**where())
    assert client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []
    with refused(client, "ObjectNotFoundException", "endpoint/live/variant/main"):
        client.deregister_scalable_target(**where())


def test_the_metric_counts_per_instance(world: World) -> None:
    world.model("two", world.uri("model.tar.gz"))
    world.config("two", ProductionVariants=[variant("main", "two", InitialInstanceCount=4)])
    world.sagemaker.create_endpoint(EndpointName="two", EndpointConfigName="two")
    world.endpoint_status("two")
    for _ in range(4):
        world.predict("two", [[12.0, 1.0, 2.0]])
    dimensions = [{"Name": "EndpointName", "Value": "two"}, {"Name": "VariantName", "Value": "main"}]
    (point,) = world.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker", MetricName="InvocationsPerInstance", Dimensions=dimensions, Period=86400,
        StartTime=time.time() - 86400, EndTime=time.time() + 86400, Statistics=["Sum"],
    )["Datapoints"]  # fmt: skip
    assert point["Sum"] == 1
