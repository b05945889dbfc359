"""What pulumi-aws 7.51.1 refuses before it calls AWS: a table of rules per service, each loaded when first used.

Every entry names the file of hashicorp/terraform-provider-aws (under internal/service/) that holds the rule.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping

from rehearsal.provider.rules.vocabulary import Enums, Rules
from rehearsal.provider.rules.walk import broken
from rehearsal.provider.schema import split_token

__all__ = ["Enums", "Rules", "broken", "find"]

FILES = {
    "apigateway": "apigateway",
    "appautoscaling": "cloudwatch",
    "cloudwatch": "cloudwatch",
    "codebuild": "delivery",
    "codeconnections": "delivery",
    "codedeploy": "delivery",
    "codepipeline": "delivery",
    "glue": "data",
    "iam": "identity",
    "kms": "identity",
    "lambda": "compute",
    "s3": "data",
    "sagemaker": "sagemaker",
    "sfn": "compute",
    "sns": "compute",
    "ssm": "identity",
}
NONE = Rules("")


@functools.cache
def find(token: str) -> Rules:
    """The rules of a resource type; empty ones where none are known."""
    file = FILES.get(split_token(token)[0])
    if file is None:
        return NONE
    table: Mapping[str, Rules] = importlib.import_module(f"rehearsal.provider.rules.{file}").RULES
    return table.get(token, NONE)
