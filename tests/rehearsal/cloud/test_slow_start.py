"""An invocation belongs to the minute in which it was asked for, however long its environment takes to start."""

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.lambda_support import REGION, eventually, make_function


def test_a_slow_start_does_not_hide_an_error_from_an_alarm(cloud: Cloud, account: str) -> None:
    """The start takes ten of the rehearsal's minutes; an alarm looks at three of them."""
    code = "import time\ntime.sleep(2)\ndef handler(event, context):\n  return 1 / 0\n"
    make_function(cloud, account, "slow", code)
    metrics = cloud.client("cloudwatch", account, REGION)
    metrics.put_metric_alarm(
        AlarmName="slow",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": "slow"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )

    def alarmed() -> bool:
        items = metrics.describe_alarm_history(AlarmName="slow", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
        return any("to ALARM" in item["HistorySummary"] for item in items)

    answer = cloud.client("lambda", account, REGION).invoke(FunctionName="slow", Payload=b"null")
    assert answer["FunctionError"] == "Unhandled"
    eventually(alarmed)
