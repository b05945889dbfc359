"""Further metrics that a model must satisfy: each by a threshold, by non-inferiority to the champion, or by both.

Non-inferiority is proven where the whole 95 % interval of the loss lies below what is let through (Guideline on the
choice of the non-inferiority margin, EMA, 2005). All metrics must be satisfied, so that none needs a stricter interval
for the others' sake: a model that one of them should refuse has to get past that one (Berger, Multiparameter hypothesis
testing and acceptance sampling, Technometrics 24, 1982: the intersection-union test).
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.dataset import Also
from functions.shared.evaluation import Compared, Evaluation


@dataclass(frozen=True)
class Satisfied:
    """Whether it is, and the words that say why."""

    holds: bool
    words: str


def satisfied(evaluation: Evaluation, wanted: Also) -> list[Satisfied]:
    """What is asked of one metric, one after the other. Raises FieldError for a metric that was not evaluated."""
    value = evaluation.named(wanted.name).value
    found = []
    if wanted.threshold is not None:
        better = value < wanted.threshold if wanted.lower_is_better else value > wanted.threshold
        side = "below" if wanted.lower_is_better else "above"
        words = f"{wanted.name} {value:.4g} {'is' if better else 'must be'} {side} {wanted.threshold:.4g}"
        found.append(Satisfied(better, words))
    if wanted.non_inferior is not None:
        found.append(_non_inferior(evaluation.champion, wanted.name, wanted.non_inferior, wanted.lower_is_better))
    return found


def _non_inferior(compared: Compared | None, name: str, most: float, lower_is_better: bool) -> Satisfied:
    """Without a champion that was asked what it knows, nobody can be inferior to it."""
    paired = compared.metrics.get(name) if compared and not compared.foreign else None
    if paired is None:
        return Satisfied(True, f"{name} not compared")
    low, high = paired.difference.ci
    loss = high if lower_is_better else -low
    holds = loss < most
    shown = f"{name} loses {loss:.3g} at most to the champion (95 %)"
    return Satisfied(holds, f"{shown}, {'less than' if holds else 'which must be less than'} {most:.3g}")
