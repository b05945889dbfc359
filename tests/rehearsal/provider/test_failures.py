"""What the state holds after a step that failed, and what is refused at plan time, as with the real provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2

from rehearsal.provider.values import UNKNOWN, Asset, Secret, from_struct
from tests.rehearsal.provider.harness import Engine, Resource, partial_state
from tests.rehearsal.provider.test_serving import ENDPOINT
from tests.rehearsal.provider.test_types import World, code, openapi

Boto = Callable[[str], Any]
API, PARAMETER, GROUP = (
    "aws:apigateway/restApi:RestApi",
    "aws:ssm/parameter:Parameter",
    "aws:codedeploy/deploymentGroup:DeploymentGroup",
)
FUNCTION, NOTEBOOK = "aws:lambda/function:Function", "aws:sagemaker/notebookInstance:NotebookInstance"
MACHINE, VERSIONING = "aws:sfn/stateMachine:StateMachine", "aws:s3/bucketVersioning:BucketVersioning"
BROKEN = "{not json"


@pytest.fixture
def world(engine: Engine, unique: str) -> World:
    return World(engine, unique)


def failed(call: Callable[[], Any], was: Resource) -> Resource:
    """The resource as the engine's state holds it after a step that failed; an updated one keeps its former inputs."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    state = partial_state(caught.value)
    assert state is not None
    assert state.reasons
    inputs = was.inputs or from_struct(state.inputs)
    return Resource(was.token, was.name, inputs, state.id, from_struct(state.properties))


def group(world: World) -> dict[str, Any]:
    return {
        "appName": world.make("aws:codedeploy/application:Application", computePlatform="Lambda").get("name"),
        "deploymentGroupName": "predict",
        "serviceRoleArn": world.role("codedeploy.amazonaws.com"),
        "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
        "deploymentStyle": {"deploymentOption": "WITH_TRAFFIC_CONTROL", "deploymentType": "BLUE_GREEN"},
    }


def test_a_failed_update_is_in_the_state_as_if_it_had_been_made(world: World) -> None:
    """pulumi/pulumi-aws#6062: the same update again finds no difference, only reads, and says success."""
    engine, inputs = world.engine, group(world)
    made = engine.create(GROUP, f"{world.unique}-it", inputs)
    wanted = inputs | {"deploymentConfigName": "Nobody.KnowsIt"}
    left = failed(lambda: engine.update(made, wanted), made)
    assert left.id == made.id
    assert left.get("deploymentConfigName") == "Nobody.KnowsIt"
    assert engine.diff(left, wanted).changed == []
    again = engine.update(left, wanted)
    assert again.get("deploymentConfigName") == "CodeDeployDefault.LambdaAllAtOnce"


def test_a_refresh_after_a_failed_update_makes_the_difference_visible(world: World) -> None:
    engine, inputs = world.engine, group(world)
    made = engine.create(GROUP, f"{world.unique}-it", inputs)
    wanted = inputs | {"deploymentConfigName": "Nobody.KnowsIt"}
    seen = engine.read(failed(lambda: engine.update(made, wanted), made))
    assert engine.diff(seen, wanted).changed == ["deploymentConfigName"]
    assert engine.diff(seen, inputs).changed == []


def test_no_read_sees_the_body_of_an_api_whose_update_failed(world: World) -> None:
    engine, inputs = world.engine, {"body": openapi("/p")}
    made = engine.create(API, f"{world.unique}-it", inputs)
    wanted = {"body": BROKEN}
    left = failed(lambda: engine.update(made, wanted), made)
    assert engine.diff(engine.read(left), wanted).changed == []


def test_an_update_without_a_change_only_reads(world: World, boto: Boto) -> None:
    """A dashboard, whose update writes whatever has changed."""
    engine, token, name = world.engine, "aws:cloudwatch/dashboard:Dashboard", f"{world.unique}-board"
    inputs = {"dashboardName": name, "dashboardBody": '{"widgets": []}'}
    made = engine.create(token, name, inputs)
    written = boto("cloudwatch").list_dashboards(DashboardNamePrefix=name)["DashboardEntries"][0]["LastModified"]
    engine.update(made, inputs)
    entries = boto("cloudwatch").list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    assert entries[0]["LastModified"] == written


def test_a_create_that_failed_halfway_keeps_all_inputs(engine: Engine, unique: str) -> None:
    left = failed(lambda: engine.create(API, unique, {"body": BROKEN}), Resource(API, unique, {}))
    assert left.inputs["body"] == BROKEN
    assert engine.diff(left, {"body": BROKEN}).changed == []


def test_secrets_of_a_failed_update_stay_secret(engine: Engine, unique: str) -> None:
    made = engine.create(API, unique, {"body": openapi("/p")})
    left = failed(lambda: engine.update(made, {"body": Secret(BROKEN)}), made)
    assert left.outputs["body"] == Secret(BROKEN)


def test_an_endpoint_that_does_not_come_into_service_has_no_id(world: World, boto: Boto) -> None:
    engine = world.engine
    role, container = world.model_parts()
    bucket, _, key = str(container["modelDataUrl"]).removeprefix("s3://").partition("/")
    boto("s3").put_object(Bucket=bucket, Key=key, Body=b"no archive")
    model = world.make("aws:sagemaker/model:Model", executionRoleArn=role, primaryContainer=container).get("name")
    variant = {"variantName": "v", "modelName": model, "instanceType": "ml.m5.large", "initialInstanceCount": 1}
    config = world.make("aws:sagemaker/endpointConfiguration:EndpointConfiguration", productionVariants=[variant])
    with pytest.raises(grpc.RpcError) as caught:
        engine.create(ENDPOINT, f"{world.unique}-bad", {"endpointConfigName": config.get("name")})
    assert "is Failed" in caught.value.details()
    assert partial_state(caught.value) is None
    found = boto("sagemaker").list_endpoints(NameContains=f"{world.unique}-bad")["Endpoints"]
    assert [endpoint["EndpointStatus"] for endpoint in found] == ["Failed"]


def test_cancel_lets_what_runs_come_to_its_end(world: World) -> None:
    world.engine.stub.Cancel(empty_pb2.Empty())
    assert world.engine.create(NOTEBOOK, f"{world.unique}-it", notebook(world)).id


def notebook(world: World) -> dict[str, Any]:
    return {"instanceType": "ml.t3.medium", "roleArn": world.role("sagemaker.amazonaws.com"), "volumeSize": 20}


def test_a_volume_that_shrinks_is_another_notebook(world: World) -> None:
    inputs = notebook(world)
    made = Resource(NOTEBOOK, "it", world.engine.check(NOTEBOOK, "it", inputs), "it", {})
    assert world.engine.diff(made, inputs | {"volumeSize": 10}).replaces == ["volumeSize"]
    assert world.engine.diff(made, inputs | {"volumeSize": 30}).replaces == []


def test_an_advanced_parameter_cannot_become_a_standard_one(engine: Engine) -> None:
    inputs = {"type": "String", "value": "v"}
    made = Resource(PARAMETER, "it", engine.check(PARAMETER, "it", inputs | {"tier": "Advanced"}), "it", {})
    assert engine.diff(made, inputs | {"tier": "Standard"}).replaces == ["tier"]
    made.inputs["tier"] = "Standard"
    assert engine.diff(made, inputs | {"tier": "Advanced"}).replaces == []


@pytest.mark.parametrize("definition", ["{}", "[]", '{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}'])
def test_a_definition_is_validated_before_anything_is_made(world: World, definition: str) -> None:
    given = {"roleArn": world.role("states.amazonaws.com"), "definition": definition}
    with pytest.raises(grpc.RpcError) as caught:
        world.engine.preview(MACHINE, "it", given)
    assert "validating Step Functions State Machine definition" in caught.value.details()
    good = given | {"definition": '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'}
    made = world.engine.create(MACHINE, f"{world.unique}-it", good)
    with pytest.raises(grpc.RpcError, match="validating"):
        world.engine.diff(made, given)
    assert world.engine.preview(MACHINE, "it", given | {"definition": UNKNOWN})


def test_a_bucket_does_not_forget_that_it_had_versions(world: World) -> None:
    inputs = {"bucket": world.bucket(), "versioningConfiguration": {"status": "Enabled"}}
    made = world.engine.create(VERSIONING, f"{world.unique}-it", inputs)
    with pytest.raises(grpc.RpcError, match="cannot be updated from 'Enabled' to 'Disabled'"):
        world.engine.diff(made, inputs | {"versioningConfiguration": {"status": "Disabled"}})


def test_how_an_api_is_imported_imports_nothing(world: World) -> None:
    made = world.engine.create(API, f"{world.unique}-it", {"body": openapi("/p")})
    made.outputs["body"] = made.inputs["body"] = BROKEN
    assert world.engine.update(made, {"body": BROKEN, "failOnWarnings": True}).id == made.id


def test_defaults_of_members_hold_where_their_object_is_given(world: World) -> None:
    given = group(world) | {"deploymentStyle": {}}
    made = Resource(GROUP, "it", world.engine.check(GROUP, "it", given), "it", {})
    style = {"deploymentStyle": {"deploymentOption": "WITHOUT_TRAFFIC_CONTROL", "deploymentType": "IN_PLACE"}}
    assert world.engine.diff(made, given | style).changed == []
    other = {"deploymentStyle": {"deploymentType": "BLUE_GREEN"}}
    assert list(world.engine.diff(made, given | other).kinds) == ["deploymentStyle.deploymentType"]


def test_a_target_has_an_automatic_id_among_its_inputs(engine: Engine) -> None:
    given = {"rule": "r", "arn": "arn:aws:sqs:eu-west-1:123456789012:q"}
    assert engine.check("aws:cloudwatch/eventTarget:EventTarget", "it", given)["targetId"].startswith("it-")


def test_a_function_whose_code_was_not_updated_keeps_its_version(world: World) -> None:
    inputs = world.function_inputs() | {"publish": True}
    made = world.engine.create(FUNCTION, f"{world.unique}-f", inputs)
    broken = inputs | {"code": code("v2"), "layers": ["arn:aws:lambda:eu-west-1:123456789012:layer:nobody:1"]}
    left = failed(lambda: world.engine.update(made, broken), made)
    again = world.engine.update(left, broken)
    assert again.get("version") == made.get("version") == "1"
    assert isinstance(again.inputs["code"], Asset)
