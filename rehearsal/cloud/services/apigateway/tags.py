"""Tags of APIs, stages, usage plans and API keys; moto knows those of stages alone.

https://docs.aws.amazon.com/apigateway/latest/api/API_TagResource.html
"""

from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, operation


def holder(call: Call, path: str) -> Any:
    """moto's record of what is at a path (`restapis/<id>`, `restapis/<id>/stages/<name>`, `usageplans/<id>`,
    `apikeys/<id>`) in the caller's account; None where there is none, or nothing that takes tags.
    """
    backend = call.cloud.backend("apigateway", call.account, call.region)
    match path.split("/"):
        case ["restapis", name]:
            return backend.apis.get(name)
        case ["restapis", name, "stages", stage]:
            return getattr(backend.apis.get(name), "stages", {}).get(stage)
        case ["usageplans", name]:
            return backend.usage_plans.get(name)
        case ["apikeys", name]:
            return backend.keys.get(name)
    return None


def _tagged(call: Call) -> Any:
    found = holder(call, str(call.params["resourceArn"]).partition("::/")[2])
    if found is None:
        raise AwsError("NotFoundException", "Invalid Resource ARN specified", 404)
    return found


@operation("apigateway", "TagResource")
def tag(call: Call) -> dict[str, Any]:
    """Adds or changes tags."""
    found = _tagged(call)
    found.tags = {**(found.tags or {}), **call.params["tags"]}
    return {}


@operation("apigateway", "UntagResource")
def untag(call: Call) -> dict[str, Any]:
    """Removes tags; keys that are not there are no error."""
    found = _tagged(call)
    gone = call.params["tagKeys"]
    found.tags = {key: value for key, value in (found.tags or {}).items() if key not in gone}
    return {}


@operation("apigateway", "GetTags")
def get_tags(call: Call) -> dict[str, Any]:
    """The tags of one resource, without what it has from its parent."""
    return {"tags": dict(_tagged(call).tags or {})}
