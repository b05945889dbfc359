"""The gate's decision, as pure logic.

A model passes when its metric beats the threshold and it is not worse than the champion on the same rows
(`functions.gate.compare`). Where the rows tell neither better nor worse, config says what follows for the run's reason.
Where the champion cannot be asked, the threshold alone decides, and the verdict says so.

Further metrics that config names must be satisfied as well (`functions.gate.also`).

Of classes two things more are asked: that the test part has enough rows of each, without which nothing is judged, and
that the model is better than the best answer which is the same for every row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.cross_table import render_table
from contracts.dataset import REFUSE, Metric
from contracts.differences import render_differences
from contracts.fields import FieldError
from contracts.tasks import CLASS_ROWS, MULTICLASS, needed_rows
from functions.gate.also import satisfied
from functions.gate.compare import Comparison, Outcome, compare
from functions.shared.evaluation import Compared, Evaluation, Paired, Value

_NAMED = 5
"""Classes that a sentence counts: the rarest, where there are more."""


@dataclass(frozen=True)
class Champion:
    """The package to beat; `problem` says why it could not be handed to the evaluation, where it could not.

    `package` is None where nothing tells any more which one serves. `release` is its id, `sha256` that of its model.
    `recorded` says whether its manifest tells which rows it was tested on. `edges` are those of the bins that its
    predictions are counted in.
    """

    package: str | None
    problem: str = ""
    release: str = ""
    sha256: str = ""
    recorded: bool = True
    edges: tuple[float, ...] = ()


def decide(
    evaluation: Evaluation, metric: Metric, champion: Champion | None, reason: str, classes: Sequence[str] = ()
) -> dict[str, Any]:
    """The verdict: `passed`, `reason` (a sentence); `metrics`, `champion`, `distribution`, `pair` as in the manifest.

    `reason` is why the run trains, one of `contracts.retraining.REASONS`; `classes` are the names of the classes, where
    they have some. Where nothing can be judged, `metrics`, `champion` and `pair` are None.
    """
    if classes and len(evaluation.class_rows) != len(classes):
        reason = f"must be of {', '.join(classes)}, not of {len(evaluation.class_rows)} classes"
        raise FieldError("evaluation.class_rows", reason)
    if not evaluation.judgeable:
        return _not_judged(evaluation, classes)
    found = evaluation.named(metric.name)
    enough = _better(found.value, metric.threshold, metric)
    paired, problem = _paired(evaluation, metric, champion)
    stands, verdict, outcome = True, problem, None
    if paired and evaluation.champion:
        slices = evaluation.champion.slices if evaluation.metric == metric.name else ()
        comparison = compare(metric, paired, slices, _rows(evaluation.rows, evaluation.champion))
        comparison = _doubted(comparison, evaluation.champion, champion)
        stands, verdict = _follows(comparison, metric, reason)
        outcome = comparison.outcome
    # The evaluation refuses it first. It is the commit's own code, this is not.
    learned = bool(evaluation.distribution.edges) or evaluation.task == MULTICLASS
    if not learned:
        verdict = "it gives one answer to all of them: it has learned nothing"
    if evaluation.constant is not None and not _better(found.value, evaluation.constant, metric):
        learned, verdict = False, f"one answer to all of them would reach {evaluation.constant:.4g} without features"
    others = [each for wanted in metric.also for each in satisfied(evaluation, wanted)]
    verdict = "; ".join([verdict, *(each.words for each in others)])
    passed = enough and stands and learned and all(each.holds for each in others)
    return {
        "passed": passed,
        "reason": _sentence(found, metric, _of(evaluation, classes), passed, enough, verdict),
        "metrics": _metrics(evaluation, found, metric),
        "champion": _champion(champion, paired, verdict, outcome),
        "distribution": _distribution(evaluation),
        "pair": _pair(champion, evaluation),
    }


def _not_judged(evaluation: Evaluation, classes: Sequence[str]) -> dict[str, Any]:
    """The verdict where a class has too few rows: what is measured by them is chance."""
    rows = evaluation.class_rows
    reason = (
        f"Not judged: {_of(evaluation, classes)} are too few of a class; {CLASS_ROWS} of each are needed,"
        f" {needed_rows(rows)}: train on more data, or have features.sql hold out more."
    )
    told = {"metrics": None, "champion": None, "distribution": _distribution(evaluation), "pair": None}
    return {"passed": False, "reason": reason, **told}


def _of(evaluation: Evaluation, classes: Sequence[str]) -> str:
    """How many rows there are, of each class too: `50 held-out rows (24 of class 0, 26 of class 1)`."""
    if not evaluation.class_rows:
        return f"{evaluation.rows} held-out rows"
    names = classes or [f"class {place}" for place in range(len(evaluation.class_rows))]
    counted = [f"{rows} of {name}" for rows, name in zip(evaluation.class_rows, names, strict=True)]
    if len(counted) > _NAMED:
        rarest = sorted(range(len(names)), key=lambda place: evaluation.class_rows[place])[:_NAMED]
        counted = [*(counted[place] for place in rarest), f"more of {len(names) - _NAMED} others"]
    return f"{evaluation.rows} held-out rows ({', '.join(counted)})"


def _distribution(evaluation: Evaluation) -> dict[str, Any]:
    found = evaluation.distribution
    return {"edges": list(found.edges), "shares": list(found.shares)}


def _paired(evaluation: Evaluation, metric: Metric, champion: Champion | None) -> tuple[Paired | None, str]:
    """The champion on the same rows; or None, and a sentence that says why there is no comparison."""
    if champion is None:
        return None, "there is no champion to compare with"
    compared = evaluation.champion
    found = compared.metrics.get(metric.name) if compared else None
    if found:
        return found, ""
    problem = champion.problem or (compared.problem if compared else "the evaluation was not given it")
    problem = (problem or f"its {metric.name} is undefined on these rows").rstrip(".")
    return None, f"NOT compared with the champion ({problem}): the threshold alone decides"


def _rows(rows: int, compared: Compared) -> str:
    """Which of the held-out rows both have answered, in words."""
    if compared.rows is None or compared.rows == rows:
        return "the same rows"
    known = "that both have features of" if compared.doubt else "that neither was trained on"
    return f"the {compared.rows} of {rows} rows {known}"


def _doubted(comparison: Comparison, compared: Compared, champion: Champion | None) -> Comparison:
    """What is left of a comparison in which the champion may have had an advantage, or was asked what it does not know.

    One that it may have won by knowing the rows is on the safe side. One that it lost with features that are not its
    own, or by another target than its own, proves nothing.
    """
    words, outcome = comparison.words, comparison.outcome
    doubt = compared.doubt if champion is None or champion.recorded else "it is not recorded how its rows were split"
    if doubt:
        words += f"; the champion may have been trained on some of these rows ({doubt.rstrip('.')})"
    if not compared.foreign:
        return Comparison(outcome, words)
    words += f"; that a champion loses proves nothing here ({compared.foreign.rstrip('.')})"
    return Comparison("undecided", f"undecided: {words}") if outcome == "better" else Comparison(outcome, words)


def _follows(comparison: Comparison, metric: Metric, reason: str) -> tuple[bool, str]:
    """Whether the model goes on, and the words that say why."""
    if comparison.outcome != "undecided":
        return comparison.outcome == "better", comparison.words
    if metric.undecided[reason] == REFUSE:
        return False, f"{comparison.words}, and after {reason} a model must be better"
    return True, comparison.words


def _sentence(found: Value, metric: Metric, rows: str, passed: bool, enough: bool, verdict: str) -> str:
    side = "below" if metric.lower_is_better else "above"
    interval = f"95 % interval {found.ci[0]:.4g} to {found.ci[1]:.4g}"
    return (
        f"{'Passed' if passed else 'Failed'}: {metric.name} {found.value:.4g} ({interval}) on {rows}"
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
        "class_rows": list(evaluation.class_rows),
        "slices": [{"slice": item.slice, "value": item.value, "rows": item.rows} for item in slices],
    }


def _champion(
    champion: Champion | None, paired: Paired | None, verdict: str, outcome: Outcome | None
) -> dict[str, Any] | None:
    if champion is None:
        return None
    value = paired.value if paired else None
    return {"package": champion.package, "value": value, "verdict": verdict, "outcome": outcome}


def _pair(champion: Champion | None, evaluation: Evaluation) -> dict[str, Any] | None:
    """How far both models' answers lie apart, and whose the other ones are; None where nobody can say.

    Raises FieldError for a table of other bins than the champion's: a shift would be stopped, or not, by chance.
    """
    compared = evaluation.champion
    answers = compared.answers if compared and not compared.foreign else None
    if champion is None or not champion.release or answers is None:
        return None
    pair = {"release": champion.release, "sha256": champion.sha256, "differences": render_differences(answers)}
    table = compared.table if compared else None
    if table is None:
        return {**pair, "table": None}
    if table.edges != champion.edges:
        reason = f"must be those that the champion's predictions are counted by, {list(champion.edges)}"
        raise FieldError("evaluation.champion.table.edges", f"{reason}, not {list(table.edges)}")
    return {**pair, "table": render_table(table)}


def _better(value: float, other: float, metric: Metric) -> bool:
    return value < other if metric.lower_is_better else value > other
