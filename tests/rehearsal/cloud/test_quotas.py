"""What accounts may use at once: read and raised by Service Quotas, refused by the services above it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.core import quotas
from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.lambda_support import eventually, make_function
from tests.rehearsal.cloud.sagemaker_world import CLUSTER, XGBOOST, World, variant

ENDPOINT = "ml.m5.large for endpoint usage"
CODE = "L-614B09FD"
SENTENCE = (
    "The account-level service limit '{name}' is {most} Instances, with current utilization of {used} Instances and a"
    " request delta of {more} Instances. Please use AWS Service Quotas to request an increase for this quota. If AWS"
    " Service Quotas is not available, contact AWS support to request an increase for this quota."
)


@pytest.fixture
def new(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "new_accounts", True)


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    return World(cloud, account, region)


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def value(world: World, service: str, code: str) -> float:
    found = world.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
    return float(found["Quota"]["Value"])


def test_an_established_account_has_what_was_raised_and_aws_has_its_default(world: World) -> None:
    client = world.client("service-quotas")
    assert value(world, "sagemaker", CODE) == 100
    default = client.get_aws_default_service_quota(ServiceCode="sagemaker", QuotaCode=CODE)["Quota"]
    assert (default["QuotaName"], default["Value"], default["Adjustable"]) == (ENDPOINT, 0.0, True)
    assert value(world, "lambda", "L-B99A9384") == 1000


@pytest.mark.usefixtures("new")
def test_a_new_account_has_little(world: World) -> None:
    assert value(world, "sagemaker", CODE) == 0
    assert value(world, "lambda", "L-B99A9384") == 10
    assert value(world, "codebuild", "L-9D07B6EF") == 1


def test_quotas_are_listed_in_pages(world: World) -> None:
    pages = world.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    found = [quota["QuotaName"] for page in pages for quota in page["Quotas"]]
    assert len(found) == len(set(found)) > 300
    assert {ENDPOINT, "ml.m5.xlarge for training job usage"} < set(found)


def test_what_does_not_exist_is_said(world: World) -> None:
    client = world.client("service-quotas")
    code, text = refusal(client.list_service_quotas, ServiceCode="sagemake")
    assert (code, text) == (
        "NoSuchResourceException",
        "The request failed because the specified service does not exist.",
    )
    code, _ = refusal(client.get_service_quota, ServiceCode="sagemaker", QuotaCode="L-00000000")
    assert code == "NoSuchResourceException"


@pytest.mark.usefixtures("new")
def test_an_increase_is_granted_after_a_while(world: World) -> None:
    client = world.client("service-quotas")
    wanted = {"ServiceCode": "sagemaker", "QuotaCode": CODE, "DesiredValue": 4.0}
    asked = client.request_service_quota_increase(**wanted)["RequestedQuota"]
    assert asked["Status"] == "PENDING"
    assert refusal(client.request_service_quota_increase, **wanted)[0] == "ResourceAlreadyExistsException"
    assert value(world, "sagemaker", CODE) == 0
    assert eventually(lambda: value(world, "sagemaker", CODE) == 4)
    status = client.get_requested_service_quota_change(RequestId=asked["Id"])["RequestedQuota"]["Status"]
    assert status == "APPROVED"
    assert refusal(client.request_service_quota_increase, **wanted)[0] == "IllegalArgumentException"


@pytest.mark.usefixtures("new")
def test_an_endpoint_that_the_account_may_not_have_is_refused_by_name(world: World) -> None:
    world.model("one", world.put("model.tar.gz", b""))
    world.config("one", ProductionVariants=[variant("main", "one", InitialInstanceCount=2)])
    code, text = refusal(world.sagemaker.create_endpoint, EndpointName="one", EndpointConfigName="one")
    assert (code, text) == ("ResourceLimitExceeded", SENTENCE.format(name=ENDPOINT, most=0, used=0, more=2))
    assert world.sagemaker.list_endpoints()["Endpoints"] == []


def test_a_second_fleet_and_more_instances_count_beside_the_first(
    world: World, model_archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "limit", lambda *_: 3.0)
    artifact = world.put("model.tar.gz", model_archive)
    world.endpoint("one", artifact, ProductionVariants=[variant("main", "one", InitialInstanceCount=2)])
    world.config("two", ProductionVariants=[variant("main", "one", InitialInstanceCount=2)])
    second = {"EndpointName": "two", "EndpointConfigName": "two"}
    assert refusal(world.sagemaker.create_endpoint, **second)[1].startswith(
        SENTENCE.format(name=ENDPOINT, most=3, used=2, more=2)
    )
    update = {"EndpointName": "one", "EndpointConfigName": "two"}
    assert refusal(world.sagemaker.update_endpoint, **update)[0] == "ResourceLimitExceeded"
    more = [{"VariantName": "main", "DesiredInstanceCount": 4}]
    grow = {"EndpointName": "one", "DesiredWeightsAndCapacities": more}
    assert "utilization of 2 Instances and a request delta of 2" in refusal(
        world.sagemaker.update_endpoint_weights_and_capacities, **grow
    )[1]  # fmt: skip
    assert world.endpoint_status("one")["EndpointStatus"] == "InService"
    world.sagemaker.delete_endpoint(EndpointName="one")
    world.sagemaker.create_endpoint(**second)


@pytest.mark.usefixtures("new")
def test_jobs_that_the_account_may_not_run_are_refused(world: World) -> None:
    code, text = refusal(world.sagemaker.create_training_job, **world.training("one"))
    name = "ml.m5.large for training job usage"
    assert (code, text) == ("ResourceLimitExceeded", SENTENCE.format(name=name, most=0, used=0, more=1))
    process = {
        "ProcessingJobName": "one",
        "RoleArn": world.role,
        "ProcessingResources": CLUSTER,
        "AppSpecification": {"ImageUri": XGBOOST, "ContainerEntrypoint": ["true"]},
    }
    code, text = refusal(world.sagemaker.create_processing_job, **process)
    name = "ml.m5.large for processing job usage"
    assert (code, text) == ("ResourceLimitExceeded", SENTENCE.format(name=name, most=0, used=0, more=1))
    assert world.sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


@pytest.mark.parametrize(("fresh", "reserved", "least"), [(True, 1, 10), (False, 901, 100)])
def test_what_no_function_reserves_is_kept(
    cloud: Cloud, account: str, monkeypatch: pytest.MonkeyPatch, fresh: bool, reserved: int, least: int
) -> None:
    monkeypatch.setattr(cloud, "new_accounts", fresh)
    make_function(cloud, account, "one", "def handler(event, context): return 1")
    client = cloud.client("lambda", account, "eu-west-1")
    code, text = refusal(client.put_function_concurrency, FunctionName="one", ReservedConcurrentExecutions=reserved)
    assert code == "InvalidParameterValueException"
    assert text == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below"
        f" its minimum value of [{least}]."
    )
    limits = client.get_account_settings()["AccountLimit"]
    assert limits["ConcurrentExecutions"] == limits["UnreservedConcurrentExecutions"] == (10 if fresh else 1000)


def test_functions_without_a_reservation_share_what_the_account_has(
    cloud: Cloud, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_function(cloud, account, "one", "def handler(event, context): return 1")
    client = cloud.client("lambda", account, "eu-west-1")
    assert json.load(client.invoke(FunctionName="one")["Payload"]) == 1
    monkeypatch.setattr(quotas, "limit", lambda *_: 0.0)
    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName="one")
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert caught.value.response["Reason"] == "ConcurrentInvocationLimitExceeded"
