"""CloudWatch: data points, statistics, and alarms that are evaluated on the scaled clock."""

import math
import threading
import time
from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core import ports
from rehearsal.cloud.core.api import AwsError, Call, Cloud, Place, operation
from rehearsal.cloud.services.cloudwatch import metric_math as metricmath
from rehearsal.cloud.services.cloudwatch.series import (
    STATISTICS,
    Key,
    Metrics,
    Sample,
    Span,
    key_of,
    statistic,
)
from rehearsal.cloud.services.cloudwatch.windows import asked, seconds

SERVICE = "cloudwatch.amazonaws.com"
_lock = threading.RLock()


def metrics_of(cloud: Cloud, account: str, region: str) -> Metrics:
    """The data points of an account and region."""
    with _lock:
        metrics: Metrics = cloud.store("cloudwatch-metrics", account, region).setdefault("metrics", Metrics())
    return metrics


def record(cloud: Cloud, place: Place, given: ports.Sample) -> None:
    """One data point."""
    value = float(given.value)
    stamp = time.time() if given.timestamp is None else given.timestamp
    key = key_of(given.namespace, given.name, given.dimensions)
    metrics_of(cloud, place.account, place.region).add(
        key, Sample(stamp, 1, value, value, value, given.unit, given.resolution)
    )


def _pairs(dimensions: list[dict[str, Any]] | None) -> dict[str, str]:
    return {item["Name"]: item.get("Value", "") for item in dimensions or []}


def invalid(text: str, code: str = "InvalidParameterValue") -> AwsError:
    return AwsError(code, text)


# --- data ------------------------------------------------------------------------------------------------------------


@operation("cloudwatch", "PutMetricData")
def put_metric_data(call: Call) -> dict[str, Any]:
    if call.params["Namespace"].startswith("AWS/"):
        raise invalid("The value AWS/ for parameter Namespace is invalid.")
    metrics = metrics_of(call.cloud, call.account, call.region)
    for datum in call.params.get("MetricData") or []:
        key = key_of(call.params["Namespace"], datum["MetricName"], _pairs(datum.get("Dimensions")))
        for sample in _samples(datum):
            metrics.add(key, sample)
    return {}


def _samples(datum: dict[str, Any]) -> list[Sample]:
    stamp = seconds(datum["Timestamp"]) if datum.get("Timestamp") else time.time()
    unit, resolution = datum.get("Unit") or "None", datum.get("StorageResolution") or 60
    if datum.get("StatisticValues"):
        sets = datum["StatisticValues"]
        return [Sample(stamp, sets["SampleCount"], sets["Sum"], sets["Minimum"], sets["Maximum"], unit, resolution)]
    values = datum.get("Values") or ([datum["Value"]] if datum.get("Value") is not None else [])
    counts = datum.get("Counts") or [1.0] * len(values)
    if not values or len(values) != len(counts):
        raise invalid(f"MetricDatum {datum['MetricName']} needs Value, StatisticValues, or as many Counts as Values")
    return [Sample(stamp, c, v * c, v, v, unit, resolution) for v, c in zip(values, counts, strict=True)]


@operation("cloudwatch", "ListMetrics")
def list_metrics(call: Call) -> dict[str, Any]:
    wanted = call.params
    found = []
    for namespace, name, dimensions in metrics_of(call.cloud, call.account, call.region).all():
        pairs = dict(dimensions)
        filters = wanted.get("Dimensions") or []
        if wanted.get("Namespace", namespace) != namespace or wanted.get("MetricName", name) != name:
            continue
        if any(
            item["Name"] not in pairs or item.get("Value", pairs[item["Name"]]) != pairs[item["Name"]]
            for item in filters
        ):
            continue
        shown = [{"Name": key, "Value": value} for key, value in sorted(pairs.items())]
        found.append({"Namespace": namespace, "MetricName": name, "Dimensions": shown})
    return {"Metrics": sorted(found, key=lambda item: (item["Namespace"], item["MetricName"], str(item["Dimensions"])))}


@operation("cloudwatch", "GetMetricStatistics")
def get_metric_statistics(call: Call) -> dict[str, Any]:
    params = call.params
    names = [*(params.get("Statistics") or []), *(params.get("ExtendedStatistics") or [])]
    if not names:
        raise invalid(
            "At least one of the parameters Statistics and ExtendedStatistics must be specified",
            "InvalidParameterCombination",
        )
    width = params["Period"]
    span = asked(call.cloud.clock, params, width, width)
    key = key_of(params["Namespace"], params["MetricName"], _pairs(params.get("Dimensions")))
    metrics = metrics_of(call.cloud, call.account, call.region)
    buckets = metrics.buckets(key, span, width, params.get("Unit"))
    points = []
    # "If you don't specify Unit, CloudWatch retrieves all data points with any unit", one for each of them.
    kinds = [
        (number, unit) for number, samples in sorted(buckets.items()) for unit in dict.fromkeys(s.unit for s in samples)
    ]
    for number, unit in kinds:
        samples = [sample for sample in buckets[number] if sample.unit == unit]
        point: dict[str, Any] = {"Timestamp": _moment(number * width), "Unit": unit}
        for name in names:
            value = statistic_of(name, samples)
            if value is None:
                continue
            if name in STATISTICS:
                point[name] = value
            else:
                point.setdefault("ExtendedStatistics", {})[name] = value
        points.append(point)
    return {"Label": params["MetricName"], "Datapoints": points}


def statistic_of(name: str, samples: list[Sample]) -> float | None:
    try:
        return statistic(name, samples)
    except ValueError as error:
        raise invalid(str(error)) from error


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@operation("cloudwatch", "GetMetricData")
def get_metric_data(call: Call) -> dict[str, Any]:
    queries = call.params["MetricDataQueries"]
    shortest = min((_width(query) for query in queries), default=60.0)
    metrics = metrics_of(call.cloud, call.account, call.region)
    ascending = call.params.get("ScanBy") == "TimestampAscending"
    answers = []
    for group in _by_period(queries):
        width = period_of(group)
        span = asked(call.cloud.clock, call.params, width, shortest)
        periods = range(math.floor(span.start / width), math.ceil(span.end / width))
        results = series_of(metrics, group, span, periods)
        for query in group:
            points = sorted(results[query["Id"]].items(), reverse=not ascending)
            answers.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label") or _label(query, queries),
                    "Timestamps": [_moment(number * width) for number, _ in points],
                    "Values": [value for _, value in points],
                    "StatusCode": "Complete",
                }
            )
    shown = [query["Id"] for query in queries if query.get("ReturnData", True)]
    answers = [answer for answer in answers if answer["Id"] in shown]
    return {"MetricDataResults": sorted(answers, key=lambda answer: shown.index(answer["Id"])), "Messages": []}


def _width(query: dict[str, Any]) -> float:
    """A query's period; an expression that gives none is no shorter than its metrics."""
    return float((query.get("MetricStat") or query).get("Period") or math.inf)


def _by_period(queries: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Queries that stand for themselves, by their period; where expressions are among them, all together."""
    if any(query.get("Expression") for query in queries):
        return [queries]
    groups: dict[int, list[dict[str, Any]]] = {}
    for query in queries:
        groups.setdefault(query["MetricStat"]["Period"], []).append(query)
    return list(groups.values())


def _label(query: dict[str, Any], queries: list[dict[str, Any]]) -> str:
    """The metric's name, with what tells it from the other queries of the request.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
    """
    given = query.get("MetricStat")
    if not given:
        return str(query["Id"])
    others = [other["MetricStat"] for other in queries if other.get("MetricStat")]
    same = [other for other in others if other["Metric"]["MetricName"] == given["Metric"]["MetricName"]]
    parts = [given["Metric"]["MetricName"]]
    parts += [str(given[name]) for name in ("Stat", "Period") if len({other[name] for other in same}) > 1]
    return " ".join(parts)


def period_of(queries: list[dict[str, Any]]) -> float:
    periods = {query["MetricStat"]["Period"] for query in queries if query.get("MetricStat")}
    periods |= {query["Period"] for query in queries if query.get("Period")}
    if len(periods) > 1:
        raise invalid(f"the rehearsal evaluates queries of one period at a time, not of {sorted(periods)} together")
    return float(periods.pop()) if periods else 60.0


def series_of(
    metrics: Metrics, queries: list[dict[str, Any]], span: Span, periods: range
) -> dict[str, metricmath.Series]:
    """The series of every query, expressions after what they refer to."""
    raw: dict[str, metricmath.Series] = {}
    for query in queries:
        if query.get("MetricStat"):
            raw[query["Id"]] = _metric_series(metrics, query["MetricStat"], span)
    series = dict(raw)
    waiting = [query for query in queries if query.get("Expression")]
    while waiting:
        ready = [q for q in waiting if metricmath.names(_math(q["Expression"])) <= series.keys()]
        if not ready:
            raise invalid(
                f"expressions refer to queries that do not exist, or to each other: {[q['Id'] for q in waiting]}",
                "ValidationError",
            )
        for query in ready:
            try:
                series[query["Id"]] = metricmath.evaluate(_math(query["Expression"]), series, raw, periods)
            except metricmath.MathError as error:
                raise invalid(str(error), "ValidationError") from error
            waiting.remove(query)
    return series


def _math(expression: str) -> Any:
    try:
        return metricmath.parse(expression)
    except metricmath.MathError as error:
        raise invalid(str(error), "ValidationError") from error


def _metric_series(metrics: Metrics, stat: dict[str, Any], span: Span) -> metricmath.Series:
    metric = stat["Metric"]
    key: Key = key_of(metric.get("Namespace", ""), metric["MetricName"], _pairs(metric.get("Dimensions")))
    buckets = metrics.buckets(key, span, stat["Period"], stat.get("Unit"))
    values = {number: statistic_of(stat["Stat"], samples) for number, samples in buckets.items()}
    return {number: value for number, value in values.items() if value is not None}
