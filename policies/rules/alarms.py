"""Alarms: whether they can fire, and whether they say anything of what a model answers."""

from collections.abc import Iterator

from .model import Context, Finding, Resource, Rule, items, number, off, section, text
from .references import NIST, WELL_ARCHITECTED

METRIC_ALARMS = ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws-native:cloudwatch:Alarm")
# What a machine does says nothing of what a model answers.
_MACHINES = ("CPUUtilization", "MemoryUtilization", "DiskUtilization", "GPUUtilization", "GPUMemoryUtilization")
_SHARES = (*_MACHINES, "CPUUtilizationNormalized", "MemoryUtilizationNormalized")
_NEVER = 1e9
_DAY = 86_400
_STANDING = ("LessThanThreshold",)


def telling(alarm: Resource) -> bool:
    """Whether an alarm can fire, does something then, and looks at more than machines."""
    metrics = _metrics(alarm)
    watching = not metrics or any(each not in _MACHINES for each in metrics)
    return watching and not list(_faults(alarm)) and not switched_off(alarm)


def switched_off(alarm: Resource) -> bool:
    """Whether an alarm's actions are switched off."""
    return "actionsEnabled" in alarm.props and off(alarm.props.get("actionsEnabled"))


def _metrics(alarm: Resource) -> list[str]:
    queries = [*items(alarm.props.get("metricQueries")), *items(alarm.props.get("metrics"))]
    named = [
        section(section(each, "metric") or section(section(each, "metricStat"), "metric"), "metricName")
        for each in queries
    ]
    return [text(each) for each in (alarm.props.get("metricName"), *named) if text(each)]


def fires(resource: Resource, context: Context) -> Iterator[Finding]:
    """Alarms that can never fire."""
    if resource.type in METRIC_ALARMS:
        yield from _faults(resource)


def _faults(alarm: Resource) -> Iterator[Finding]:
    props = alarm.props
    threshold, operator = number(props.get("threshold")), text(props.get("comparisonOperator"))
    periods, wanted = number(props.get("evaluationPeriods")), number(props.get("datapointsToAlarm"))
    if threshold is not None and operator.startswith("GreaterThan"):
        most = 100 if set(_metrics(alarm)) & set(_SHARES) and "normalized" in str(_metrics(alarm)).lower() else _NEVER
        if threshold >= most:
            yield Finding(f"cannot fire: nothing reaches {threshold:g}", "threshold")
    if threshold is not None and threshold <= 0 and operator in _STANDING and not props.get("metricQueries"):
        yield Finding(f"cannot fire: nothing is less than {threshold:g}", "threshold")
    if periods is not None and wanted is not None and wanted > periods:
        yield Finding(f"cannot fire: it wants {wanted:g} of {periods:g} periods", "datapointsToAlarm")
    period = number(props.get("period"))
    if period is not None and periods is not None and period * periods > _DAY:
        yield Finding("looks back for more than a day, which CloudWatch does not", "evaluationPeriods")


RULES = (
    Rule(
        "alarm-fires",
        "operations",
        "mandatory",
        "medium",
        "Alarms can fire",
        "an alarm that can never ring is taken for one that watches",
        "set a threshold that the metric can reach, and no more periods than it is looked at",
        (NIST["SI-4"], WELL_ARCHITECTED["OPS04-BP02"]),
        fires,
    ),
)
