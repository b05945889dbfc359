"""Tags of SageMaker resources, kept in the record under `_tags`."""

from typing import Any

from rehearsal.cloud.core.api import Call, operation
from rehearsal.cloud.services.sagemaker import state


def _record(call: Call) -> state.Record:
    arn = call.params["ResourceArn"]
    for kind in state.KINDS:
        for record in state.records(call, kind).values():
            if record["_arn"] == arn:
                return record
    raise state.invalid(f"Could not find resource {arn}.")


@operation("sagemaker", "AddTags")
def add(call: Call) -> dict[str, Any]:
    record = _record(call)
    record["_tags"] |= {tag["Key"]: tag["Value"] for tag in call.params["Tags"]}
    return {"Tags": as_list(record)}


@operation("sagemaker", "DeleteTags")
def delete(call: Call) -> dict[str, Any]:
    record = _record(call)
    for key in call.params["TagKeys"]:
        record["_tags"].pop(key, None)
    return {}


@operation("sagemaker", "ListTags")
def list_tags(call: Call) -> dict[str, Any]:
    return {"Tags": as_list(_record(call))}


def as_list(record: state.Record) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in record["_tags"].items()]


def given(call: Call) -> dict[str, str]:
    """The tags of a Create request. Raises ValidationException for a key that occurs twice."""
    tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags", [])}
    if len(tags) != len(call.params.get("Tags", [])):
        raise state.invalid("Tag keys must be unique.")
    return tags
