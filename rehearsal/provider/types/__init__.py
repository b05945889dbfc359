"""The table of resource types, one file per service, each loaded when first used."""

from __future__ import annotations

import functools
import importlib

from rehearsal.provider.errors import ProviderError
from rehearsal.provider.resource import ResourceType
from rehearsal.provider.schema import split_token

# Where a service's Pulumi name is not its file here.
FILES = {"lambda": "lambda_"}
SERVICES = (
    "apigateway", "appautoscaling", "cloudwatch", "codebuild", "codecommit", "codeconnections", "codedeploy",
    "codepipeline", "glue", "iam", "kms", "lambda_", "s3", "sagemaker", "scheduler", "secretsmanager", "sfn",
    "sns", "sqs", "ssm",
)  # fmt: skip


@functools.cache
def table(service: str) -> dict[str, ResourceType]:
    """The resource types of one file, by token."""
    module = importlib.import_module(f"rehearsal.provider.types.{service}")
    return {kind.token: kind() for kind in module.TYPES}


@functools.cache
def find(token: str) -> ResourceType:
    """The resource type of a token; raises ProviderError for one the rehearsal lacks."""
    service = FILES.get(split_token(token)[0], split_token(token)[0])
    kind = table(service).get(token) if service in SERVICES else None
    if kind is None:
        raise ProviderError(f"the rehearsal does not implement the resource type {token}")
    return kind


def all_tokens() -> list[str]:
    """Every token the rehearsal implements."""
    return sorted(token for service in SERVICES for token in table(service))
