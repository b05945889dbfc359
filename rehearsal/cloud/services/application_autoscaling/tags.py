"""Tags of scalable targets, which moto does not keep."""

from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, operation

SERVICE = "application-autoscaling"


def _tags(call: Call) -> dict[str, str]:
    arn = call.params["ResourceARN"]
    targets = call.cloud.backend(SERVICE, call.account, call.region).targets
    if not any(target.arn == arn for by_id in targets.values() for target in by_id.values()):
        raise AwsError("ResourceNotFoundException", f"No scalable target found for resource ARN: {arn}")
    kept: dict[str, dict[str, str]] = call.cloud.store(SERVICE, call.account, call.region).setdefault("tags", {})
    return kept.setdefault(arn, {})


@operation(SERVICE, "TagResource")
def tag(call: Call) -> dict[str, Any]:
    """Adds or changes tags."""
    _tags(call).update(call.params["Tags"])
    return {}


@operation(SERVICE, "UntagResource")
def untag(call: Call) -> dict[str, Any]:
    """Removes tags; keys that are not there are no error."""
    tags = _tags(call)
    for key in call.params["TagKeys"]:
        tags.pop(key, None)
    return {}


@operation(SERVICE, "ListTagsForResource")
def list_tags(call: Call) -> dict[str, Any]:
    """The tags of one target."""
    return {"Tags": dict(_tags(call))}
