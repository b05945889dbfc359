"""The probe's alarm, as pure data."""

from typing import Any

PERIODS = 2
"""Runs in a row that must fail: one may meet an instance that is being replaced."""


def failed(function: Any, minutes: int) -> dict[str, Any]:
    """Arguments of the alarm on a probe that fails, which runs every so many minutes."""
    return {
        "namespace": "AWS/Lambda",
        "metric_name": "Errors",
        "dimensions": {"FunctionName": function},
        "statistic": "Sum",
        "comparison_operator": "GreaterThanOrEqualToThreshold",
        "threshold": 1,
        "period": minutes * 60,
        "evaluation_periods": PERIODS,
        "treat_missing_data": "notBreaching",
    }


def rate(minutes: int) -> str:
    """The rule's expression, which wants the singular for one."""
    return f"rate({minutes} minute{'' if minutes == 1 else 's'})"
