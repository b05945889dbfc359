"""Addresses of SageMaker's own images, from the tables that `sagemaker-core` ships.

The package itself is never imported: that takes longer than a whole preview.
"""

import json
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

XGBOOST_VERSION = "3.2-0"
_TABLES = "sagemaker/core/image_uri_config"


class ImageError(Exception):
    """No image for the region, or no table; the message says which and what to do."""


def xgboost(region: str) -> str:
    """Image of built-in XGBoost, for training, evaluation and serving."""
    version = _table("xgboost")["training"]["versions"][XGBOOST_VERSION]
    return f"{_address(version, region)}:{XGBOOST_VERSION}"


def model_monitor(region: str) -> str:
    """Image of the model monitor's analyzer, for baselines and schedules."""
    return _address(_table("model-monitor")["versions"][""], region)


def repository_arn(image: str, partition: str = "aws") -> str:
    """ARN of the repository that an image address points into."""
    host, _, repository = image.partition("/")
    account, _, _, region = host.split(".")[:4]
    return f"arn:{partition}:ecr:{region}:{account}:repository/{repository.partition(':')[0]}"


def _address(version: dict[str, Any], region: str) -> str:
    account = version["registries"].get(region)
    if account is None:
        known = ", ".join(sorted(version["registries"]))
        raise ImageError(f"SageMaker offers no {version['repository']} image in {region}: use one of {known}")
    return f"{account}.dkr.ecr.{region}.amazonaws.com/{version['repository']}"


@cache
def _table(name: str) -> dict[str, Any]:
    try:
        path = distribution("sagemaker-core").locate_file(f"{_TABLES}/{name}.json")
    except PackageNotFoundError:
        raise ImageError("the package sagemaker-core is missing: pip install -r requirements.txt") from None
    with open(str(path), encoding="utf-8") as file:
        table: dict[str, Any] = json.load(file)
    return table
