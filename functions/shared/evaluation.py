"""The evaluation's result, as the evaluation job writes it and gate, registration and manifest read it.

The outer form is the one SageMaker's model registry shows for such models; `ci` and `slices` are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.cross_table import CrossTable, check_table, parse_table
from contracts.differences import Differences, parse_differences
from contracts.distribution import Distribution, parse_distribution
from contracts.fields import FieldError, Fields, name, number, parse_json, whole
from contracts.tasks import BINARY, CLASS_ROWS, MULTICLASS, REGRESSION, TASKS

_MATRIX = "confusion_matrix"
"""Stands among the metrics, for people and the registry."""
_PROBLEM = 200
"""Characters of why a champion could not be asked: the commit's own code says so, and an approver reads it."""


GROUPS = {
    REGRESSION: "regression_metrics",
    BINARY: "binary_classification_metrics",
    MULTICLASS: "multiclass_classification_metrics",
}
"""Member that has the metrics, by task.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""


@dataclass(frozen=True)
class Value:
    """A metric with its bootstrap confidence interval and standard deviation."""

    value: float
    ci: tuple[float, float]
    sd: float


@dataclass(frozen=True)
class SliceValue:
    """The metric on a part of the rows."""

    slice: str
    value: float
    rows: int


@dataclass(frozen=True)
class Paired:
    """The champion's value of a metric on the same rows; `difference` is the evaluated model's less that."""

    value: float
    difference: Value


@dataclass(frozen=True)
class PairedSlice:
    """The champion's value of the evaluation's metric on a part of the same rows, and the difference to it.

    `rarest`: rows of the rarest class, where the metric needs some of each; else None.
    """

    slice: str
    rows: int
    paired: Paired
    rarest: int | None = None


@dataclass(frozen=True)
class Compared:
    """The champion on the same rows: its metrics by name, or the `problem` for which it could not be asked.

    `rows` are those that neither was trained on; None where the evaluation does not say, as code from before does.
    `doubt` says why that is not known for certain, `foreign` why it proves nothing that the champion loses.
    `answers` is how far the two models' answers lie apart there, `table` how both put the rows into bins; an
    evaluate.py of somebody's own may leave either out.
    """

    metrics: dict[str, Paired]
    slices: tuple[PairedSlice, ...] = ()
    problem: str = ""
    rows: int | None = None
    doubt: str = ""
    foreign: str = ""
    answers: Differences | None = None
    table: CrossTable | None = None


@dataclass(frozen=True)
class Evaluation:
    """Metrics by name, on `rows` held-out rows; `slices` are of `metric`, `distribution` is that of the predictions.

    `champion` is None where there was no other model to compare with. `class_rows` says of how many rows each class
    is; empty of a regression. `constant` is the best that a model reaches which answers the same to every row.
    """

    metric: str
    metrics: dict[str, Value]
    rows: int
    slices: tuple[SliceValue, ...]
    distribution: Distribution
    champion: Compared | None = None
    task: str = REGRESSION
    class_rows: tuple[int, ...] = ()
    constant: float | None = None

    @property
    def judgeable(self) -> bool:
        """Whether there are enough rows of each class."""
        return not self.class_rows or min(self.class_rows) >= CLASS_ROWS

    def named(self, metric: str) -> Value:
        """The metric of that name. Raises FieldError where it was not evaluated."""
        if metric not in self.metrics:
            known = ", ".join(self.metrics)
            raise FieldError(f"evaluation.{GROUPS[self.task]}", f"have no {metric!r}, only {known}")
        return self.metrics[metric]


def parse_evaluation(text: str) -> Evaluation:
    """Read evaluation.json; a FieldError names place and reason."""
    fields = Fields(parse_json(text, "evaluation"), "evaluation")
    task = fields.text("task", "|".join(TASKS), f"one of {', '.join(TASKS)}") if fields.has("task") else REGRESSION
    path = f"evaluation.{GROUPS[task]}"
    values = fields.raw(GROUPS[task])
    inner = Fields(values, path)
    metrics = {key: _value(inner.raw(key), f"{path}.{key}") for key in list(values) if key != _MATRIX}
    if fields.has("calibration"):
        fields.raw("calibration")  # for people
    evaluation = Evaluation(
        metric=name(fields.raw("metric"), "evaluation.metric"),
        metrics=metrics,
        rows=fields.count("rows", least=1),
        slices=fields.items("slices", _slice),
        distribution=parse_distribution(fields.raw("distribution"), "evaluation.distribution"),
        champion=_compared(fields.raw("champion")) if fields.has("champion") else None,
        task=task,
        class_rows=_class_rows(fields, task),
        constant=fields.number("constant") if fields.has("constant") and not fields.null("constant") else None,
    )
    fields.done()
    if evaluation.judgeable:
        evaluation.named(evaluation.metric)
    compared = evaluation.champion
    if compared and compared.table and compared.answers:
        rows = sum(each.rows for each in compared.answers.bins)
        check_table(compared.table, len(evaluation.distribution.shares), rows, "evaluation.champion.table")
    return evaluation


def _class_rows(fields: Fields, task: str) -> tuple[int, ...]:
    """How many rows each class has: without that nobody would see that one has none."""
    if task == REGRESSION:
        return ()
    found = fields.items("class_rows", whole)
    if len(found) < 2:
        raise FieldError("evaluation.class_rows", f"must be of two classes or more, not {list(found)}")
    return found


def _value(value: object, path: str) -> Value:
    fields = Fields(value, path)
    result, sd, bounds = fields.number("value"), fields.number("standard_deviation"), fields.items("ci", number)
    fields.done()
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        raise FieldError(f"{path}.ci", f"must be a lower and an upper bound, not {list(bounds)}")
    if sd < 0:
        raise FieldError(f"{path}.standard_deviation", f"must be 0 or more, not {sd:g}")
    return Value(result, (bounds[0], bounds[1]), sd)


def _compared(value: object) -> Compared | None:
    if value is None:
        return None
    path = "evaluation.champion"
    fields = Fields(value, path)
    if fields.has("problem"):
        found = Compared({}, problem=_line(fields.text("problem")))
    else:
        values = fields.raw("metrics")
        inner = Fields(values, f"{path}.metrics")
        metrics = {key: _paired(inner.raw(key), f"{path}.metrics.{key}") for key in list(values)}
        slices = fields.items("slices", _paired_slice)
        rows = fields.count("rows", least=1) if fields.has("rows") else None
        doubt, foreign = (_line(fields.text(name)) if fields.has(name) else "" for name in ("doubt", "foreign"))
        answers = parse_differences(fields.raw("answers"), f"{path}.answers") if fields.has("answers") else None
        table = parse_table(fields.raw("table"), f"{path}.table") if fields.has("table") else None
        found = Compared(metrics, slices, rows=rows, doubt=doubt, foreign=foreign, answers=answers, table=table)
    fields.done()
    return found


def _line(text: str) -> str:
    return " ".join(text.split())[:_PROBLEM]


def _paired(value: object, path: str) -> Paired:
    fields = Fields(value, path)
    result = _pair_of(fields, path)
    fields.done()
    return result


def _pair_of(fields: Fields, path: str) -> Paired:
    return Paired(fields.number("value"), _value(fields.raw("difference"), f"{path}.difference"))


def _paired_slice(value: object, path: str) -> PairedSlice:
    fields = Fields(value, path)
    rarest = fields.count("rarest") if fields.has("rarest") else None
    result = PairedSlice(fields.text("slice"), fields.count("rows", least=1), _pair_of(fields, path), rarest)
    fields.done()
    return result


def _slice(value: Any, path: str) -> SliceValue:
    fields = Fields(value, path)
    result = SliceValue(fields.text("slice"), fields.number("value"), fields.count("rows", least=1))
    fields.done()
    return result
