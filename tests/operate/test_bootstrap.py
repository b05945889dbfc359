"""The place of Pulumi's state, made in every region that settings accept."""

from typing import Any

import boto3
import pytest
from moto import mock_aws

from operate.bootstrap import ensure_bucket, ensure_key
from operate.project import read_project
from tests.program.harness import ROOT


class Here:
    """Clients of moto's one account, whichever stack they are for."""

    def __init__(self, region: str) -> None:
        self._region = region

    def of(self, _stack: str, service: str) -> Any:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        return boto3.client(service, region_name=self._region, **keys)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-southeast-2"])
def test_bucket_and_key_are_made_once_and_again(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    project = read_project(ROOT)
    object.__setattr__(project.names, "region", region)
    with mock_aws():
        clients: Any = Here(region)
        for _ in range(2):
            key = ensure_key(clients, "alias/x-state")
            ensure_bucket(clients, project, "x-state", key)
        s3 = clients.of("delivery", "s3")
        assert (s3.get_bucket_location(Bucket="x-state")["LocationConstraint"] or "us-east-1") == region
        assert s3.get_bucket_versioning(Bucket="x-state")["Status"] == "Enabled"
        assert len(clients.of("delivery", "kms").list_keys()["Keys"]) == 1
