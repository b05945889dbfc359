"""CloudWatch Logs: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html."""

from typing import Any

from rehearsal.cloud.core.api import Call, operation


@operation("logs", "CreateLogGroup")
def create_group(call: Call) -> dict[str, Any]:
    answer = call.forward()
    group = call.cloud.backend("logs", call.account, call.region).groups[call.params["logGroupName"]]
    group.log_group_class = call.params.get("logGroupClass") or "STANDARD"
    return answer


@operation("logs", "DescribeLogGroups")
def describe_groups(call: Call) -> dict[str, Any]:
    answer = call.forward()
    groups = call.cloud.backend("logs", call.account, call.region).groups
    for shown in answer.get("logGroups", ()):
        group = groups.get(shown["logGroupName"])
        shown["logGroupClass"] = getattr(group, "log_group_class", "STANDARD")
        shown["deletionProtectionEnabled"] = False
    return answer
