"""What calls of Lambda need, and the policies of functions, versions and aliases."""

import json
from typing import Any

from rehearsal.cloud.authorization.general import owner
from rehearsal.cloud.authorization.need import Need, many
from rehearsal.cloud.authorization.registry import needs, resource_policy
from rehearsal.cloud.core.api import Call, Cloud
from rehearsal.cloud.services.lambda_.state import functions, parse_name


@needs("lambda")
def of_call(call: Call) -> list[Need]:
    """The function, with the qualifier that is asked for."""
    text = call.params.get("FunctionName")
    resource = call.params.get("Resource")
    if text is None:
        return [Need(call.action, str(resource) if resource else "*", owner(str(resource)) if resource else "")]
    name = parse_name(text, call.account, call.region, call.params.get("Qualifier"))
    arn = f"arn:aws:lambda:{name.region}:{name.account}:function:{name.name}"
    own = f"{arn}:{name.qualifier}" if name.qualifier and name.qualifier != "$LATEST" else arn
    context = many({"lambda:FunctionArn": own, "lambda:Principal": _principal(call)})
    return [Need(call.action, own, name.account, context)]


def _principal(call: Call) -> str | None:
    return call.params.get("Principal") if call.operation == "AddPermission" else None


@resource_policy("lambda")
def of_function(cloud: Cloud, need: Need) -> Any:
    """The policy of exactly the function, version or alias that is named."""
    parts = need.resource.split(":")
    if len(parts) < 7:
        return None
    found = functions(cloud, parts[4], parts[3]).get(parts[6])
    policy = found.policies.get(parts[7] if len(parts) > 7 else "") if found else None
    if policy is None or not policy.statements:
        return None
    return json.dumps({"Version": "2012-10-17", "Statement": policy.statements})
