"""What a release makes and reads: endpoints, monitoring, invokes, and providers that work as a role."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from rehearsal.provider.values import reveal
from tests.rehearsal.provider.conftest import ACCOUNT, REGION
from tests.rehearsal.provider.harness import CheckFailed, Engine
from tests.rehearsal.provider.test_types import World, policy, settled, trust

ENDPOINT, SCHEDULE = "aws:sagemaker/endpoint:Endpoint", "aws:sagemaker/monitoringSchedule:MonitoringSchedule"
DEFINITION = "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition"
ANALYZER = "468650794304.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-model-monitor-analyzer"
Boto = Callable[[str], Any]


@pytest.fixture
def world(engine: Engine, unique: str) -> World:
    return World(engine, unique)


def test_an_endpoint_is_updated_and_deleted(world: World, boto: Boto) -> None:
    engine, client = world.engine, boto("sagemaker")
    inputs = {"endpointConfigName": world.endpoint_configuration(), "tags": {"a": "b"}}
    made = engine.create(ENDPOINT, f"{world.unique}-it", inputs)
    settled(engine, made, inputs)
    wanted = inputs | {"endpointConfigName": world.endpoint_configuration(), "tags": {"c": "d"}}
    assert engine.diff(made, wanted).replaces == []
    made = engine.update(made, wanted)
    settled(engine, made, wanted)
    answer = client.describe_endpoint(EndpointName=made.id)
    assert (answer["EndpointConfigName"], answer["EndpointStatus"]) == (wanted["endpointConfigName"], "InService")
    assert engine.diff(made, wanted | {"name": "another"}).replaces == ["name"]
    engine.delete(made)
    assert engine.read(made).id == ""


def definition(world: World) -> dict[str, Any]:
    endpoint = world.make(ENDPOINT, endpointConfigName=world.endpoint_configuration()).id
    where = "s3://bucket/monitor"
    return {
        "roleArn": world.role("sagemaker.amazonaws.com"),
        "dataQualityAppSpecification": {"imageUri": ANALYZER},
        "dataQualityJobInput": {"endpointInput": {"endpointName": endpoint}},
        "dataQualityBaselineConfig": {
            "constraintsResource": {"s3Uri": f"{where}/constraints.json"},
            "statisticsResource": {"s3Uri": f"{where}/statistics.json"},
        },
        "dataQualityJobOutputConfig": {"monitoringOutputs": {"s3Output": {"s3Uri": where}}},
        "jobResources": {"clusterConfig": {"instanceCount": 1, "instanceType": "ml.m5.large", "volumeSizeInGb": 20}},
    }


def schedule(name: str, expression: str) -> dict[str, Any]:
    return {
        "monitoringScheduleConfig": {
            "monitoringJobDefinitionName": name,
            "monitoringType": "DataQuality",
            "scheduleConfig": {"scheduleExpression": expression},
        }
    }


def test_a_schedule_and_its_definition_live(world: World) -> None:
    engine = world.engine
    inputs = definition(world)
    job = engine.create(DEFINITION, f"{world.unique}-job", inputs)
    settled(engine, job, inputs)
    # No update sends another role: the difference stays for ever.
    other = inputs | {"roleArn": "arn:aws:iam::123456789012:role/other"}
    assert (engine.diff(job, other).changed, engine.diff(job, other).replaces) == (["roleArn"], [])
    assert engine.diff(engine.update(job, other), other).changed == ["roleArn"]

    hourly = schedule(str(job.get("name")), "cron(0 * ? * * *)")
    made = engine.create(SCHEDULE, f"{world.unique}-it", hourly)
    settled(engine, made, hourly)
    daily = schedule(str(job.get("name")), "cron(0 5 ? * * *)")
    assert engine.diff(made, daily).replaces == []
    made = engine.update(made, daily)
    settled(engine, made, daily)
    for resource in (made, job):
        engine.delete(resource)
        assert engine.read(resource).id == ""


def test_a_policy_of_a_package_group_lives(world: World) -> None:
    engine, group = world.engine, f"{world.unique}-group"
    token = "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy"
    made = world.make("aws:sagemaker/modelPackageGroup:ModelPackageGroup", modelPackageGroupName=group)
    arn = str(made.get("arn"))
    inputs = {
        "modelPackageGroupName": group,
        "resourcePolicy": policy("sagemaker:DescribeModelPackage", arn, {"AWS": ACCOUNT}),
    }
    rule = engine.create(token, "it", inputs)
    settled(engine, rule, inputs)
    wanted = inputs | {"resourcePolicy": policy("sagemaker:ListModelPackages", arn, {"AWS": ACCOUNT})}
    rule = engine.update(rule, wanted)
    settled(engine, rule, wanted)
    engine.delete(rule)
    assert engine.read(rule).id == ""


def test_an_object_is_read_with_its_checksum(world: World, boto: Boto) -> None:
    bucket, text = world.bucket(), '{"id": "r"}'
    s3 = boto("s3")
    for key, kind in (("manifest.json", "application/json"), ("model.tar.gz", "application/gzip")):
        s3.put_object(Bucket=bucket, Key=key, Body=text, ContentType=kind, ChecksumAlgorithm="SHA256")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    token = "aws:s3/getObject:getObject"
    manifest = world.engine.invoke(token, {"bucket": bucket, "key": "manifest.json", "checksumMode": "ENABLED"})
    assert (manifest["body"], manifest["checksumSha256"]) == (text, digest)
    artifact = world.engine.invoke(token, {"bucket": bucket, "key": "model.tar.gz", "checksumMode": "ENABLED"})
    assert artifact["checksumSha256"] == digest
    assert artifact.get("body") is None
    with pytest.raises(grpc.RpcError, match="getObject"):
        world.engine.invoke(token, {"bucket": bucket, "key": "nothing"})


def test_parameters_of_a_path_are_read(world: World, boto: Boto) -> None:
    ssm = boto("ssm")
    for number in range(12):
        ssm.put_parameter(Name=f"/{world.unique}/dev/p{number:02}", Value=f"v{number}", Type="String")
    token = "aws:ssm/getParametersByPath:getParametersByPath"
    found = world.engine.invoke(token, {"path": f"/{world.unique}/dev"})
    assert dict(zip(found["names"], reveal(found["values"]), strict=True)) == {
        f"/{world.unique}/dev/p{number:02}": f"v{number}" for number in range(12)
    }
    assert world.engine.invoke(token, {"path": f"/{world.unique}/prod"})["names"] == []


def test_a_function_is_read_as_its_alias_has_it(world: World, boto: Boto) -> None:
    function, lambda_ = world.function(), boto("lambda")
    name = str(function.outputs["name"])
    lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=function.outputs["version"])
    lambda_.update_function_configuration(FunctionName=name, Environment={"Variables": {"RELEASE_ID": "next"}})
    token = "aws:lambda/getFunction:getFunction"
    found = world.engine.invoke(token, {"functionName": name, "qualifier": "live"})
    served = lambda_.get_function_configuration(FunctionName=name, Qualifier="live")
    assert (found["version"], found["arn"]) == (served["Version"], served["FunctionArn"].removesuffix(":live"))
    variables = (found.get("environment") or {}).get("variables") or {}
    assert variables == (served.get("Environment") or {}).get("Variables", {}) != {"RELEASE_ID": "next"}
    for missing in ({"functionName": name, "qualifier": "dead"}, {"functionName": "nothing", "qualifier": "live"}):
        with pytest.raises(grpc.RpcError, match="couldn't find resource"):
            world.engine.invoke(token, missing)


def test_other_functions(world: World) -> None:
    engine = world.engine
    assert engine.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})["accountId"] == ACCOUNT
    assert engine.invoke("aws:index/getRegion:getRegion", {})["region"] == REGION
    assert engine.invoke("aws:index/getPartition:getPartition", {})["partition"] == "aws"
    key = world.make("aws:kms/key:Key")
    world.make("aws:kms/alias:Alias", name=f"alias/{world.unique}", targetKeyId=key.id)
    assert engine.invoke("aws:kms/getAlias:getAlias", {"name": f"alias/{world.unique}"})["targetKeyId"] == key.id
    with pytest.raises(grpc.RpcError, match="does not implement the function"):
        engine.invoke("aws:ec2/getAmi:getAmi", {})


def test_a_provider_works_as_the_role_it_assumes(world: World) -> None:
    name = f"{world.unique}-deployer"
    world.make("aws:iam/role:Role", name=name, assumeRolePolicy=trust_account())
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    engine = Engine({"region": REGION, "assumeRoles": [{"roleArn": arn, "sessionName": "release", "duration": "15m"}]})
    try:
        identity = engine.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
    finally:
        engine.close()
    assert identity["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/release"


def trust_account() -> str:
    return trust("lambda.amazonaws.com").replace('"Service": "lambda.amazonaws.com"', f'"AWS": "{ACCOUNT}"')


def test_a_nested_property_without_a_place_is_refused_in_check(engine: Engine) -> None:
    config = schedule("job", "cron(0 * ? * * *)")["monitoringScheduleConfig"]
    inline = {"roleArn": "r", "baseline": {"baseliningJobName": "b"}}
    minimal = {
        "monitoringAppSpecification": {"imageUri": ANALYZER},
        "monitoringInputs": {"endpointInput": {"endpointName": "e", "localPath": "/i"}},
        "monitoringOutputConfig": {"monitoringOutputs": {"s3Output": {"s3Uri": "s3://b/k", "localPath": "/o"}}},
        "monitoringResources": {
            "clusterConfig": {"instanceCount": 1, "instanceType": "ml.m5.large", "volumeSizeInGb": 20}
        },
    }
    with pytest.raises(CheckFailed) as caught:
        engine.check(
            SCHEDULE, "it", {"monitoringScheduleConfig": {**config, "monitoringJobDefinition": inline | minimal}}
        )
    path, reason = caught.value.failures[0]
    assert path == "monitoringScheduleConfig.monitoringJobDefinition.baseline"
    assert "does not support this property" in reason
