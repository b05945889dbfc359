"""The gate's decision, as pure logic.

A model passes when its metric beats the threshold, and when the champion's value is not better than the whole
confidence interval of the challenger: a difference within the noise of the held-out rows stops nobody.
After drift the comparison is reported, but does not stop: the champion's value was measured in another world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.dataset import Metric
from functions.shared.evaluation import Evaluation, Value


@dataclass(frozen=True)
class Champion:
    """The package now approved, and its metric (None where it was registered without that metric)."""

    package: str
    value: float | None


def decide(evaluation: Evaluation, metric: Metric, champion: Champion | None, reason: str) -> dict[str, Any]:
    """The verdict: `passed`, `reason` (a sentence), and `metrics`, `champion`, `distribution` as in the manifest."""
    found = evaluation.named(metric.name)
    enough = _better(found.value, metric.threshold, metric)
    stands, verdict = _compare(found, metric, champion, reason)
    passed = enough and stands
    return {
        "passed": passed,
        "reason": _sentence(found, metric, evaluation.rows, passed, enough, verdict),
        "metrics": _metrics(evaluation, found, metric),
        "champion": _champion(champion, verdict),
        "distribution": {
            "edges": list(evaluation.distribution.edges),
            "shares": list(evaluation.distribution.shares),
        },
    }


def _compare(found: Value, metric: Metric, champion: Champion | None, reason: str) -> tuple[bool, str]:
    if champion is None:
        return True, "there is no champion to compare with"
    if champion.value is None:
        return True, f"the champion has no {metric.name} to compare with"
    best = found.ci[0] if metric.lower_is_better else found.ci[1]
    figures = f"{champion.value:.4g} against {found.value:.4g}"
    if not _better(champion.value, best, metric):
        better = _better(found.value, champion.value, metric)
        return True, f"{'better than' if better else 'not clearly worse than'} the champion ({figures})"
    if reason == "drift":
        return True, f"worse than the champion ({figures}), which after drift does not stop it"
    return False, f"clearly worse than the champion ({figures})"


def _sentence(found: Value, metric: Metric, rows: int, passed: bool, enough: bool, verdict: str) -> str:
    side = "below" if metric.lower_is_better else "above"
    interval = f"95 % interval {found.ci[0]:.4g} to {found.ci[1]:.4g}"
    return (
        f"{'Passed' if passed else 'Failed'}: {metric.name} {found.value:.4g} ({interval}) on {rows} held-out rows"
        f" {'is' if enough else 'must be'} {side} {metric.threshold:.4g}; {verdict}."
    )


def _metrics(evaluation: Evaluation, found: Value, metric: Metric) -> dict[str, Any]:
    slices = evaluation.slices if evaluation.metric == metric.name else ()
    return {
        "name": metric.name,
        "value": found.value,
        "ci": list(found.ci),
        "threshold": metric.threshold,
        "rows": evaluation.rows,
        "slices": [{"slice": item.slice, "value": item.value, "rows": item.rows} for item in slices],
    }


def _champion(champion: Champion | None, verdict: str) -> dict[str, Any] | None:
    if champion is None or champion.value is None:
        return None
    return {"package": champion.package, "value": champion.value, "verdict": verdict}


def _better(value: float, other: float, metric: Metric) -> bool:
    return value < other if metric.lower_is_better else value > other
