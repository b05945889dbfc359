"""What is made once for all tests of the gateway."""

import pytest

from rehearsal.cloud.process.running import RunningCloud
from tests.rehearsal.cloud.sagemaker_world import World


@pytest.fixture(scope="session")
def model_archive(running_cloud: RunningCloud) -> bytes:
    """A `model.tar.gz` as a training job leaves it: three features, label first in the data."""
    world = World(running_cloud.cloud, "100000000000", "eu-west-1")
    return world.get(world.train("shared")["ModelArtifacts"]["S3ModelArtifacts"])
