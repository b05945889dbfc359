"""Roles that a call hands to a service: each asks for iam:PassRole."""

from collections.abc import Iterator, Mapping
from typing import Any

from moto.iam.models import iam_backends

from rehearsal.cloud.authorization.need import Need, many
from rehearsal.cloud.core.call import Call

_PASSED_TO = {
    "lambda": "lambda.amazonaws.com",
    "sagemaker": "sagemaker.amazonaws.com",
    "codebuild": "codebuild.amazonaws.com",
    "codepipeline": "codepipeline.amazonaws.com",
    "codedeploy": "codedeploy.amazonaws.com",
    "stepfunctions": "states.amazonaws.com",
    "glue": "glue.amazonaws.com",
    "events": "events.amazonaws.com",
    "apigateway": "apigateway.amazonaws.com",
    "application-autoscaling": "application-autoscaling.amazonaws.com",
    "scheduler": "scheduler.amazonaws.com",
    "pipes": "pipes.amazonaws.com",
    "firehose": "firehose.amazonaws.com",
    "logs": "logs.amazonaws.com",
    "ecs": "ecs-tasks.amazonaws.com",
    "ec2": "ec2.amazonaws.com",
    "batch": "batch.amazonaws.com",
}
_VERBS = ("Create", "Update", "Put", "Register", "Start", "Run", "Submit", "Import")
_MEMBERS = frozenset(
    {"role", "rolearn", "executionrolearn", "taskrolearn", "servicerole", "servicerolearn", "servicerolearnoverride",
     "serviceroleoverride", "credentials"}
)  # fmt: skip


def needs(call: Call) -> list[Need]:
    """iam:PassRole for every role in the parameters of a call that sets one."""
    service = _PASSED_TO.get(call.service)
    if service is None or not call.operation.startswith(_VERBS):
        return []
    found = sorted({_arn(text, call.account) for text in _roles(call.params)} | _patched(call))
    return [
        Need("iam:PassRole", arn, arn.split(":")[4], many({"iam:PassedToService": service}))
        for arn in found
        if ":role/" in arn
    ]


def _roles(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(inner, str) and str(name).lower() in _MEMBERS and inner:
                yield inner
            elif isinstance(inner, Mapping | list):
                yield from _roles(inner)
    elif isinstance(value, list):
        for item in value:
            yield from _roles(item)


def _patched(call: Call) -> set[str]:
    """API Gateway changes its settings by patches."""
    patches = call.params.get("patchOperations") or ()
    return {
        str(patch["value"])
        for patch in patches
        if isinstance(patch, Mapping) and str(patch.get("value", "")).startswith("arn:") and "ole" in patch["path"]
    }


def _arn(text: str, account: str) -> str:
    """Glue takes a role by its name as well."""
    if text.startswith("arn:"):
        return text
    backend = iam_backends[account]["aws"]
    named = next((role.arn for role in list(backend.roles.values()) if role.name == text), None)
    return str(named) if named else f"arn:aws:iam::{account}:role/{text}"
