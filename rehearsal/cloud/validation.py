"""Requests checked against botocore's own models."""

from typing import Any

from moto.core.model import OperationModel
from moto.core.request import Request


def check(operation: OperationModel, params: dict[str, Any], request: Request) -> None:
    """Raise AwsError for a request that AWS would refuse."""
