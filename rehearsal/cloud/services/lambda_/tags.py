"""Tags of functions."""

from typing import Any

from rehearsal.cloud.core.api import Call, operation
from rehearsal.cloud.services.lambda_.state import Function, Name, find, invalid, new_revision, parse_name


@operation("lambda", "ListTags")
def list_tags(call: Call) -> dict[str, Any]:
    return {"Tags": dict(_tagged(call).tags)}


@operation("lambda", "TagResource")
def tag_resource(call: Call) -> dict[str, Any]:
    function = _tagged(call)
    function.tags.update(call.params["Tags"])
    function.latest.config["RevisionId"] = new_revision()
    return {}


@operation("lambda", "UntagResource")
def untag_resource(call: Call) -> dict[str, Any]:
    function = _tagged(call)
    for key in call.params["TagKeys"]:
        function.tags.pop(key, None)
    function.latest.config["RevisionId"] = new_revision()
    return {}


def _tagged(call: Call) -> Function:
    name: Name = parse_name(call.params["Resource"], call.account, call.region)
    if name.qualifier:
        raise invalid("Tagging is not supported for qualified functions.")
    return find(call.cloud, name)
