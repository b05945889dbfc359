"""Model against champion on the same rows: better, worse or undecided, and what the rows could have told.

The difference is oriented as a *loss*: what the model is worse by, in the metric's unit, whichever side is better.

| outcome | when |
|---|---|
| better | the whole interval of the loss lies below 0 |
| worse | the whole interval lies above the margin, or a slice's does |
| undecided | anything else; `visible` says which loss would have been called worse |

An equal model is called worse in 2.5 % of evaluations by the whole (two-sided interval of 95 %), and in at most 1 %
more by slices: that is shared among them (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from contracts.dataset import Metric
from contracts.tasks import CLASS_ROWS
from functions.shared.evaluation import Paired, PairedSlice, Value

Outcome = Literal["better", "worse", "undecided"]
POWER = 0.8
_SLICES_ALPHA = 0.01
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Comparison:
    """What came of it, and the words that say why, for the verdict's sentence."""

    outcome: Outcome
    words: str


def compare(metric: Metric, paired: Paired, slices: Sequence[PairedSlice], rows: str = "the same rows") -> Comparison:
    """The model against the champion: `paired` on all rows, `slices` on parts of them. `rows` says which, in words."""
    low, high = _loss(metric, paired.difference)
    figures = _figures(metric, paired, rows)
    if low > metric.margin:
        return Comparison("worse", f"clearly worse than the champion {figures}")
    found = _worst(metric, slices)
    if found:
        return Comparison("worse", found)
    few = [part for part in slices if not _large_enough(metric, part)]
    note = f"; too small to be judged: {len(few)} of {len(slices)} slices" if few else ""
    if high < 0:
        return Comparison("better", f"clearly better than the champion {figures}{note}")
    least = f"{visible(metric.margin, paired.difference.sd):.3g}"
    seen = f"a loss of {least} would have been seen with {100 * POWER:.0f} % power"
    return Comparison("undecided", f"undecided against the champion {figures}; {seen}{note}")


def visible(margin: float, sd: float) -> float:
    """The true loss that is called worse with a probability of POWER.

    Its estimate is normal with `sd` around it, and 1.96 of these must lie between estimate and margin.
    """
    return margin + (_NORMAL.inv_cdf(0.975) + _NORMAL.inv_cdf(POWER)) * sd


def power(loss: float, margin: float, sd: float) -> float:
    """The probability with which a true loss is called worse."""
    if sd == 0:
        return float(loss > margin)
    return _NORMAL.cdf((loss - margin) / sd - _NORMAL.inv_cdf(0.975))


def _worst(metric: Metric, slices: Sequence[PairedSlice]) -> str:
    """The slice that proves the largest loss above what is let through, in words; empty where none does."""
    judged = [part for part in slices if _large_enough(metric, part)]
    if not judged:
        return ""
    confidence = 1 - _SLICES_ALPHA / len(judged)
    deviations = _NORMAL.inv_cdf(confidence)

    def proven(part: PairedSlice) -> float:
        difference = part.paired.difference
        loss = difference.value if metric.lower_is_better else -difference.value
        return loss - deviations * difference.sd

    worst = max(judged, key=proven)
    if proven(worst) <= metric.slice_loss:
        return ""
    own = worst.paired.value + worst.paired.difference.value
    return (
        f"clearly worse than the champion where {worst.slice} (it has {worst.paired.value:.4g}, this model {own:.4g} on"
        f" the same {worst.rows} rows; a loss of at least {proven(worst):.3g} with {confidence:.4g} confidence, let"
        f" through is {metric.slice_loss:.3g})"
    )


def _large_enough(metric: Metric, part: PairedSlice) -> bool:
    """Whether a slice has enough rows, of each class too where the metric is made of them."""
    return part.rows >= metric.slice_rows and (part.rarest is None or part.rarest >= CLASS_ROWS)


def _figures(metric: Metric, paired: Paired, rows: str) -> str:
    low, high = paired.difference.ci
    own = paired.value + paired.difference.value
    margin = f", margin {metric.margin:.3g}" if metric.margin else ""
    return (
        f"(it has {paired.value:.4g}, this model {own:.4g} on {rows};"
        f" difference {paired.difference.value:+.3g}, 95 % interval {low:+.3g} to {high:+.3g}{margin})"
    )


def _loss(metric: Metric, difference: Value) -> tuple[float, float]:
    """The interval of the loss. The difference is ours less the champion's."""
    low, high = difference.ci
    return (low, high) if metric.lower_is_better else (-high, -low)
