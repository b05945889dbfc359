"""What an unhealthy release is: its alarms, as pure data. docs/health.md explains them, one by one, with their figures.

A period without data breaches no alarm: silence is counted by an alarm of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.judging import EVIDENCE, JUDGED, SLOW
from settings import Limits

METRICS = "Glidepath"
"""Namespace of the handler's metrics."""
LOOK_SECONDS, LOOKS = 10, 6
"""The judge publishes its evidence every ten seconds; its alarm reads the last minute, so that one look that comes late
does not hide what the one before has found."""
MOST_METRICS = 10
"""Metrics that the expression of one alarm may read.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html"""
SILENT_SHARE = 0.5
"""Share of the invocations that may go unreported: some reports lie in the next period, but never half of them."""
SILENT_PERIODS = 2
"""The newest period may still lack what comes by way of the logs, the one before it does not."""


@dataclass(frozen=True)
class Watched:
    """Whose health it is. `version` and `endpoint` may be anything that a metric's dimension can hold in the end.

    `variants` are those of the endpoint that answer, the release's own first; `shadow` answers nobody, and is shown
    without being judged. `handing`: the version hands requests of the former schema on, and reports so.
    """

    service: str
    function: str
    alias: str
    version: Any
    endpoint: Any
    variants: Sequence[str]
    api: str
    stage: str
    shadow: str = ""
    handing: bool = False


@dataclass(frozen=True)
class Alarm:
    """One alarm: arguments of CloudWatch's metric alarm, and whether it stops a shift.

    What watches the release that is being shifted to stops the shift. What watches the API as a whole does not: it
    would also hold back the release that is to fix it.
    """

    description: str
    stops: bool
    arguments: Mapping[str, Any]


def alarms(
    watched: Watched,
    limits: Limits,
    edges: Sequence[float],
    shares: Sequence[float],
    *,
    judged: bool = False,
) -> dict[str, Alarm]:
    """Purpose → alarm. Without `edges` (an older manifest, a model of one answer) there is no distribution to watch.

    `judged`: the judge looks at the shift (functions/judge).
    """
    found = {"evidence": _evidence(watched)} if judged else {}
    found |= {
        "model-errors": _model_errors(watched, limits),
        "latency": _latency(watched, limits),
        "function-errors": _function_errors(watched, limits),
        "silence": _silence(watched, limits),
        **_endpoint_errors(watched, limits),
        "model-latency": _model_latency(watched, limits),
        "api-errors": _api_errors(watched, limits),
        "api-latency": _api_latency(watched, limits),
    }
    shift = _prediction_shift(watched, limits, shares)
    return {**found, "prediction-shift": shift} if edges else found


def rule(names: Sequence[str]) -> str:
    """The composite alarm's rule: the release is unhealthy as soon as one of these alarms says so."""
    return " OR ".join(f'ALARM("{name}")' for name in names)


def stability_index(shares: Sequence[float], least_rows: int) -> list[tuple[str, str]]:
    """Metric math for the population stability index: (id, expression), the last one the index.

    Its bins are the metrics `bin0`, `bin1`, …: predictions per bin, of which those of one request weigh as one. Each
    share is taken of half a row more per bin, so that an empty bin counts as nearly empty, and not as infinitely
    different. Below `least_rows` the index is 0: so few rows say nothing.
    """
    bins = range(len(shares))
    rows = f"({'+'.join(f'bin{number}' for number in bins)})"
    live = [f"((bin{number}+0.5)/(rows+{len(shares) / 2:g}))" for number in bins]
    wanted = [f"{share:.6f}" for share in shares]
    parts = [f"({seen}-{share})*LOG({seen}/{share})" for seen, share in zip(live, wanted, strict=True)]
    return [("rows", rows), ("index", "+".join(parts)), ("psi", f"IF(rows>={least_rows},index,0)")]


def share_of_requests(limits: Limits, least: int, number: str = "", compared: bool = False) -> str:
    """Metric math for a hard limit, the rule of functions/judge/limits.py: events as percent of the requests.

    0 where there are fewer than `least`, or, if `compared`, where their share is less than `times` that of the version
    before. The queries are `events` and `requests`, with `number` behind, and `all_events` and `all_requests` of both
    versions together: the version before has the rest. Where it had no request, both sides of the comparison are 0.
    Both together have no less than one alone, also where nobody counts them or their count is not there yet. Products
    instead of quotients, as a division by zero leaves no data point.

    Operators, functions and missing values:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    events, requests = f"events{number}", f"requests{number}"
    reached = f"{events}>={least}"
    if compared:
        former, asked = (f"(MAX([all_{name},{name}])-{name})" for name in (events, requests))
        more = f"({events}*{asked})>=({_plain(limits.times)}*{former}*{requests})"
        reached = f"({reached}) && ({more})"
    return f"IF({reached},100*{events}/{requests},0)"


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _evidence(watched: Watched) -> Alarm:
    # Of high resolution: "a period of 10 seconds or 30 seconds", for metrics that are kept by the second.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    return Alarm(
        "The new version is worse than the one before it, by the evidence of the judge",
        True,
        {
            "namespace": METRICS,
            "metric_name": EVIDENCE,
            "dimensions": _of_version(watched),
            "period": LOOK_SECONDS,
            "statistic": "Maximum",
            **_judged(1, LOOKS),
            "datapoints_to_alarm": 1,
        },
    )


def _model_errors(watched: Watched, limits: Limits) -> Alarm:
    # No requests, no metric: that a version which is asked says nothing is for the alarm on silence to find.
    return Alarm(
        "The model of the new version fails to answer a large share of its requests",
        True,
        _compared(limits, METRICS, ("ModelErrors", "Requests"), limits.model_errors, _of_version(watched),
                  {"Service": watched.service}),
    )  # fmt: skip


def _latency(watched: Watched, limits: Limits) -> Alarm:
    # Until the predict function publishes both by service as well, the share is compared with nothing.
    return Alarm(
        "The new version waits too long for its model, for a large share of its requests",
        True,
        _compared(limits, METRICS, (SLOW, JUDGED), limits.slow_requests, _of_version(watched),
                  {"Service": watched.service}),
    )  # fmt: skip


def _function_errors(watched: Watched, limits: Limits) -> Alarm:
    return Alarm(
        "The new version crashes, runs out of time or does not start, for a large share of its requests",
        True,
        _compared(limits, "AWS/Lambda", ("Errors", "Invocations"), limits.function_errors, _executed(watched),
                  _behind_alias(watched)),
    )  # fmt: skip


def _silence(watched: Watched, limits: Limits) -> Alarm:
    # A version that nobody asks has no invocations, and so no data: not breaching. One that is asked and reports
    # nothing has invocations, and its reports are filled in as 0: that is the breach.
    period = limits.period_minutes * 60
    # What it hands on is reported as the former version's: it must not be missed here.
    reported = "(FILL(requests,0)+FILL(handed,0))" if watched.handing else "FILL(requests,0)"
    quiet = f"IF(invocations>={limits.silent_invocations},1-{reported}/invocations,0)"
    handed = [_query("handed", METRICS, "HandedOn", _of_version(watched), period)] if watched.handing else []
    return Alarm(
        "The new version is asked, but its own metrics do not arrive: nothing else would see it fail",
        True,
        {
            "metric_queries": [
                _query("invocations", "AWS/Lambda", "Invocations", _executed(watched), period),
                _query("requests", METRICS, "Requests", _of_version(watched), period),
                *handed,
                {"id": "silent", "expression": quiet, "label": "Share without metrics", "return_data": True},
            ],
            **_judged(SILENT_SHARE, SILENT_PERIODS),
        },
    )


def _prediction_shift(watched: Watched, limits: Limits, shares: Sequence[float]) -> Alarm:
    period = limits.prediction_minutes * 60
    bins = [
        _query(f"bin{number}", METRICS, f"Bin{number}", _of_version(watched), period) for number in range(len(shares))
    ]
    expressions = [
        {"id": name, "expression": text, "label": name, "return_data": name == "psi"}
        for name, text in stability_index(shares, limits.prediction_rows)
    ]
    return Alarm(
        "The new version's predictions are distributed otherwise than those of the model that was evaluated",
        True,
        # One period: it is a long one, and looked at every minute.
        {"metric_queries": [*bins, *expressions], **_judged(limits.prediction_shift, 1)},
    )


def _endpoint_errors(watched: Watched, limits: Limits) -> dict[str, Alarm]:
    """One alarm for as many variants as its expression may read, and one more for each further such number."""
    most = MOST_METRICS // 2
    groups = [watched.variants[start : start + most] for start in range(0, len(watched.variants), most)]
    return {
        "endpoint-errors" if place == 1 else f"endpoint-errors-{place}": _variant_errors(watched, limits, group)
        for place, group in enumerate(groups, 1)
    }


def _variant_errors(watched: Watched, limits: Limits, variants: Sequence[str]) -> Alarm:
    # Another endpoint has another version's variants: there is nothing to compare with.
    queries: list[dict[str, Any]] = []
    shares = []
    for number, variant in enumerate(variants):
        dimensions = of_variant(watched, variant)
        for name, metric in (("events", "Invocation5XXErrors"), ("requests", "Invocations")):
            queries.append(_query(f"{name}{number}", "AWS/SageMaker", metric, dimensions, limits.period_minutes * 60))
        shares.append(share_of_requests(limits, limits.endpoint_errors, str(number)))
    # A variant that nobody asked in a period has no data there, and says nothing.
    expression = shares[0] if len(shares) == 1 else f"MAX([{','.join(shares)}])"
    return Alarm(
        "The release's endpoint answers a large share of its requests with 5XX",
        True,
        {"metric_queries": [*queries, _share(expression)], **_judged(limits.share, limits.periods)},
    )


def _model_latency(watched: Watched, limits: Limits) -> Alarm:
    microseconds = limits.model_latency_ms * 1000
    return Alarm(
        "The release's container computes too long (p99)",
        # One slow request of a hundred is no reason to go back.
        False,
        _worst(watched, limits, "ModelLatency", microseconds, extended_statistic="p99"),
    )


def _worst(watched: Watched, limits: Limits, metric: str, threshold: float, **statistic: str) -> dict[str, Any]:
    """Of all variants that answer, the worst. One alarm for all: a deployment group watches ten at most."""
    if len(watched.variants) == 1:
        dimensions = of_variant(watched, watched.variants[0])
        return _simple(limits, "AWS/SageMaker", metric, dimensions, threshold, **statistic)
    (stat,) = statistic.values()
    period = limits.period_minutes * 60
    each = [
        _query(f"variant{number}", "AWS/SageMaker", metric, of_variant(watched, variant), period, stat)
        for number, variant in enumerate(watched.variants)
    ]
    # A variant that nobody asked in a period has no data there, and says nothing.
    expression = f"MAX([{','.join(query['id'] for query in each)}])"
    worst = {"id": "worst", "expression": expression, "label": f"Worst {metric} of a variant", "return_data": True}
    return {"metric_queries": [*each, worst], **_judged(threshold, limits.periods)}


def _api_errors(watched: Watched, limits: Limits) -> Alarm:
    return Alarm(
        "The API answers 5XX",
        False,
        _simple(limits, "AWS/ApiGateway", "5XXError", _of_api(watched), limits.api_errors, statistic="Sum"),
    )


def _api_latency(watched: Watched, limits: Limits) -> Alarm:
    dimensions = _of_api(watched)
    return Alarm(
        "The API answers slowly (p99)",
        False,
        _simple(limits, "AWS/ApiGateway", "Latency", dimensions, limits.api_latency_ms, extended_statistic="p99"),
    )


def _of_version(watched: Watched) -> dict[str, Any]:
    return {"Service": watched.service, "Version": watched.version}


def _executed(watched: Watched) -> dict[str, Any]:
    """What Lambda counts for one version behind an alias; direct invocations of the version are not in it."""
    return {**_behind_alias(watched), "ExecutedVersion": watched.version}


def of_variant(watched: Watched, variant: str) -> dict[str, Any]:
    """Dimensions of what SageMaker counts for one variant."""
    return {"EndpointName": watched.endpoint, "VariantName": variant}


def _behind_alias(watched: Watched) -> dict[str, Any]:
    """What Lambda counts for all versions behind the alias together."""
    return {"FunctionName": watched.function, "Resource": f"{watched.function}:{watched.alias}"}


def _of_api(watched: Watched) -> dict[str, Any]:
    return {"ApiName": watched.api, "Stage": watched.stage}


def _query(
    name: str, namespace: str, metric: str, dimensions: dict[str, Any], period: int, stat: str = "Sum"
) -> dict[str, Any]:
    wanted = {"namespace": namespace, "metric_name": metric, "dimensions": dimensions, "period": period, "stat": stat}
    return {"id": name, "metric": wanted, "return_data": False}


def _compared(
    limits: Limits,
    namespace: str,
    metrics: tuple[str, str],
    least: int,
    own: dict[str, Any],
    all_: dict[str, Any],
) -> dict[str, Any]:
    """A hard limit on the first of `metrics`, of which the second is the number of requests.

    `own` and `all_`: dimensions of the new version, and of both together.
    """
    period = limits.period_minutes * 60
    each = [
        _query(f"{start}{name}", namespace, metric, dimensions, period)
        for start, dimensions in (("", own), ("all_", all_))
        for name, metric in zip(("events", "requests"), metrics, strict=True)
    ]
    share = _share(share_of_requests(limits, least, compared=True))
    return {"metric_queries": [*each, share], **_judged(limits.share, limits.periods)}


def _share(expression: str) -> dict[str, Any]:
    return {"id": "share", "expression": expression, "label": "Percent of the requests", "return_data": True}


def _simple(
    limits: Limits, namespace: str, metric: str, dimensions: dict[str, Any], threshold: float, **statistic: str
) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "metric_name": metric,
        "dimensions": dimensions,
        "period": limits.period_minutes * 60,
        **statistic,
        **_judged(threshold, limits.periods),
    }


def _judged(threshold: float, periods: int) -> dict[str, Any]:
    return {
        "comparison_operator": "GreaterThanOrEqualToThreshold",
        "threshold": threshold,
        "evaluation_periods": periods,
        "treat_missing_data": "notBreaching",
    }
