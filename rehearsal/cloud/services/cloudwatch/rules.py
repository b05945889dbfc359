"""What the pages of the operations say in prose: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/."""

import json
import math
import re
import time
from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule
from rehearsal.cloud.services.rules import tags

_LARGEST = 2.0**360
_PAST, _FUTURE = 14 * 86400, 2 * 3600
_DATUM_VALUES = 150
_DATAPOINTS = 1440
_ACTIONS = 5
_DAY = 86400


def _error(code: str, text: str) -> AwsError:
    return AwsError(code, text, Type="Sender")


def _validation(text: str) -> AwsError:
    return _error("ValidationError", text)


@request_rule("cloudwatch", "PutMetricData")
def metric_data(call: Call) -> None:
    data = call.params.get("MetricData")
    if not data and not call.params.get("EntityMetricData"):
        raise _error("MissingParameter", "The parameter MetricData is required.")
    for number, datum in enumerate(data or (), 1):
        _datum(f"MetricData.member.{number}", datum)


def _datum(where: str, datum: dict[str, Any]) -> None:
    pairs = (("Value", "StatisticValues"), ("Value", "Values"), ("StatisticValues", "Values"))
    for one, other in pairs:
        if datum.get(one) is not None and datum.get(other):
            raise _error("InvalidParameterCombination", f"The parameters {where}.{one} and {where}.{other} are "
                         "mutually exclusive and you have specified both.")  # fmt: skip
    _values(where, datum)
    _statistics(where, datum.get("StatisticValues"))
    if datum.get("StorageResolution") not in (None, 1, 60):
        raise _error("InvalidParameterValue", f"The value {datum['StorageResolution']} for parameter "
                     f"{where}.StorageResolution is invalid: it is 1 or 60.")  # fmt: skip
    names = [item["Name"] for item in datum.get("Dimensions") or ()]
    if len(set(names)) < len(names):
        raise _error("InvalidParameterValue", f"The parameter {where}.Dimensions has a name twice.")
    _moment(where, datum.get("Timestamp"))


def _values(where: str, datum: dict[str, Any]) -> None:
    values, counts = datum.get("Values"), datum.get("Counts")
    if counts and len(values or ()) != len(counts):
        raise _error("InvalidParameterValue", f"The parameters {where}.Values and {where}.Counts must be of the same "
                     "size.")  # fmt: skip
    if len(values or ()) > _DATUM_VALUES:
        raise _error("InvalidParameterValue", f"The collection {where}.Values must not have a size greater than "
                     f"{_DATUM_VALUES}.")  # fmt: skip
    for value in [datum.get("Value"), *(values or ())]:
        if value is not None and (not math.isfinite(value) or abs(value) > _LARGEST):
            raise _error("InvalidParameterValue", f"The value {value} for parameter {where}.Value is invalid.")


def _moment(where: str, moment: Any) -> None:
    if isinstance(moment, datetime):
        age = time.time() - (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if not -_FUTURE <= age <= _PAST:
            raise _error("InvalidParameterValue", f"The parameter {where}.Timestamp must specify a time within the "
                         "past two weeks and the next two hours.")  # fmt: skip


def _statistics(where: str, found: dict[str, Any] | None) -> None:
    if found is None:
        return
    if found["SampleCount"] <= 0:
        raise _error("InvalidParameterValue", f"The value {found['SampleCount']} for parameter "
                     f"{where}.StatisticValues.SampleCount is invalid: it must be greater than 0.")  # fmt: skip
    if found["Minimum"] > found["Maximum"]:
        raise _error("InvalidParameterValue", f"The parameter {where}.StatisticValues.Maximum must be greater than "
                     "Minimum.")  # fmt: skip


# --- reading ---------------------------------------------------------------------------------------------------------


def _period(period: int, where: str) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html"""
    if period not in (1, 5, 10, 20, 30) and (period < 60 or period % 60):
        raise _validation(f"Period must be 1, 5, 10, 20, 30 or a multiple of 60 ({where})")


@request_rule("cloudwatch", "GetMetricStatistics")
def statistics(call: Call) -> None:
    params = call.params
    if params.get("Statistics") and params.get("ExtendedStatistics"):
        raise _error("InvalidParameterCombination", "The parameters Statistics and ExtendedStatistics are mutually "
                     "exclusive.")  # fmt: skip
    _period(params["Period"], "Period")
    seconds = (params["EndTime"] - params["StartTime"]).total_seconds()
    if seconds / params["Period"] > _DATAPOINTS:
        asked = math.ceil(seconds / params["Period"])
        raise _error("InvalidParameterCombination", f"You have requested up to {asked} datapoints, which exceeds the "
                     f"limit of {_DATAPOINTS}. You may reduce the datapoints requested by increasing Period, or "
                     "decreasing the time range.")  # fmt: skip


@request_rule("cloudwatch", "GetMetricData")
def queries(call: Call) -> None:
    _queries(call.params["MetricDataQueries"])


def _queries(found: list[dict[str, Any]]) -> None:
    if len(found) > 500:
        raise _validation("The collection MetricDataQueries must not have a size greater than 500.")
    names = [query["Id"] for query in found]
    if len(set(names)) < len(names):
        raise _validation("The values for parameter id in MetricDataQueries are not unique.")
    for query in found:
        if not re.fullmatch(r"[a-z][A-Za-z0-9_]*", query["Id"]):
            raise _validation(f"The value {query['Id']} for parameter MetricDataQueries.Id is not matching the "
                              "expected pattern ^[a-z][a-zA-Z0-9_]*$.")  # fmt: skip
        if bool(query.get("Expression")) == bool(query.get("MetricStat")):
            raise _validation(f"The parameters Expression and MetricStat of {query['Id']} are mutually exclusive, and "
                              "one of them is required.")  # fmt: skip
        period = (query.get("MetricStat") or query).get("Period")
        if period is not None:
            _period(period, query["Id"])


# --- alarms ----------------------------------------------------------------------------------------------------------


@request_rule("cloudwatch", "PutMetricAlarm")
def metric_alarm(call: Call) -> None:
    params = call.params
    if params.get("Metrics"):
        wrong = [name for name in ("MetricName", "Namespace", "Dimensions", "Period", "Statistic", "ExtendedStatistic",
                                   "Unit") if params.get(name)]  # fmt: skip
        if wrong:
            raise _validation(f"Metrics cannot be given together with {wrong[0]}")
        _queries(params["Metrics"])
    if params.get("Statistic") and params.get("ExtendedStatistic"):
        raise _validation("Statistic and ExtendedStatistic are mutually exclusive")
    if params.get("Threshold") is not None and params.get("ThresholdMetricId"):
        raise _validation("Threshold and ThresholdMetricId are mutually exclusive")
    asked = [params, *(query.get("MetricStat") or query for query in params.get("Metrics") or ())]
    for period in [each.get("Period") for each in asked]:
        if period is not None:
            _evaluated(period, params["EvaluationPeriods"])
    if params.get("TreatMissingData") not in (None, "breaching", "notBreaching", "ignore", "missing"):
        raise _validation(f"Value '{params['TreatMissingData']}' at 'treatMissingData' failed to satisfy constraint: "
                          "Member must satisfy enum value set: [breaching, notBreaching, ignore, missing]")  # fmt: skip


def _evaluated(period: int, periods: int) -> None:
    """Period of https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html; those of a
    second and of five seconds are for reading alone."""
    if period not in (10, 20, 30) and (period < 60 or period % 60):
        raise _validation("Period must be 10, 20, 30 or a multiple of 60")
    most = 7 * _DAY if period >= 3600 else _DAY
    if period * periods > most:
        raise _validation("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= "
                          f"{most}).")  # fmt: skip


@request_rule("cloudwatch", "PutMetricAlarm", "PutCompositeAlarm")
def actions(call: Call) -> None:
    for name in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        found = call.params.get(name) or ()
        if len(found) > _ACTIONS:
            raise _validation(f"The collection {name} must not have a size greater than {_ACTIONS}.")
        for arn in found:
            if not re.match(r"arn:[\w-]+:(sns|lambda|autoscaling|ssm|ssm-incidents|swf|automate|aiops):", arn):
                raise _validation(f"Invalid Action: '{arn}'. It is no ARN of an action.")
    tags.check(call.params.get("Tags"), _validation)


@request_rule("cloudwatch", "SetAlarmState")
def alarm_state(call: Call) -> None:
    text = call.params.get("StateReasonData")
    if not text:
        return
    try:
        json.loads(text)
    except ValueError:
        raise _error("InvalidFormat", "TypeError: StateReasonData was not valid JSON") from None


@request_rule("cloudwatch", "DescribeAlarms")
def alarm_names(call: Call) -> None:
    if call.params.get("AlarmNames") and call.params.get("AlarmNamePrefix"):
        raise _validation("AlarmNames and AlarmNamePrefix are mutually exclusive")


@request_rule("cloudwatch", "PutDashboard")
def dashboard(call: Call) -> None:
    try:
        body = json.loads(call.params["DashboardBody"])
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("widgets", []), list):
        raise AwsError("InvalidParameterInput", "The field DashboardBody must be a valid JSON object", 400)


@request_rule("cloudwatch", "TagResource")
def tag(call: Call) -> None:
    tags.check(call.params["Tags"], lambda text: _error("InvalidParameterValue", text))
