"""CloudWatch, CloudWatch Logs, EventBridge and Application Auto Scaling: what the provider refuses before it calls AWS.

Read in internal/service/{cloudwatch,logs,events,appautoscaling}/*.go.
"""

from __future__ import annotations

from typing import Any

from rehearsal.provider.rules.vocabulary import (
    Enums,
    Rules,
    Test,
    Values,
    arn,
    at_least,
    at_least_one,
    both,
    conflict,
    items,
    json_text,
    length,
    one_of,
    pattern,
)  # fmt: skip

# internal/service/logs/group.go: the periods of PutRetentionPolicy; 0 keeps for ever.
RETENTION = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
UNITS = one_of(
    *"Seconds Microseconds Milliseconds Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits Gigabits "
    "Terabits Percent Count Bytes/Second Kilobytes/Second Megabytes/Second Gigabytes/Second Terabytes/Second "
    "Bits/Second Kilobits/Second Megabits/Second Gigabits/Second Terabits/Second Count/Second None".split()
)
COMPARISONS = (
    "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold",
)  # fmt: skip
STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
EXTENDED = pattern(
    r"(p|tm|wm|tc|ts)(\d{1,2}(\.\d{1,2})?|100)|IQM|(TM|WM|PR|TC|TS)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\)",
    "invalid statistic, see CloudWatch's statistics definitions",
)
NAMESPACE = both(length(1, 255), pattern(r"[^:].*", "must not contain colon characters"))
ACTIONS = items(0, 5, arn)


def _seconds(*single: int) -> Test:
    """metric_alarm.go: one of a few short periods, or a multiple of 60."""

    def test(name: str, value: Any, _: Enums) -> str | None:
        if not isinstance(value, int) or value in single or value % 60 == 0:
            return None
        return f"expected {name} to be one of {list(single)} or divisible by 60, got {value}"

    return test


def _statistic(name: str, value: Any, enums: Enums) -> str | None:
    return None if value in STATISTICS else EXTENDED(name, value, enums)


def _one_statistic(given: Values) -> list[tuple[str, str]]:
    """metric_alarm.go, CustomizeDiff."""
    if not given.get("metricName") or given.get("statistic") or given.get("extendedStatistic"):
        return []
    return [("statistic", "one of `statistic` or `extended_statistic` must be set for a cloudwatch metric alarm")]


def _expression_or_metric(given: Values) -> list[tuple[str, str]]:
    """metric_alarm.go, CustomizeDiff."""
    queries = given.get("metricQueries")
    return [
        (f"metricQueries[{i}]", "no metric_query may have both `expression` and a `metric` specified")
        for i, query in enumerate(queries if isinstance(queries, list) else [])
        if isinstance(query, dict) and query.get("expression") and query.get("metric")
    ]


def _required(name: str) -> Any:
    """metric_alarm.go: required unless evaluation_criteria is given (7.x; before, always)."""

    def relation(given: Values) -> list[tuple[str, str]]:
        if given.get(name) is not None or given.get("evaluationCriteria") is not None:
            return []
        return [(name, "missing: this property is required")]

    return relation


def _one_metric(given: Values) -> list[tuple[str, str]]:
    """policy.go: ConflictsWith."""
    tracking = given.get("targetTrackingScalingPolicyConfiguration")
    names = ("customizedMetricSpecification", "predefinedMetricSpecification")
    found = conflict(*names)(tracking) if isinstance(tracking, dict) else []
    return [(f"targetTrackingScalingPolicyConfiguration.{path}", why) for path, why in found]


RULES = {
    "aws:appautoscaling/policy:Policy": Rules(
        "appautoscaling/policy.go",
        {"name": length(0, 255), "policyType": one_of("StepScaling", "TargetTrackingScaling", "PredictiveScaling")},
        (_one_metric,),
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Rules(
        "cloudwatch/composite_alarm.go",
        {
            "alarmActions": ACTIONS,
            "okActions": ACTIONS,
            "insufficientDataActions": ACTIONS,
            "alarmDescription": length(0, 1024),
            "alarmName": length(1, 255),
            "alarmRule": length(1, 10240),
        },
    ),
    "aws:cloudwatch/dashboard:Dashboard": Rules(
        "cloudwatch/dashboard.go",
        {
            "dashboardBody": json_text,
            "dashboardName": both(length(1, 255), pattern(r"[-_0-9A-Za-z]+", "alphanumerics, hyphens, underscores")),
        },
    ),
    "aws:cloudwatch/eventRule:EventRule": Rules(
        "events/rule.go",
        {
            "description": length(0, 512),
            "eventPattern": both(json_text, length(0, 4096)),
            "name": both(length(1, 64), pattern(r"[0-9A-Za-z_.-]+", "alphanumerics, dots, hyphens, underscores")),
            "namePrefix": length(1, 38),
            "roleArn": arn,
            "scheduleExpression": length(0, 256),
            "state": one_of("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
        },
        (
            at_least_one("eventPattern", "scheduleExpression"),
            conflict("isEnabled", "state"),
            conflict("name", "namePrefix"),
        ),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Rules(
        "events/target.go",
        {
            "arn": arn,
            "input": both(length(0, 8192), json_text),
            "inputPath": length(0, 256),
            "roleArn": arn,
            "rule": both(length(1, 64), pattern(r"[0-9A-Za-z_.-]+", "alphanumerics, dots, hyphens, underscores")),
            "targetId": both(length(1, 64), pattern(r"[0-9A-Za-z_.-]+", "alphanumerics, dots, hyphens, underscores")),
        },
        (conflict("input", "inputPath", "inputTransformer"), conflict("inputPath", "inputTransformer")),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Rules(
        "logs/group.go",
        {
            "kmsKeyId": arn,
            "logGroupClass": one_of("STANDARD", "INFREQUENT_ACCESS", "DELIVERY"),
            "name": both(length(1, 512), pattern(r"[0-9A-Za-z_.\-/#]+", "alphanumerics and _ - / # .")),
            "retentionInDays": one_of(*RETENTION),
        },
        (conflict("name", "namePrefix"),),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Rules(
        "cloudwatch/metric_alarm.go",
        {
            "alarmActions": ACTIONS,
            "okActions": ACTIONS,
            "insufficientDataActions": ACTIONS,
            "alarmDescription": length(0, 1024),
            "comparisonOperator": one_of(*COMPARISONS),
            "datapointsToAlarm": at_least(1),
            "evaluateLowSampleCountPercentiles": one_of("evaluate", "ignore"),
            "evaluationPeriods": at_least(1),
            "extendedStatistic": EXTENDED,
            "metricName": length(1, 255),
            "metricQueries.accountId": length(1, 255),
            "metricQueries.expression": length(1, 1024),
            "metricQueries.id": length(1, 255),
            "metricQueries.period": _seconds(1, 5, 10, 20, 30),
            "metricQueries.metric.metricName": length(1, 255),
            "metricQueries.metric.namespace": NAMESPACE,
            "metricQueries.metric.period": _seconds(1, 5, 10, 20, 30),
            "metricQueries.metric.stat": _statistic,
            "metricQueries.metric.unit": UNITS,
            "name": length(1, 255),
            "namespace": NAMESPACE,
            "period": _seconds(10, 20, 30),
            "statistic": one_of(*STATISTICS),
            "thresholdMetricId": length(1, 255),
            "treatMissingData": one_of("breaching", "notBreaching", "ignore", "missing"),
            "unit": UNITS,
        },
        (
            conflict("metricQueries", "metricName", "namespace", "period", "dimensions", "statistic"),
            conflict("extendedStatistic", "statistic", "metricQueries"),
            conflict("thresholdMetricId", "threshold"),
            _one_statistic,
            _expression_or_metric,
            _required("comparisonOperator"),
            _required("evaluationPeriods"),
        ),
    ),
}
