"""Secrets Manager: versions, and when a secret was read."""

from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, operation
from rehearsal.cloud.services.rules.secretsmanager import find


@operation("secretsmanager", "GetSecretValue")
def get_value(call: Call) -> dict[str, Any]:
    """What a version or a stage names and is not there is not found, with status 400 as all of this service."""
    try:
        answer = call.forward()
    except AwsError as error:
        raise AwsError(error.code, error.message) from error
    secret = find(call)
    # "This field is omitted if the secret has never been retrieved"; the day counts.
    if secret is not None and secret is not call:
        secret.last_read = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return answer


@operation("secretsmanager", "DescribeSecret")
def describe(call: Call) -> dict[str, Any]:
    answer = call.forward()
    read = getattr(find(call), "last_read", None)
    if read is not None:
        answer["LastAccessedDate"] = read
    stages = {version: names for version, names in (answer.get("VersionIdsToStages") or {}).items() if names}
    if stages:
        answer["VersionIdsToStages"] = stages
    return answer


@operation("secretsmanager", "ListSecretVersionIds")
def list_versions(call: Call) -> dict[str, Any]:
    """Versions without a stage are deprecated, and listed on request."""
    answer = call.forward()
    secret = find(call)
    if secret is None or secret is call:
        return answer
    answer["ARN"] = secret.arn
    if not answer.get("NextToken"):
        answer.pop("NextToken", None)
    key = getattr(secret, "kms_key_id", None) or "DefaultEncryptionKey"
    kept = []
    for version in answer.get("Versions", ()):
        version.pop("LastAccessedDate", None)
        if version.get("VersionStages"):
            kept.append(version | {"KmsKeyIds": [key]})
        elif call.params.get("IncludeDeprecated"):
            version.pop("VersionStages", None)
            kept.append(version | {"KmsKeyIds": [key]})
    return answer | {"Versions": kept}
