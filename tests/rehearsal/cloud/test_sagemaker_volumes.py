"""Volumes with a key: the job's own role must be allowed to make the grant."""

from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.sagemaker_world import CLUSTER, XGBOOST, World

RESOURCES = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
ROLES = ("may", "may-not")


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    return World(cloud, account, region)


def role(world: World, which: str) -> str:
    return world.role if which == "may" else world.make_role_without("no-grant", "kms:CreateGrant")


def check(world: World, which: str, status: str, job: dict[str, Any]) -> None:
    """It ends as its role lets it, and the ledger tells of the grant."""
    if which == "may":
        assert status == "Completed", job.get("FailureReason")
    else:
        assert status == "Failed"
        assert job["FailureReason"].startswith("ClientError: cannot encrypt the volume with arn:aws:kms:")
        assert "not authorized to perform: kms:CreateGrant" in job["FailureReason"]
    counted = world.cloud.ledger.snapshot()[job["RoleArn"]]
    assert counted["calls" if which == "may" else "denied"]["kms:CreateGrant"] == 1


@pytest.mark.parametrize("which", ROLES)
def test_a_training_jobs_volume(world: World, which: str) -> None:
    resources = {**RESOURCES, "VolumeKmsKeyId": world.key()}
    job = world.train("one", RoleArn=role(world, which), ResourceConfig=resources)
    check(world, which, job["TrainingJobStatus"], job)


@pytest.mark.parametrize("which", ROLES)
def test_a_processing_jobs_volume(world: World, which: str) -> None:
    cluster = {"ClusterConfig": {**CLUSTER["ClusterConfig"], "VolumeKmsKeyId": world.key()}}
    image = {"ImageUri": XGBOOST, "ContainerEntrypoint": ["python3", "-c", "1"]}
    job = world.process("one", RoleArn=role(world, which), ProcessingResources=cluster, AppSpecification=image)
    check(world, which, job["ProcessingJobStatus"], job)
