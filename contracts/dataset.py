"""The dataset's schema, as config gives it: what the raw file must hold, and what the model learns from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.fields import FieldError, Fields, name, number, parse_json, unique
from contracts.retraining import OWN_REASONS, REASONS
from contracts.tasks import BINARY, LOWER_IS_BETTER, METRICS, REGRESSION, TASKS, class_name, wrong_classes

TYPES = ("number", "integer", "timestamp", "string")
MODES = ("edges", "quantiles")
ACCEPT, REFUSE = UNDECIDED = ("accept", "refuse")
"""What may follow where rows do not tell whether a model is better or worse than the champion."""
SLICE_ROWS = 100
"""Fewest rows of a slice that is judged, unless config says otherwise: about what the normal form of an interval of a
bootstrap needs (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13)."""


@dataclass(frozen=True)
class Slice:
    """A feature whose ranges are evaluated apart: cut at `edges`, or in `quantiles` parts of equal size."""

    feature: str
    edges: tuple[float, ...] = ()
    quantiles: int = 0


@dataclass(frozen=True)
class Also:
    """A further metric that a model must satisfy: better than `threshold`, or proven to lose less than `non_inferior`
    against the champion, in the metric's unit; or both. None: not asked."""

    name: str
    threshold: float | None = None
    non_inferior: float | None = None

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is the better one."""
        return LOWER_IS_BETTER[self.name]


@dataclass(frozen=True)
class Metric:
    """What the gate looks at. A value exactly at the threshold does not pass.

    `margin` is the largest loss against the champion that is let through although it is proven, in the metric's unit;
    `slice_loss` is the same for a slice of at least `slice_rows` rows. `undecided` says for each reason to train what
    follows where the rows tell neither better nor worse. `also` are further metrics, all of which must be satisfied.
    """

    name: str
    threshold: float
    margin: float = 0.0
    slice_rows: int = SLICE_ROWS
    slice_loss: float = 0.0
    undecided: Mapping[str, str] = field(default_factory=lambda: undecided({}))
    also: tuple[Also, ...] = ()

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is the better one."""
        return LOWER_IS_BETTER[self.name]


@dataclass(frozen=True)
class Dataset:
    """`columns`: raw column → type (number, integer, timestamp, string); `features`: what features.sql computes.

    `classes` are the names of the target's values 0, 1, …: of several always, of two where answers are to have them.
    """

    columns: dict[str, str]
    target: str
    features: tuple[str, ...]
    slices: tuple[Slice, ...]
    metric: Metric
    task: str = REGRESSION
    classes: tuple[str, ...] = ()

    @property
    def class_count(self) -> int:
        """How many classes there are; 0 of a regression."""
        return {REGRESSION: 0, BINARY: 2}.get(self.task, len(self.classes))


def undecided(given: Mapping[str, str]) -> dict[str, str]:
    """What follows for each reason to train: a retraining that no person asked for must have helped."""
    return {reason: given.get(reason, REFUSE if reason in OWN_REASONS else ACCEPT) for reason in REASONS}


def parse_dataset(source: str | dict[str, Any]) -> Dataset:
    """Read a schema from its JSON text or object; a FieldError names place and reason."""
    document = parse_json(source, "dataset") if isinstance(source, str) else source
    dataset, slices = _read(document)
    dataset = replace(dataset, slices=tuple(_slice(part, path) for path, part in slices))
    for error in _disagreements(dataset, {path: part for (path, _), part in zip(slices, dataset.slices, strict=True)}):
        raise error
    return dataset


def review(document: dict[str, Any]) -> tuple[Dataset | None, list[FieldError]]:
    """The schema, or everything that is wrong with it, where its members by themselves are as they should be."""
    try:
        dataset, given = _read(document)
    except FieldError as error:
        return None, [error]
    errors: list[FieldError] = []
    slices: dict[str, Slice] = {}
    for path, part in given:
        try:
            slices[path] = _slice(part, path)
        except FieldError as error:
            errors.append(error)
    errors += _disagreements(dataset, slices)
    return (None if errors else replace(dataset, slices=tuple(slices.values()))), errors


def _read(document: object) -> tuple[Dataset, tuple[tuple[str, object], ...]]:
    """A schema without its slices, and these as they are given, with their paths."""
    fields = Fields(document, "dataset")
    task = fields.text("task", "|".join(TASKS), f"one of {', '.join(TASKS)}") if fields.has("task") else REGRESSION
    dataset = Dataset(
        columns=_columns(fields.raw("columns")),
        target=name(fields.raw("target"), "dataset.target"),
        features=unique(fields.items("features", name), "dataset.features"),
        slices=(),
        metric=_metric(fields.raw("metric"), task),
        task=task,
        classes=fields.items("classes", class_name) if fields.has("classes") else (),
    )
    slices = fields.items("slices", lambda part, path: (path, part)) if fields.has("slices") else ()
    fields.done()
    return dataset, slices


def _disagreements(dataset: Dataset, slices: Mapping[str, Slice]) -> Iterator[FieldError]:
    """What members say that others contradict."""
    if dataset.target not in dataset.columns:
        yield FieldError("dataset.target", f"{dataset.target!r} is not among the columns {', '.join(dataset.columns)}")
    if dataset.target in dataset.features:
        yield FieldError("dataset.features", f"contain the target {dataset.target!r}")
    if "draw" in dataset.columns:
        yield FieldError("dataset.columns", "may not name 'draw': features.sql finds each row's lot under that name")
    if "split" in (dataset.target, *dataset.features):
        yield FieldError("dataset.features", "may not be called 'split': features.sql uses that name for the parts")
    if reason := wrong_classes(dataset.task, dataset.classes):
        yield FieldError("dataset.classes", reason)
    for path, part in slices.items():
        if part.feature not in dataset.features:
            yield FieldError(f"{path}.feature", f"{part.feature!r} is not among the features")


def _columns(value: object) -> dict[str, str]:
    fields = Fields(value, "dataset.columns")
    if not isinstance(value, dict) or not value:
        raise FieldError("dataset.columns", "must not be empty")
    return {
        name(column, f"dataset.columns.{column}"): fields.text(column, "|".join(TYPES), f"one of {', '.join(TYPES)}")
        for column in value
    }


def _slice(value: object, path: str) -> Slice:
    fields = Fields(value, path)
    feature = name(fields.raw("feature"), f"{path}.feature")
    given = [mode for mode in MODES if fields.has(mode)]
    if len(given) != 1:
        raise FieldError(path, "needs either edges (a list of numbers) or quantiles (2 to 10)")
    edges = fields.items("edges", number) if given == ["edges"] else ()
    quantiles = fields.count("quantiles", least=2) if given == ["quantiles"] else 0
    fields.done()
    if given == ["edges"] and (not edges or list(edges) != sorted(set(edges))):
        raise FieldError(f"{path}.edges", f"must be increasing numbers, at least one, not {list(edges)}")
    if quantiles > 10:
        raise FieldError(f"{path}.quantiles", f"must be at most 10, not {quantiles}")
    return Slice(feature, edges, quantiles)


def _metric(value: object, task: str) -> Metric:
    fields = Fields(value, "dataset.metric")
    known = METRICS[task]
    margin = _loss(fields, "margin", 0.0)
    metric = Metric(
        name=fields.text("name", "|".join(known), f"one of {', '.join(known)} for task {task}"),
        threshold=fields.number("threshold"),
        margin=margin,
        slice_rows=fields.count("sliceRows", least=2) if fields.has("sliceRows") else SLICE_ROWS,
        slice_loss=_loss(fields, "sliceLoss", margin),
        undecided=_undecided(fields.raw("undecided") if fields.has("undecided") else {}),
        also=fields.items("also", lambda item, path: _also(item, path, task)) if fields.has("also") else (),
    )
    fields.done()
    names = [metric.name, *(each.name for each in metric.also)]
    if len(set(names)) < len(names):
        raise FieldError("dataset.metric.also", f"must name each metric once, and not {metric.name}, which is judged")
    return metric


def _also(value: object, path: str, task: str) -> Also:
    fields = Fields(value, path)
    known = METRICS[task]
    found = Also(
        name=fields.text("name", "|".join(known), f"one of {', '.join(known)} for task {task}"),
        threshold=fields.number("threshold") if fields.has("threshold") else None,
        non_inferior=_loss(fields, "nonInferior", 0.0) if fields.has("nonInferior") else None,
    )
    fields.done()
    if found.threshold is None and found.non_inferior is None:
        raise FieldError(path, "needs a threshold, or nonInferior (the loss that must be ruled out), or both")
    return found


def _loss(fields: Fields, name: str, default: float) -> float:
    if not fields.has(name):
        return default
    value = fields.number(name)
    if value < 0:
        raise FieldError(fields.at(name), f"must be 0 or more, not {value:g}")
    return value


def _undecided(value: object) -> dict[str, str]:
    path = "dataset.metric.undecided"
    fields = Fields(value, path)
    given = {
        reason: fields.text(reason, "|".join(UNDECIDED), f"one of {', '.join(UNDECIDED)}")
        for reason in REASONS
        if fields.has(reason)
    }
    fields.done()
    return undecided(given)
