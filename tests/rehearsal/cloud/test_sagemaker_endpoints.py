"""Endpoints: real predictions, weights, capture, shadows, blue/green updates, and AWS's refusals."""

import io
import json
import tarfile
import threading
import time
from typing import Any

import pytest
import xgboost

from functions.judge.counts import NOTHING, Counts
from functions.judge.record import FAILED, SLOW
from operate.minutes import Contest, minutes
from rehearsal.cloud.containers.xgboost_serve import ContainerError
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.services.sagemaker import endpoints
from tests.rehearsal.cloud.sagemaker_world import World, refused, rows, variant, wait


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    return World(cloud, account, region)


@pytest.fixture
def artifact(world: World, model_archive: bytes) -> str:
    return world.put("model/model.tar.gz", model_archive)


def features(count: int, shift: float = 0.0) -> list[list[float]]:
    return [line[1:] for line in rows(count, seed=7, shift=shift)]


def booster(world: World, uri: str) -> xgboost.Booster:
    model = xgboost.Booster()
    with tarfile.open(fileobj=io.BytesIO(world.get(uri))) as tar:
        model.load_model(bytearray(tar.extractfile("xgboost-model").read()))  # type: ignore[union-attr]
    return model


def test_an_endpoint_needs_its_key(world: World, artifact: str) -> None:
    """SageMaker encrypts the volumes by a grant on the key: one that is switched off grants nothing."""
    kms = world.client("kms")
    key = kms.create_key()["KeyMetadata"]
    world.model("locked", artifact)
    world.config("locked", KmsKeyId=key["Arn"])
    kms.disable_key(KeyId=key["KeyId"])
    with refused(world.sagemaker, "ValidationException", f"{key['Arn']} is disabled."):
        world.sagemaker.create_endpoint(EndpointName="locked", EndpointConfigName="locked")
    kms.enable_key(KeyId=key["KeyId"])
    world.sagemaker.create_endpoint(EndpointName="locked", EndpointConfigName="locked")
    assert world.endpoint_status("locked")["EndpointStatus"] == "InService"


def invocations(world: World, endpoint: str, name: str, metric: str = "Invocations") -> float:
    """Sum of a metric of one variant."""
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": name}]
    points = world.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker", MetricName=metric, Dimensions=dimensions, Period=86400,
        StartTime=time.time() - 86400, EndTime=time.time() + 86400, Statistics=["Sum"],
    )["Datapoints"]  # fmt: skip
    return float(sum(point["Sum"] for point in points))


def captured(world: World, prefix: str) -> list[dict[str, Any]]:
    keys = wait(lambda: world.keys(prefix), bool)
    return [json.loads(line) for key in keys for line in world.get(world.uri(key)).decode().splitlines()]


def test_predictions_are_the_models_own(world: World, artifact: str) -> None:
    endpoint = world.endpoint("e1", artifact)
    assert endpoint["EndpointStatus"] == "InService", endpoint
    lines = features(5)
    import numpy

    expected = booster(world, artifact).inplace_predict(numpy.array(lines, dtype=numpy.float32)).tolist()
    answer = world.predict("e1", lines)
    assert answer["ContentType"].startswith("text/csv")
    assert [float(score) for score in answer["Body"].read().decode().split("\n")] == expected
    answer = world.predict("e1", lines, Accept="application/json")
    assert [item["score"] for item in json.loads(answer["Body"].read())["predictions"]] == expected
    assert answer["InvokedProductionVariant"] == "main"


def test_capture_writes_the_real_layout(world: World, artifact: str) -> None:
    world.endpoint("e2", artifact, DataCaptureConfig=world.capture())
    answer = world.predict("e2", features(2), InferenceId="mine-1", CustomAttributes="tour")
    body = answer["Body"].read().decode()
    assert answer["CustomAttributes"] == "tour"
    record = captured(world, "capture/e2/main/")[0]
    key = world.keys("capture/e2/main/")[0]
    assert len(key.split("/")) == 8
    assert key.endswith(".jsonl")
    side = record["captureData"]["endpointInput"]
    assert (side["observedContentType"], side["mode"], side["encoding"]) == ("text/csv", "INPUT", "CSV")
    assert record["captureData"]["endpointOutput"]["data"] == body
    assert record["eventMetadata"]["inferenceId"] == "mine-1"
    assert record["eventVersion"] == "0"


def test_a_callers_mistake_is_a_model_error_with_the_status(world: World, artifact: str) -> None:
    world.endpoint("e3", artifact)
    for body, kind, status in (
        (b"1,2", "text/csv", 400),
        (b"a,b,c", "text/csv", 415),
        (b"{}", "application/json", 415),
        (b"1,2,1e39", "text/csv", 415),
        (b"1,2,3.4028235677973366e38", "text/csv", 415),
    ):
        with pytest.raises(world.runtime.exceptions.ModelError) as caught:
            world.runtime.invoke_endpoint(EndpointName="e3", Body=body, ContentType=kind)
        response = caught.value.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert response["OriginalStatusCode"] == status
        assert response["OriginalMessage"]
    with refused(world.runtime, "ValidationError", f"Endpoint nope of account {world.account} not found."):
        world.predict("nope", features(1))


def test_weights_targets_and_metrics(world: World, artifact: str) -> None:
    world.model("m-a", artifact)
    world.model("m-b", artifact)
    both = [variant("a", "m-a", InitialVariantWeight=1.0), variant("b", "m-b", InitialVariantWeight=0.0)]
    world.endpoint("e4", artifact, ProductionVariants=both)
    assert {world.predict("e4", features(1))["InvokedProductionVariant"] for _ in range(20)} == {"a"}
    assert world.predict("e4", features(1), TargetVariant="b")["InvokedProductionVariant"] == "b"
    world.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="e4",
        DesiredWeightsAndCapacities=[
            {"VariantName": "a", "DesiredWeight": 0.0},
            {"VariantName": "b", "DesiredInstanceCount": 3, "DesiredWeight": 1},
        ],
    )  # fmt: skip
    updating = world.sagemaker.describe_endpoint(EndpointName="e4")
    assert updating["EndpointStatus"] == "Updating"
    (_, other) = updating["ProductionVariants"]
    assert (other["CurrentInstanceCount"], other["DesiredInstanceCount"], other["CurrentWeight"]) == (1, 3, 0.0)
    assert world.predict("e4", features(1))["InvokedProductionVariant"] == "a"
    found = {item["VariantName"]: item for item in world.endpoint_status("e4")["ProductionVariants"]}
    assert found["b"]["CurrentInstanceCount"] == 3
    assert {world.predict("e4", features(1))["InvokedProductionVariant"] for _ in range(20)} == {"b"}
    metrics = world.client("cloudwatch").list_metrics(Namespace="AWS/SageMaker")["Metrics"]
    assert {"Invocations", "ModelLatency", "OverheadLatency"} <= {item["MetricName"] for item in metrics}


def test_a_shadow_gets_a_copy(world: World, artifact: str) -> None:
    world.model("m-s", artifact)
    endpoint = world.endpoint(
        "e5", artifact, ShadowProductionVariants=[variant("dark", "m-s")], DataCaptureConfig=world.capture()
    )
    assert [item["VariantName"] for item in endpoint["ShadowProductionVariants"]] == ["dark"]
    assert world.predict("e5", features(1))["InvokedProductionVariant"] == "main"
    assert captured(world, "capture/e5/dark/")


def test_a_shadow_gets_its_share_by_weight(world: World, artifact: str) -> None:
    world.model("m-s", artifact)
    dark = variant("dark", "m-s", InitialVariantWeight=0.5)
    main = variant("main", "e10", InitialVariantWeight=2.0)
    world.endpoint("e10", artifact, ProductionVariants=[main], ShadowProductionVariants=[dark])
    asked = 200
    for _ in range(asked):
        world.predict("e10", features(1))
    copies = wait(lambda: invocations(world, "e10", "dark"), lambda count: count > 0)
    # A quarter of the requests; six standard deviations are 37.
    assert abs(copies - asked / 4) < 37, copies
    assert invocations(world, "e10", "main") == asked
    with refused(world.runtime, "ValidationError", "Variant dark not found"):
        world.predict("e10", features(1), TargetVariant="dark")


def test_a_shadow_that_fails_or_hangs_is_nobodys_trouble(
    world: World, artifact: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.model("m-s", artifact)
    world.endpoint("e11", artifact, ShadowProductionVariants=[variant("dark", "m-s")])
    deployment = endpoints.serving(world.cloud, world.account, world.region, "e11")
    released = threading.Event()

    def hang(*_: Any) -> Any:
        released.wait(20)
        raise ContainerError(500, "the shadow's model is broken")

    monkeypatch.setattr(deployment.shadows[0].model, "invoke", hang)
    asked = 40
    for _ in range(asked):
        assert world.predict("e11", features(1))["InvokedProductionVariant"] == "main"
    # Nothing waited for the shadow, and what it could not take on was not piled up for it.
    assert invocations(world, "e11", "main") == asked
    assert invocations(world, "e11", "dark") == 0
    released.set()
    assert 0 < wait(lambda: invocations(world, "e11", "dark", "Invocation5XXErrors"), bool) <= 8
    assert invocations(world, "e11", "main", "Invocation5XXErrors") == 0


def test_weights_split_the_requests(world: World, artifact: str) -> None:
    world.model("m-a", artifact)
    world.model("m-b", artifact)
    both = [variant("a", "m-a", InitialVariantWeight=3.0), variant("b", "m-b", InitialVariantWeight=1.0)]
    world.endpoint("e12", artifact, ProductionVariants=both)
    asked = 200
    answered = [world.predict("e12", features(1))["InvokedProductionVariant"] for _ in range(asked)]
    # A quarter of the requests; six standard deviations are 37.
    assert abs(answered.count("b") - asked / 4) < 37
    assert invocations(world, "e12", "b") == answered.count("b")
    # Each of them took longer than no time at all.
    contest = Contest("e12", time.time() - 120, "1", "Glidepath", "taxi-prod", 0.0)
    found, _ = minutes(world.client("cloudwatch"), contest, "b", "a", time.time() + 400)
    counted = {metric: sum(each, NOTHING) for metric, each in found.items()}
    of_a, of_b = answered.count("a"), answered.count("b")
    assert counted == {FAILED: Counts(of_a, 0, of_b, 0), SLOW: Counts(of_a, of_a, of_b, of_b)}


def test_what_an_endpoint_cannot_have(world: World, artifact: str) -> None:
    for name in ("m-a", "m-b", "m-s"):
        world.model(name, artifact)
    pair, dark = [variant("a", "m-a"), variant("b", "m-b")], variant("dark", "m-s")
    with refused(world.sagemaker, "ValidationException", "exactly one production variant"):
        world.config("c1", ProductionVariants=pair, ShadowProductionVariants=[dark])
    with refused(world.sagemaker, "ValidationException", "Variant names must be unique"):
        world.config("c2", ProductionVariants=pair[:1], ShadowProductionVariants=[variant("a", "m-s")])
    with refused(world.sagemaker, "ValidationException", "less than or equal to 10"):
        world.config("c3", ProductionVariants=[variant(f"v{number}", "m-a") for number in range(11)])
    world.endpoint("e13", artifact, ProductionVariants=pair)
    for wanted, reason in (
        ([{"VariantName": "a", "DesiredWeight": 0}, {"VariantName": "b", "DesiredWeight": 0}], "must be greater"),
        ([{"VariantName": "c", "DesiredWeight": 1}], "has no variant c"),
        ([{"VariantName": name, "DesiredInstanceCount": 2} for name in "ab"], "capacity of one variant"),
        ([{"VariantName": "a", "DesiredInstanceCount": 0}], "at least 1"),
    ):
        with refused(world.sagemaker, "ValidationException", reason):
            world.sagemaker.update_endpoint_weights_and_capacities(
                EndpointName="e13", DesiredWeightsAndCapacities=wanted
            )


def test_an_update_keeps_the_old_model_until_the_new_one_serves(world: World, artifact: str) -> None:
    world.endpoint("e6", artifact)
    before = world.predict("e6", features(1))["Body"].read()
    world.put("broken/model.tar.gz", b"no archive")
    world.model("bad", world.uri("broken/model.tar.gz"))
    world.config("bad-config", ProductionVariants=[variant("main", "bad")])
    world.sagemaker.update_endpoint(EndpointName="e6", EndpointConfigName="bad-config")
    endpoint = world.endpoint_status("e6")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "e6")
    assert "health check" in endpoint["FailureReason"]
    assert world.predict("e6", features(1))["Body"].read() == before
    world.model("good", artifact)
    world.config("good-config", ProductionVariants=[variant("main", "good", InitialVariantWeight=0.5)])
    world.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="e6", DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 4}]
    )
    with refused(world.sagemaker, "ValidationException", "while it is in status Updating"):
        world.sagemaker.delete_endpoint(EndpointName="e6")
    world.endpoint_status("e6")
    world.sagemaker.update_endpoint(
        EndpointName="e6", EndpointConfigName="good-config", RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )  # fmt: skip
    endpoint = world.endpoint_status("e6")
    found = endpoint["ProductionVariants"][0]
    assert endpoint["EndpointConfigName"] == "good-config"
    assert (found["CurrentInstanceCount"], found["CurrentWeight"]) == (4, 0.5)


def test_a_broken_artifact_fails_the_endpoint(world: World) -> None:
    world.put("broken/model.tar.gz", b"no archive")
    endpoint = world.endpoint("e7", world.uri("broken/model.tar.gz"))
    assert endpoint["EndpointStatus"] == "Failed"
    assert "model.tar.gz" in endpoint["FailureReason"]


def test_refusals(world: World, artifact: str) -> None:
    with refused(world.sagemaker, "ValidationException", "Could not access model data", "nothing.tar.gz"):
        world.model("m1", world.uri("nothing.tar.gz"))
    with refused(world.sagemaker, "ValidationException", "Could not find model"):
        world.config("c1", ProductionVariants=[variant("main", "never")])
    with refused(world.sagemaker, "ValidationException", "Could not find endpoint configuration"):
        world.sagemaker.create_endpoint(EndpointName="e8", EndpointConfigName="never")
    for ask in ("endpoint", "endpoint_config", "model"):
        name = {"endpoint": "EndpointName", "endpoint_config": "EndpointConfigName", "model": "ModelName"}[ask]
        with refused(world.sagemaker, "ValidationException", "Could not find"):
            getattr(world.sagemaker, f"describe_{ask}")(**{name: "never"})


def test_deleted_is_gone_and_the_inventory_says_what_is_left(world: World, artifact: str) -> None:
    from rehearsal.cloud.services.sagemaker.state import live

    world.endpoint("e9", artifact)
    assert len(live(world.cloud, world.account)) == 3
    world.sagemaker.delete_endpoint(EndpointName="e9")
    world.sagemaker.delete_endpoint_config(EndpointConfigName="e9")
    world.sagemaker.delete_model(ModelName="e9")
    assert live(world.cloud, world.account) == []
    with refused(world.runtime, "ValidationError", "not found"):
        world.predict("e9", features(1))
