"""What the variants of an endpoint did, minute by minute, for their comparison.

Failed is what SageMaker counts as its model's (4XX as well: what a caller does wrong never gets to a model), and what
the predict function could not use of an answer. That one is by variant and by version of the function; a failure that
the endpoint reports is not, as SageMaker does not say whose it is. Slow is what took the model alone longer than the
function's limit. https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.errors import UserError
from functions.judge.counts import AGE_SECONDS, Counts
from functions.judge.record import FAILED, SLOW
from functions.shared import metrics

_DAY = 86_400
_PERIODS = ((15 * _DAY, 60), (63 * _DAY, 300), (455 * _DAY, 3_600))
"""Seconds for which CloudWatch keeps periods of so many seconds:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html

A test that is older is compared by longer periods, and not from a later start on: a start that moves with the look
would make a new test of each."""


@dataclass(frozen=True)
class Contest:
    """An endpoint whose variants stand side by side since `start`, in epoch seconds.

    `version`: of the predict function, the one that asks this endpoint; its metrics are `service`'s in `namespace`.
    `latency_ms`: from when on an answer is slow; None where the function has no such limit.
    """

    endpoint: str
    start: float
    version: str
    namespace: str
    service: str
    latency_ms: float | None


def contest_of(function: Mapping[str, Any]) -> Contest:
    """From the configuration of the function's version that serves.

    A version has one endpoint, an endpoint one set of weights: since the version was published nothing has changed.
    """
    variables = function["Environment"]["Variables"]
    limit = variables.get("LATENCY_MS")
    return Contest(
        variables["ENDPOINT_NAME"],
        datetime.fromisoformat(function["LastModified"]).timestamp(),
        function["Version"],
        variables["METRIC_NAMESPACE"],
        variables["SERVICE"],
        float(limit) if limit else None,
    )


def minutes(
    cloudwatch: Any, contest: Contest, variant: str, own: str, now: float
) -> tuple[dict[str, tuple[Counts, ...]], float]:
    """Metric → counts since the test's start, `own` being the release's variant; and how many hours those are.

    What is younger than three minutes is left out: reports of it may be still to come. Raises UserError for an answer
    that lacks a part.
    """
    period = _period(now - contest.start)
    start = math.ceil(contest.start / period) * period
    end = math.floor((now - AGE_SECONDS) / period) * period
    wanted = {(name, key): query for name in (variant, own) for key, query in _queries(contest, name).items()}
    found: dict[float, dict[tuple[str, str], float]] = {}
    if start < end:
        for key, at, value in _read(cloudwatch, wanted, period, start, end):
            found.setdefault(at, {})[key] = value
    events: dict[str, tuple[str, ...]] = {FAILED: ("4XX", "5XX", "unusable")}
    if contest.latency_ms is not None:
        events[SLOW] = ("slow",)
    counts = {
        metric: tuple(_counts(values, variant, own, keys) for _, values in sorted(found.items()))
        for metric, keys in events.items()
    }
    return counts, max(0, end - start) / 3600


def _counts(values: Mapping[tuple[str, str], float], variant: str, own: str, keys: tuple[str, ...]) -> Counts:
    requests = {name: values.get((name, "requests"), 0.0) for name in (own, variant)}
    events = {name: sum(values.get((name, key), 0.0) for key in keys) for name in (own, variant)}
    return Counts(requests[own], events[own], requests[variant], events[variant])


def _period(age: float) -> int:
    return next((period for kept, period in _PERIODS if age < kept), _PERIODS[-1][1])


def _queries(contest: Contest, variant: str) -> dict[str, tuple[str, str, dict[str, str], str]]:
    """Key → namespace, metric, dimensions and statistic."""
    endpoint = {"EndpointName": contest.endpoint, "VariantName": variant}
    function = {"Service": contest.service, "Version": contest.version, "Variant": variant}
    found = {
        "requests": ("AWS/SageMaker", "Invocations", endpoint, "Sum"),
        "4XX": ("AWS/SageMaker", "Invocation4XXErrors", endpoint, "Sum"),
        "5XX": ("AWS/SageMaker", "Invocation5XXErrors", endpoint, "Sum"),
        "unusable": (contest.namespace, "ModelErrors", function, "Sum"),
    }
    if contest.latency_ms is not None:
        # Trimmed count: values above so many microseconds.
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
        found["slow"] = ("AWS/SageMaker", "ModelLatency", endpoint, f"TC({1000 * contest.latency_ms:.0f}:)")
    return found


def _read(
    cloudwatch: Any, wanted: Mapping[tuple[str, str], tuple[str, str, dict[str, str], str]],
    period: int, start: float, end: float,
) -> Iterator[tuple[tuple[str, str], float, float]]:  # fmt: skip
    """Key, start of a period, and its value."""
    keys = list(wanted)
    queries = [metrics.query(f"m{number}", *wanted[key], period) for number, key in enumerate(keys)]
    try:
        for identity, at, value in metrics.series(cloudwatch, queries, start, end):
            yield keys[int(identity[1:])], at, value
    except metrics.IncompleteError as error:
        raise UserError(str(error), "nothing was changed; run the command again") from None
