"""Addresses of SageMaker's images, beside the tables of SageMaker's own SDK."""

import json
from importlib.metadata import distribution
from typing import Any

import pytest

from contracts import images
from definitions.images import model_monitor, repository_arn, xgboost


def _table(name: str) -> dict[str, Any]:
    path = distribution("sagemaker-core").locate_file(f"sagemaker/core/image_uri_config/{name}.json")
    with open(str(path), encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


@pytest.mark.parametrize(
    ("ours", "repository", "version"),
    [
        (images.XGBOOST_ACCOUNTS, images.XGBOOST, _table("xgboost")["training"]["versions"][images.XGBOOST_VERSION]),
        (images.MONITOR_ACCOUNTS, images.MONITOR, _table("model-monitor")["versions"][""]),
    ],
)
def test_our_tables_are_the_sdks_for_the_partition(
    ours: dict[str, str], repository: str, version: dict[str, Any]
) -> None:
    others = ("cn-", "us-gov-", "us-iso", "eu-iso")
    assert version["repository"] == repository
    assert ours == {at: who for at, who in version["registries"].items() if not at.startswith(others)}


def test_addresses() -> None:
    assert xgboost("eu-west-1") == "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0"
    assert model_monitor("eu-west-1").endswith(".dkr.ecr.eu-west-1.amazonaws.com/sagemaker-model-monitor-analyzer")
    assert repository_arn(xgboost("us-east-1")) == "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-xgboost"
