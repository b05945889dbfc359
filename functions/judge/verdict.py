"""What follows from the counts of a shift: fail, pass or inconclusive, with the sentence that says why.

| outcome | when |
|---|---|
| fail | the evidence of any metric, or of the predictions' bins, has reached its threshold, at any look |
| pass | of every metric a loss of the tolerance is ruled out, and that any bin is far from what was predicted |
| inconclusive | anything else, and whatever was not seen because the judge looked away |
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from functions.judge import bins, evidence, tolerance
from functions.judge.bins import Pair
from functions.judge.counts import NOTHING, Counts, Tally, close

Outcome = Literal["fail", "pass", "inconclusive"]
_APART = (
    f"it is not ruled out that {100 * bins.APART:.2g} % of the predictions are in another bin than the evaluation says"
    " of this pair of models"
)


@dataclass(frozen=True)
class Finding:
    """Of one metric. `evidence`: the largest so far, as a power of ten. `upper`: the smallest difference of the rates
    that is ruled out, as a share of requests."""

    metric: str
    outcome: Outcome
    counts: Counts
    evidence: float
    upper: float


@dataclass(frozen=True)
class Verdict:
    """Of a shift."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    sentence: str


def verdict(
    tallies: Sequence[Tally], pair: Pair | None = None, tolerances: Mapping[str, float] | None = None
) -> Verdict:
    """At the end of a shift. `tallies`: of different metrics; the first one's bins are those of the predictions.

    `pair`: what the evaluation knows of both models, where it does. `tolerances`: metric → tolerated difference of the
    rates, where not the default.
    """
    ended = [(close(tally), name) for tally in tallies for name in tally.metrics]
    allowed = {name: (tolerances or {}).get(name, tolerance.TOLERANCE) for _, name in ended}
    limit = evidence.threshold(len(ended) + (pair is not None))
    findings = tuple(_finding(tally, name, allowed[name], limit) for tally, name in ended)
    failed = [each for each in findings if each.outcome == "fail"]
    if failed:
        return Verdict("fail", findings, f"Failed: {_words(failed[0], allowed)}.")
    shifted = bins.largest([block.bins for block in ended[0][0].blocks], pair) if pair else 0.0
    if shifted >= limit:
        return Verdict("fail", findings, f"Failed: {_shifted(shifted)}.")
    broken = next((tally.broken for tally in tallies if tally.broken), "")
    if broken:
        return Verdict("inconclusive", findings, f"Inconclusive: {broken}.")
    unclear = [each for each in findings if each.outcome == "inconclusive"]
    if unclear:
        return Verdict(
            "inconclusive", findings, f"Inconclusive: {'; '.join(_words(each, allowed) for each in unclear)}."
        )
    if pair and not bins.passes([block.bins for block in ended[0][0].weights], pair):
        return Verdict("inconclusive", findings, f"Inconclusive: {_APART}.")
    return Verdict("pass", findings, f"Passed: {'; '.join(_words(each, allowed) for each in findings)}.")


def _finding(tally: Tally, metric: str, allowed: float, limit: float) -> Finding:
    blocks, weights = tally.counts(metric), tally.by_weight(metric)
    largest = evidence.largest(blocks)
    outcome: Outcome = "inconclusive"
    if largest >= limit:
        outcome = "fail"
    elif tolerance.passes(weights, allowed):
        outcome = "pass"
    return Finding(metric, outcome, sum(weights, NOTHING), largest / math.log(10), tolerance.upper(weights))


def _shifted(evidence_: float) -> str:
    chance = _shifts(evidence_ / math.log(10))
    return (
        "the new version's predictions are distributed otherwise than the evaluation says of this pair of models, by an"
        f" odds ratio above {bins.ODDS:.2g}; so much would be seen by chance once in {chance} shifts at most"
    )


def _shifts(evidence_: float) -> str:
    """One in so many; `evidence_` is a power of ten, which a number may be too small for."""
    return f"{10**evidence_:.3g}" if evidence_ < 6 else f"10^{evidence_:.0f}"


def _words(found: Finding, allowed: Mapping[str, float]) -> str:
    counts = found.counts
    seen = (
        f"{found.metric}: {counts.new_events} of {counts.new_requests} requests of the new version, "
        f"{counts.old_events} of {counts.old_requests} of the old one"
    )
    if found.outcome == "fail":
        return f"{seen}; so many would be seen by chance once in {_shifts(found.evidence)} shifts at most"
    limit = f"{100 * allowed[found.metric]:.2g} points are tolerated"
    if found.outcome == "pass":
        return f"{seen}; worse by {100 * found.upper:.2g} points or more is ruled out, {limit}"
    if found.upper == 1:
        return f"{seen}; no loss is ruled out, {limit}"
    return f"{seen}; only a loss of {100 * found.upper:.2g} points or more is ruled out, {limit}"
