"""CodeConnections: connections to repositories elsewhere."""

from __future__ import annotations

from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values


class Connection(ResourceType):
    token = "aws:codeconnections/connection:Connection"
    service = "codeconnections"
    name = AutoName("name", 32, prefix_property=None)
    keeps = frozenset()
    renames = {"name": "ConnectionName", "arn": "ConnectionArn"}
    tagging = Tagging("ListTagsForResource", "TagResource", "UntagResource", "ResourceArn")
    local = frozenset({"timeouts"})
    write_only = frozenset({"timeouts"})
    create_op, describe_op, describe_key = "CreateConnection", "GetConnection", "Connection"
    delete_op, key = "DeleteConnection", "ConnectionArn"

    def identify(self, ctx: Context, answer: Values) -> str:
        return str(answer["ConnectionArn"])


TYPES = (Connection,)
