"""Secrets Manager. The page of each operation below https://docs.aws.amazon.com/secretsmanager/latest/apireference/."""

import json
import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.policy_language import grammar
from rehearsal.cloud.services.rules import tags

_NAME = re.compile(r"[\w/+=.@!-]{1,512}", re.ASCII)
_SIZE = 65536
_ON_SECRETS = (
    "DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecret", "DeleteSecret", "RestoreSecret",
    "ListSecretVersionIds", "GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy", "TagResource",
    "UntagResource", "UpdateSecretVersionStage", "RotateSecret", "CancelRotateSecret",
)  # fmt: skip


def _invalid(text: str) -> AwsError:
    return AwsError("InvalidParameterException", text)


def _name(text: str) -> None:
    if not _NAME.fullmatch(text):
        raise AwsError("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, "
                       "or any of the following: -/_+=.@!")  # fmt: skip


@request_rule("secretsmanager", "CreateSecret")
def create_secret(call: Call) -> None:
    _name(call.params["Name"])
    _value(call)
    tags.check(call.params.get("Tags"), _invalid)


@request_rule("secretsmanager", *_ON_SECRETS)
def secret_id(call: Call) -> None:
    text = call.params["SecretId"]
    if not text.startswith("arn:"):
        _name(text)


@request_rule("secretsmanager", "PutSecretValue", "UpdateSecret")
def _value(call: Call) -> None:
    given = [call.params[name] for name in ("SecretString", "SecretBinary") if call.params.get(name)]
    if len(given) == 2:
        raise _invalid("You can't specify both SecretString and SecretBinary.")
    if given and len(given[0].encode() if isinstance(given[0], str) else given[0]) > _SIZE:
        raise AwsError("ValidationException", f"The secret value has at most {_SIZE} bytes.")
    if call.operation == "PutSecretValue" and not given:
        raise AwsError("InvalidRequestException", "You must provide either SecretString or SecretBinary.")


@request_rule("secretsmanager", "TagResource")
def tag_resource(call: Call) -> None:
    tags.check(call.params["Tags"], _invalid)


@request_rule("secretsmanager", "DeleteSecret")
def delete_secret(call: Call) -> None:
    days, force = call.params.get("RecoveryWindowInDays"), call.params.get("ForceDeleteWithoutRecovery")
    if force and days is not None:
        raise _invalid("An error occurred (InvalidParameterException) when calling the DeleteSecret operation: You "
                       "can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")  # fmt: skip
    if days is not None and not 7 <= days <= 30:
        raise _invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")


@request_rule("secretsmanager", "PutResourcePolicy", "ValidateResourcePolicy")
def resource_policy(call: Call) -> None:
    text = call.params["ResourcePolicy"]
    try:
        json.loads(text)
        grammar.check(text, grammar.RESOURCE)
    except (ValueError, grammar.PolicyError) as error:
        raise AwsError("MalformedPolicyDocumentException", f"This resource policy is malformed: {error}") from None


def find(call: Call) -> Any:
    """moto's secret, or None; another account's is not looked at."""
    text = str(call.params["SecretId"])
    if text.startswith("arn:") and text.split(":")[4:5] != [call.account]:
        return call
    return call.cloud.backend("secretsmanager", call.account, call.region).secrets.get(text)


@state_rule("secretsmanager", *_ON_SECRETS)
def known(call: Call) -> None:
    """What is marked for deletion can be described and restored, and deleted again; nothing else."""
    secret = find(call)
    if secret is None:
        raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.", 400)
    marked = getattr(secret, "deleted_date", None) is not None
    if marked and call.operation not in ("DescribeSecret", "RestoreSecret", "DeleteSecret", "ListSecretVersionIds"):
        text = "You can't perform this operation on the secret because it was marked for deletion."
        raise AwsError("InvalidRequestException", text)


@state_rule("secretsmanager", "CreateSecret")
def not_marked(call: Call) -> None:
    backend = call.cloud.backend("secretsmanager", call.account, call.region)
    secret = backend.secrets.get(call.params["Name"])
    if secret is not None and getattr(secret, "deleted_date", None) is not None:
        raise AwsError("InvalidRequestException", "You can't create this secret because a secret with this name is "
                       "already scheduled for deletion.")  # fmt: skip
