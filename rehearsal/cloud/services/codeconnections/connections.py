"""Connections: made PENDING as in AWS; a person finishes the handshake, here by a route of the rehearsal."""

import threading
import uuid
from typing import Any

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core.api import AwsError, Call, Cloud, inventory, operation, route

_NAMES = ("codeconnections", "codestar-connections")
_lock = threading.Lock()


def _connections(cloud: Cloud, account: str, region: str) -> dict[str, dict[str, Any]]:
    with _lock:
        found: dict[str, dict[str, Any]] = cloud.store("codeconnections", account, region).setdefault("connections", {})
    return found


def create_connection(call: Call) -> dict[str, Any]:
    if call.params.get("HostArn"):
        raise AwsError("NotImplemented", "the rehearsal does not implement connections with a host", 501)
    if "ProviderType" not in call.params:
        raise AwsError("InvalidInputException", "Either ProviderType or HostArn is required")
    arn = f"arn:aws:{call.service}:{call.region}:{call.account}:connection/{uuid.uuid4()}"
    tags = call.params.get("Tags", [])
    _connections(call.cloud, call.account, call.region)[arn] = {
        "ConnectionName": call.params["ConnectionName"],
        "ConnectionArn": arn,
        "ProviderType": call.params["ProviderType"],
        "OwnerAccountId": call.account,
        "ConnectionStatus": "PENDING",
        "Tags": {tag["Key"]: tag["Value"] for tag in tags},
    }
    return {"ConnectionArn": arn, "Tags": tags}


def get_connection(call: Call) -> dict[str, Any]:
    return {"Connection": _shown(_found(call, call.params["ConnectionArn"]))}


def list_connections(call: Call) -> dict[str, Any]:
    wanted = call.params.get("ProviderTypeFilter")
    known = _connections(call.cloud, call.account, call.region).values()
    return {"Connections": [_shown(item) for item in known if wanted in (None, item["ProviderType"])]}


def delete_connection(call: Call) -> dict[str, Any]:
    _found(call, call.params["ConnectionArn"])
    del _connections(call.cloud, call.account, call.region)[_canonical(call, call.params["ConnectionArn"])]
    return {}


def tag_resource(call: Call) -> dict[str, Any]:
    _found(call, call.params["ResourceArn"])["Tags"] |= {tag["Key"]: tag["Value"] for tag in call.params["Tags"]}
    return {}


def untag_resource(call: Call) -> dict[str, Any]:
    tags = _found(call, call.params["ResourceArn"])["Tags"]
    for key in call.params["TagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags(call: Call) -> dict[str, Any]:
    tags = _found(call, call.params["ResourceArn"])["Tags"]
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


for _name in _NAMES:
    operation(_name, "CreateConnection")(create_connection)
    operation(_name, "GetConnection")(get_connection)
    operation(_name, "ListConnections")(list_connections)
    operation(_name, "DeleteConnection")(delete_connection)
    operation(_name, "TagResource")(tag_resource)
    operation(_name, "UntagResource")(untag_resource)
    operation(_name, "ListTagsForResource")(list_tags)


@route("/_rehearsal/connections/<path:arn>/available", methods=["POST"])
def make_available(cloud: Cloud, request: Request, arn: str) -> Response:
    """What a person does in the console: the handshake with the repository's host."""
    connection = find(cloud, arn)
    if connection is None:
        return Response(f"no connection {arn}\n", status=404, mimetype="text/plain")
    connection["ConnectionStatus"] = "AVAILABLE"
    return Response(status=204)


@inventory("codeconnections")
def live_connections(cloud: Cloud, account: str) -> list[str]:
    states = [state for owner, _, state in cloud.stores("codeconnections") if owner == account]
    return [arn for state in states for arn in state.get("connections", {})]


def find(cloud: Cloud, arn: str) -> dict[str, Any] | None:
    """The connection of that ARN, whichever of the two service names it was made under."""
    tail = arn.rpartition(":connection/")[2]
    for _, _, state in cloud.stores("codeconnections"):
        for kept, connection in state.get("connections", {}).items():
            if kept.endswith(f":connection/{tail}"):
                found: dict[str, Any] = connection
                return found
    return None


def _canonical(call: Call, arn: str) -> str:
    """The ARN under which the connection is kept: both service names may be used for one connection."""
    known = _connections(call.cloud, call.account, call.region)
    tail = arn.rpartition(":connection/")[2]
    return next((kept for kept in known if kept.endswith(f":connection/{tail}")), arn)


def _found(call: Call, arn: str) -> dict[str, Any]:
    connection = _connections(call.cloud, call.account, call.region).get(_canonical(call, arn))
    if connection is None:
        raise AwsError("ResourceNotFoundException", f"Connection {arn} not found")
    return connection


def _shown(connection: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in connection.items() if key != "Tags"}
