"""CloudWatch, CloudWatch Logs and (as Pulumi groups them) EventBridge."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.provider.differ import Semantics
from rehearsal.provider.naming import AutoName
from rehearsal.provider.resource import Context, ResourceType, Tagging, Values
from rehearsal.provider.types.events import EventBus, EventBusPolicy, EventRule, EventTarget

TAGS = Tagging("ListTagsForResource", "TagResource", "UntagResource", "ResourceARN")


class LogGroup(ResourceType):
    token = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    name = AutoName("name", 512)
    replaces = frozenset({"name", "namePrefix", "logGroupClass"})
    supports = frozenset("kmsKeyId logGroupClass name namePrefix retentionInDays skipDestroy tags".split())
    defaults = {"retentionInDays": 0, "skipDestroy": False}
    write_only = frozenset({"namePrefix", "skipDestroy"})
    tagging = Tagging("ListTagsForResource", "TagResource", "UntagResource", "resourceArn", tags="tags", keys="tagKeys")

    def create(self, ctx: Context) -> None:
        given = ctx.inputs
        request = {"logGroupName": given["name"], "kmsKeyId": given.get("kmsKeyId"), "tags": given.get("tags") or None}
        ctx.call("CreateLogGroup", {**request, "logGroupClass": given.get("logGroupClass")})
        ctx.id = given["name"]
        if given["retentionInDays"]:
            self._retain(ctx)

    def _retain(self, ctx: Context) -> None:
        days = ctx.inputs["retentionInDays"]
        if days:
            ctx.call("PutRetentionPolicy", {"logGroupName": ctx.id, "retentionInDays": days})
        else:
            ctx.call("DeleteRetentionPolicy", {"logGroupName": ctx.id})

    def read(self, ctx: Context) -> Values | None:
        pages = ctx.client().get_paginator("describe_log_groups").paginate(logGroupNamePrefix=ctx.id)
        found = next((g for page in pages for g in page["logGroups"] if g["logGroupName"] == ctx.id), None)
        if found is None:
            return None
        return {
            "name": ctx.id,
            "arn": found["arn"].removesuffix(":*"),
            "kmsKeyId": found.get("kmsKeyId"),
            "retentionInDays": found.get("retentionInDays", 0),
            "logGroupClass": found.get("logGroupClass") or "STANDARD",
        }

    def update(self, ctx: Context) -> None:
        if "retentionInDays" in ctx.changed:
            self._retain(ctx)
        if "kmsKeyId" in ctx.changed:
            key = ctx.inputs.get("kmsKeyId")
            if key:
                ctx.call("AssociateKmsKey", {"logGroupName": ctx.id, "kmsKeyId": key})
            else:
                ctx.call("DisassociateKmsKey", {"logGroupName": ctx.id})

    def delete(self, ctx: Context) -> None:
        if not ctx.prop("skipDestroy"):
            ctx.call("DeleteLogGroup", {"logGroupName": ctx.id})


def to_dimensions(values: Values | None) -> list[Values] | None:
    """Dimensions as the API lists them."""
    return [{"name": key, "value": value} for key, value in sorted(values.items())] if values else None


def from_dimensions(pairs: Any) -> Values | None:
    """Dimensions as a map."""
    return {pair["Name"]: pair["Value"] for pair in pairs} if pairs else None


class MetricAlarm(ResourceType):
    token = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service = "cloudwatch"
    name = AutoName("name", 255, prefix_property=None)
    replaces = frozenset({"name"})
    defaults = {"actionsEnabled": True, "treatMissingData": "missing"}
    member_defaults = {"metricQueries.returnData": False}
    renames = {
        "name": "AlarmName",
        "arn": "AlarmArn",
        "metricQueries": "Metrics",
        "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    }
    semantics = Semantics(
        unordered=frozenset({"alarmActions", "okActions", "insufficientDataActions", "metricQueries"})
    )
    tagging = TAGS

    def shape_inputs(self, ctx: Context) -> Values:
        inputs = {**ctx.inputs, "dimensions": to_dimensions(ctx.inputs.get("dimensions"))}
        queries = ctx.inputs.get("metricQueries")
        return {**inputs, "metricQueries": [self._to_query(query) for query in queries] if queries else None}

    def _to_query(self, query: Values) -> Values:
        query = dict(query)
        metric = query.pop("metric", None)
        if metric:
            which = {"metricName": metric["metricName"], "namespace": metric.get("namespace")}
            which["dimensions"] = to_dimensions(metric.get("dimensions"))
            stat = {"metric": which, "period": metric["period"], "stat": metric["stat"], "unit": metric.get("unit")}
            query["metricStat"] = stat
        return query

    def create(self, ctx: Context) -> None:
        ctx.call("PutMetricAlarm", self.request(ctx, "PutMetricAlarm"))
        ctx.id = ctx.inputs["name"]

    def read(self, ctx: Context) -> Values | None:
        found = ctx.call("DescribeAlarms", {"AlarmNames": [ctx.id], "AlarmTypes": ["MetricAlarm"]})["MetricAlarms"]
        if not found:
            return None
        alarm = dict(found[0])
        queries = [self._from_query(query) for query in alarm.pop("Metrics", None) or []]
        dimensions = from_dimensions(alarm.pop("Dimensions", None))
        seen = self.observed(ctx, alarm)
        if queries:
            # Moto and AWS answer zeroes for what a metric-math alarm does not have.
            seen |= {"metricQueries": queries, "period": seen.get("period") or None}
        return {**seen, "dimensions": dimensions, "treatMissingData": seen.get("treatMissingData") or "missing"}

    def _from_query(self, query: Values) -> Values:
        result: Values = {
            "id": query["Id"],
            "expression": query.get("Expression"),
            "label": query.get("Label"),
            "period": query.get("Period"),
            "returnData": query.get("ReturnData"),
            "accountId": query.get("AccountId"),
        }
        stat = query.get("MetricStat")
        if stat:
            metric = stat["Metric"]
            result["metric"] = {
                "metricName": metric["MetricName"],
                "namespace": metric.get("Namespace"),
                "dimensions": from_dimensions(metric.get("Dimensions")),
                "period": stat["Period"],
                "stat": stat["Stat"],
                "unit": stat.get("Unit"),
            }
        return result

    def update(self, ctx: Context) -> None:
        if ctx.changed - {"tags"}:
            request = self.request(ctx, "PutMetricAlarm")
            request.pop("Tags", None)
            ctx.call("PutMetricAlarm", request)

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteAlarms", {"AlarmNames": [ctx.id]})


class CompositeAlarm(ResourceType):
    token = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
    service = "cloudwatch"
    replaces = frozenset({"alarmName", "actionsEnabled"})
    defaults = {"actionsEnabled": True}
    renames = {"arn": "AlarmArn"}
    supports = frozenset(
        "actionsEnabled alarmActions alarmDescription alarmName alarmRule insufficientDataActions okActions "
        "tags".split()
    )
    semantics = Semantics(unordered=frozenset({"alarmActions", "okActions", "insufficientDataActions"}))
    tagging = TAGS

    def create(self, ctx: Context) -> None:
        ctx.call("PutCompositeAlarm", self.request(ctx, "PutCompositeAlarm"))
        ctx.id = ctx.inputs["alarmName"]

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.call("DescribeAlarms", {"AlarmNames": [ctx.id], "AlarmTypes": ["CompositeAlarm"]})
        found = answer.get("CompositeAlarms") or []
        return self.observed(ctx, dict(found[0])) if found else None

    def update(self, ctx: Context) -> None:
        if ctx.changed - {"tags"}:
            request = self.request(ctx, "PutCompositeAlarm")
            request.pop("Tags", None)
            ctx.call("PutCompositeAlarm", request)

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteAlarms", {"AlarmNames": [ctx.id]})


class Dashboard(ResourceType):
    token = "aws:cloudwatch/dashboard:Dashboard"
    service = "cloudwatch"
    replaces = frozenset({"dashboardName"})
    semantics = Semantics(documents=frozenset({"dashboardBody"}))

    def create(self, ctx: Context) -> None:
        name = ctx.inputs["dashboardName"]
        answer = ctx.call("PutDashboard", {"DashboardName": name, "DashboardBody": ctx.inputs["dashboardBody"]})
        ctx.id = name
        bad = [message for message in answer.get("DashboardValidationMessages") or [] if message.get("Message")]
        if bad:
            from rehearsal.provider.errors import ProviderError

            raise ProviderError(f"dashboard {name}: {json.dumps(bad)}")

    def read(self, ctx: Context) -> Values | None:
        answer = ctx.find("GetDashboard", {"DashboardName": ctx.id})
        if answer is None:
            return None
        return {
            "dashboardName": ctx.id,
            "dashboardArn": answer.get("DashboardArn"),
            "dashboardBody": answer["DashboardBody"],
        }

    def update(self, ctx: Context) -> None:
        self.create(ctx)

    def delete(self, ctx: Context) -> None:
        ctx.call("DeleteDashboards", {"DashboardNames": [ctx.id]})


TYPES = (
    CompositeAlarm,
    Dashboard,
    EventBus,
    EventBusPolicy,
    EventRule,
    EventTarget,
    LogGroup,
    MetricAlarm,
)
