"""The model registry and notebook instances: versions, approvals, filters, and the states of a notebook."""

import json
from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.sagemaker_world import XGBOOST, World, refused, wait

GROUP = "trips"


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    made = World(cloud, account, region)
    made.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    made.put("model.tar.gz", b"a model")
    return made


def register(world: World, **more: Any) -> str:
    container = {"Image": XGBOOST, "ModelDataUrl": world.uri("model.tar.gz")}
    answer = world.sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"],
        },
        **more,
    )  # fmt: skip
    return str(answer["ModelPackageArn"])


def versions(world: World, **filters: Any) -> list[int]:
    found = world.sagemaker.list_model_packages(ModelPackageGroupName=GROUP, **filters)["ModelPackageSummaryList"]
    return [item["ModelPackageVersion"] for item in found]


def test_versions_count_up_and_are_never_used_again(world: World) -> None:
    first, second = register(world), register(world)
    assert (first.rsplit("/", 1)[-1], second.rsplit("/", 1)[-1]) == ("1", "2")
    world.sagemaker.delete_model_package(ModelPackageName=second)
    assert register(world).endswith(f"{world.account}:model-package/{GROUP}/3")
    assert versions(world) == [1, 3]
    assert versions(world, SortOrder="Descending") == [3, 1]
    page = world.sagemaker.list_model_packages(ModelPackageGroupName=GROUP, MaxResults=1)
    assert [item["ModelPackageVersion"] for item in page["ModelPackageSummaryList"]] == [1]
    assert versions(world, MaxResults=1, NextToken=page["NextToken"]) == [3]


def test_an_approval_is_kept_filtered_by_and_announced(world: World) -> None:
    sqs, events = world.client("sqs"), world.client("events")
    url = sqs.create_queue(QueueName="approvals")["QueueUrl"]
    arn = f"arn:aws:sqs:{world.region}:{world.account}:approvals"
    statement = {
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": arn,
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    pattern = {"source": ["aws.sagemaker"], "detail": {"ModelApprovalStatus": ["Approved"]}}
    events.put_rule(Name="approved", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="approved", Targets=[{"Id": "1", "Arn": arn}])
    waiting, good = register(world), register(world)
    assert world.sagemaker.describe_model_package(ModelPackageName=good)["ModelApprovalStatus"] == (
        "PendingManualApproval"
    )
    world.sagemaker.update_model_package(
        ModelPackageArn=good, ModelApprovalStatus="Approved", ApprovalDescription="beats the champion",
        CustomerMetadataProperties={"rmse": "2.5"},
    )  # fmt: skip
    described = world.sagemaker.describe_model_package(ModelPackageName=good)
    assert (described["ApprovalDescription"], described["CustomerMetadataProperties"]) == (
        "beats the champion", {"rmse": "2.5"},
    )  # fmt: skip
    assert versions(world, ModelApprovalStatus="Approved") == [2]
    assert versions(world, ModelApprovalStatus="PendingManualApproval") == [1]
    assert versions(world, ModelApprovalStatus="Rejected") == []
    (message,) = wait(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []), bool)
    event = json.loads(message["Body"])
    assert event["detail-type"] == "SageMaker Model Package State Change"
    assert event["resources"] == [good]
    assert waiting != good


def test_what_the_registry_refuses(world: World) -> None:
    client = world.sagemaker
    with refused(client, "ValidationException", "already exists"):
        client.create_model_package_group(ModelPackageGroupName=GROUP)
    with refused(client, "ValidationException", "does not exist"):
        client.list_model_packages(ModelPackageGroupName="other")
    with refused(client, "ValidationException", "gone.tar.gz"):
        container = {"Image": XGBOOST, "ModelDataUrl": world.uri("gone.tar.gz")}
        client.create_model_package(ModelPackageGroupName=GROUP, InferenceSpecification={"Containers": [container]})
    package = register(world)
    with refused(client, "ConflictException", "still has model packages"):
        client.delete_model_package_group(ModelPackageGroupName=GROUP)
    with refused(client, "ValidationException", "Approve"):
        client.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approve")
    for why in ("x" * 1025, "two\nlines"):
        with refused(client, "ValidationException", "approvalDescription"):
            client.update_model_package(ModelPackageArn=package, ApprovalDescription=why)
    with refused(client, "ValidationException", "customerMetadataProperties"):
        client.update_model_package(ModelPackageArn=package, CustomerMetadataProperties={"why": "<no>"})
    for member, value in {"ModelLifeCycle": {"Stage": "s", "StageStatus": "t"}, "ModelCard": {}}.items():
        with refused(client, "NotImplemented", f"not implemented by the rehearsal: UpdateModelPackage's {member}"):
            client.update_model_package(ModelPackageArn=package, **{member: value})
    client.delete_model_package(ModelPackageName=package)
    client.delete_model_package_group(ModelPackageGroupName=GROUP)
    assert client.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_groups_are_found_by_name(world: World) -> None:
    world.sagemaker.create_model_package_group(ModelPackageGroupName="fares", ModelPackageGroupDescription="fares")
    found = world.sagemaker.list_model_package_groups(NameContains="fare")["ModelPackageGroupSummaryList"]
    assert [item["ModelPackageGroupName"] for item in found] == ["fares"]
    assert found[0]["ModelPackageGroupDescription"] == "fares"


def test_a_notebook_is_changed_and_deleted_only_when_stopped(world: World) -> None:
    client = world.sagemaker
    client.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="idle", OnStart=[{"Content": "ZWNobyBoaQ=="}]
    )
    request = {"NotebookInstanceName": "explore", "InstanceType": "ml.t3.medium", "RoleArn": world.role}
    client.create_notebook_instance(**request, LifecycleConfigName="idle", VolumeSizeInGB=20)
    with refused(client, "ValidationException", "duplicate"):
        client.create_notebook_instance(**request)
    described = client.describe_notebook_instance(NotebookInstanceName="explore")
    assert (described["NotebookInstanceStatus"], described["VolumeSizeInGB"]) == ("InService", 20)
    assert described["NotebookInstanceLifecycleConfigName"] == "idle"
    for change in (client.delete_notebook_instance, client.update_notebook_instance):
        with refused(client, "ValidationException", "InService"):
            change(NotebookInstanceName="explore")
    client.stop_notebook_instance(NotebookInstanceName="explore")
    client.update_notebook_instance(NotebookInstanceName="explore", InstanceType="ml.t3.large")
    assert client.describe_notebook_instance(NotebookInstanceName="explore")["InstanceType"] == "ml.t3.large"
    assert client.list_notebook_instances(StatusEquals="InService")["NotebookInstances"] == []
    client.delete_notebook_instance(NotebookInstanceName="explore")
    with refused(client, "ValidationException", "RecordNotFound"):
        client.describe_notebook_instance(NotebookInstanceName="explore")


def test_notebooks_that_could_not_start_are_refused(world: World) -> None:
    client = world.sagemaker
    request = {"NotebookInstanceName": "bad", "InstanceType": "ml.t3.medium"}
    stranger = world.make_role("other", "lambda.amazonaws.com")
    with refused(client, "ValidationException", "other"):
        client.create_notebook_instance(**request, RoleArn=stranger)
    with refused(client, "ValidationException", "subnet"):
        client.create_notebook_instance(**request, RoleArn=world.role, DirectInternetAccess="Disabled")
    with refused(client, "ValidationException"):
        client.create_notebook_instance(**request, RoleArn=world.role, LifecycleConfigName="gone")
